/** @file Training that knows of quantization: a layer's weights are rounded wherever it reads them, and learn to live with it. */
import type { Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { everything, namesOf } from "../imported/glob.ts";
import type { LayerKind } from "../layers/define-layer.ts";
import type { Features } from "../layers/features.ts";
import type { CommonOptions, Layer, LayerScope, Parameter } from "../layers/layer.ts";
import { layerField } from "../layers/layer-field.ts";
import { layerOf } from "../layers/layer-of.ts";
import { layerSpec, parseLayer, registerLayer } from "../layers/registry.ts";
import { asShown, type Storage } from "../layers/storage.ts";
import { flag, numberWhere, readFields, words } from "../schema/field.ts";
import { dropUndefined } from "../schema/kind.ts";
import { Problems } from "../schema/problems.ts";
import { channelAxes } from "./channel-axis.ts";
import { type Grid, roundedActivations, roundedInGraph, roundedInMemory } from "./grid.ts";

/** Settings of `quantizationAware` beside the layer. */
export interface QuantizationAwareOptions extends CommonOptions {
  /** Of each weight, from 2 to 8; 8 when left out. */
  readonly bits?: number;
  /** Patterns of the names of weights that are rounded, such as ["*", "!recurrent*"]; all that can be when left out. */
  readonly targets?: readonly string[];
  /** True: the layer's outputs are rounded too while it trains, to 8 bits, as dynamic quantization will. */
  readonly outputs?: boolean;
}

const settings = {
  layer: layerField(),
  bits: numberWhere("a whole number from 2 to 8", (bits) => Number.isInteger(bits) && bits >= 2 && bits <= 8, 8),
  targets: words("patterns of names", everything),
  outputs: flag(false),
};

interface Config {
  readonly bits: number;
  readonly targets: readonly string[];
  readonly outputs: boolean;
}

/** The grids of the weights that are rounded, by name. @throws NnError when there is none */
function gridsOf(
  layer: Layer,
  { bits, targets }: Config,
  scope: LayerScope,
  inputs: readonly Features[],
  parameters: readonly Parameter[],
): ReadonlyMap<string, Grid> {
  const isTarget = namesOf(targets);
  const able = channelAxes(layer, scope, inputs, parameters);
  const grids = new Map([...able].flatMap(([name, axis]) => (isTarget(name) ? [[name, { bits, axis }] as const] : [])));
  if (grids.size === 0)
    throw new NnError(
      `${scope.path}: expected targets that fit a weight of a product, convolution or table of rows, received ${targets.join(", ")}; such weights: ${[...able.keys()].join(", ") || "none"}`,
    );
  return grids;
}

// a weight that several uses of a layer read is rounded once in each graph
const rounded = new WeakMap<object, Map<string, Map<string, Value>>>();

/** The scope that the layer inside sees: its weights are on their grids. */
function roundedScope(
  scope: LayerScope,
  parameters: readonly Parameter[],
  grids: ReadonlyMap<string, Grid>,
  prefix = "",
): LayerScope {
  return {
    ...scope,
    weight(part, storage) {
      const name = `${prefix}${part}`;
      const grid = grids.get(name);
      const shape = parameters.find((one) => one.name === name)?.shape ?? [];
      return grid === undefined
        ? scope.weight(part, storage)
        : roundedOnce(scope, part, storage ?? asShown(shape), grid);
    },
    inside: (part, trainable) => roundedScope(scope.inside(part, trainable), parameters, grids, `${prefix}${part}/`),
  };
}

/** A weight on its grid. One that is known is rounded here and now, so that exported models hold plain rounded weights. */
function roundedOnce({ math, path, weight }: LayerScope, name: string, storage: Storage, grid: Grid): Value {
  const { builder } = math;
  const inGraph = rounded.get(builder) ?? new Map<string, Map<string, Value>>();
  rounded.set(builder, inGraph);
  const id = `${path}/${name}`;
  const known = inGraph.get(id) ?? new Map<string, Value>();
  inGraph.set(id, known);
  const key = JSON.stringify([storage, grid]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const value = weight(name, storage);
  const constant = builder.constantOf(value);
  // layers that share a weight may keep it in different orders
  const wish = known.size === 0 ? `${id}.rounded` : `${id}.rounded.${known.size + 1}`;
  const made =
    constant?.dtype === "float32"
      ? builder.initializer(wish, roundedInMemory(constant, grid))
      : roundedInGraph(math, value, grid);
  known.set(key, made);
  return made;
}

function make(inner: Layer, config: Config, common: Pick<Layer, "name" | "inputShape" | "trainable">): Layer {
  const parametersOf: Layer["parameters"] = (inputs) => {
    const own = inner.parameters(inputs);
    return inner.trainable ? own : own.map((parameter) => ({ ...parameter, frozen: true }));
  };
  return layerOf({
    type: "quantizationAware",
    name: common.name ?? inner.name,
    inputShape: common.inputShape ?? inner.inputShape,
    trainable: common.trainable,
    ...(inner.inputDtype === undefined ? {} : { inputDtype: inner.inputDtype }),
    config: { layer: layerSpec(inner), ...config },
    outputShapes: (inputs, where) => inner.outputShapes(inputs, where),
    parameters: parametersOf,
    build(scope, inputs) {
      const parameters = parametersOf(inputs.map(({ shape }) => shape));
      const grids = gridsOf(inner, config, scope, inputs, parameters);
      const made = inner.build(roundedScope(scope, parameters, grids), inputs);
      // what serves them rounds them itself; here, answers would then hang on the other samples of the batch
      if (!config.outputs || !scope.training) return made;
      return made.map((features) => ({ ...features, value: roundedActivations(scope.math, features.value) }));
    },
    firstValue: (parameter) => inner.firstValue?.(parameter),
  });
}

/** The table's entry of `quantizationAware`. */
export const quantizationAwareKind: LayerKind = {
  type: "quantizationAware",
  fields: settings,
  parse(raw, where, problems) {
    const { name, inputShape, trainable = true, ...rest } = raw;
    const config = readFields(settings, rest, where, problems);
    const inner = config && parseLayer(config.layer, `${where}.layer`, problems);
    // name and shape are read as those of any layer are
    const shell = parseLayer(
      { type: "inputLayer", ...dropUndefined({ name, inputShape, trainable }) },
      where,
      problems,
    );
    if (config === undefined || inner === undefined || shell === undefined) return undefined;
    const { bits, targets, outputs } = config;
    return make(inner, { bits, targets, outputs }, shell);
  },
};
registerLayer(quantizationAwareKind);

/**
 * A layer that trains as it will be quantized: its weights are rounded where they are read, and gradients go straight
 * through the rounding to the weights themselves, which stay fractions while they learn.
 *
 * - Shapes, weights and masks: the layer's own, and so is its name when none is given; `loadWeights` takes those of a model
 *   that was trained without.
 * - Weights: those that Gemm, MatMul, Conv or Gather read, each channel by its own largest number, as `quantize` rounds
 *   them: `w = round(w / s) * s`, `s = max |w| / (2^(bits - 1) - 1)`.
 * - Defaults: `bits` 8, `targets` ["*"], `outputs` false.
 * - Modes: `evaluate`, `predict` and exported models have rounded weights too. Exported ones hold them as plain numbers, so that
 *   8 bits of quantization move none by more than float32 rounds.
 * - ONNX: QuantizeLinear and DequantizeLinear while it trains.
 * - Use: go on from the weights of a model that was trained without, with a rate that falls to 0: one that stays leaves
 *   weights jumping between places of the grid. A network of three dense layers, five seeds, loss on what it was trained on,
 *   means: float 0.051; 4 bits afterwards 0.068, aware 0.054; 2 bits 0.564 and 0.087; with a constant rate 4 bits gained nothing.
 * - Source: Jacob and others 2018, arXiv:1712.05877; the straight-through gradient: Bengio and others 2013, arXiv:1308.3432.
 * @throws NnError, when a model is made of it, where no weight fits the targets
 */
export function quantizationAware(layer: Layer, options: QuantizationAwareOptions = {}): Layer {
  const problems = new Problems();
  const made = quantizationAwareKind.parse({ ...dropUndefined({ ...options }), layer }, "quantizationAware", problems);
  problems.throwIfAny();
  if (made === undefined) throw new Error("quantizationAware: made no layer and named no problem");
  const { bits = 8, targets = everything, outputs = false } = options;
  // the given layer itself, not its JSON: it may bring weights along
  return make(layer, { bits, targets: [...targets], outputs }, made);
}
