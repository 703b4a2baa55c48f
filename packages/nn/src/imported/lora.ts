/** @file Low-rank adapters: a layer's matrices stay as they are, and small products that train are added to them. */
import type { Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import type { LayerKind } from "../layers/define-layer.ts";
import type { CommonOptions, Layer, LayerScope, Parameter } from "../layers/layer.ts";
import { layerField } from "../layers/layer-field.ts";
import { layerOf } from "../layers/layer-of.ts";
import { layerSpec, parseLayer, registerLayer } from "../layers/registry.ts";
import { asShown, type Storage } from "../layers/storage.ts";
import { positive, readFields, size, words } from "../schema/field.ts";
import { dropUndefined } from "../schema/kind.ts";
import { isRecord, Problems } from "../schema/problems.ts";
import { everything, namesOf, unusedPatterns } from "./glob.ts";

/** Settings of `lora` beside the layer. */
export interface LoraOptions {
  /** Columns of the first factor, 8. */
  readonly rank?: number;
  /** The product is scaled by alpha / rank; `rank` when left out, so that the scale is 1. */
  readonly alpha?: number;
  /** Patterns of the names of weights that get an adapter; ["*"], all matrices, when left out. */
  readonly targets?: readonly string[];
  readonly name?: string;
  readonly inputShape?: CommonOptions["inputShape"];
}

const firstSuffix = "lora_a";
const secondSuffix = "lora_b";

/** True for the weights of adapters. */
export const isAdapter = (name: string): boolean =>
  name.endsWith(`.${firstSuffix}`) || name.endsWith(`.${secondSuffix}`);

const settings = {
  layer: layerField(),
  rank: size(8),
  alpha: positive(),
  targets: words("patterns of names", everything),
};

interface Config {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly string[];
}

/** A weight read as a matrix: split where rows and columns together are fewest, so that an adapter is small. */
export function matrixOf(shape: readonly number[]): readonly [number, number] {
  const product = (sizes: readonly number[]): number => sizes.reduce((all, one) => all * one, 1);
  const splits = shape
    .slice(1)
    .map((_, i): [number, number] => [product(shape.slice(0, i + 1)), product(shape.slice(i + 1))]);
  return splits.reduce(
    (best, one) => (one[0] + one[1] < best[0] + best[1] ? one : best),
    splits[0] ?? [1, product(shape)],
  );
}

const hasAdapter = ({ targets }: Config): ((parameter: Parameter) => boolean) => {
  const isTarget = namesOf(targets);
  return ({ name, shape, role = "weight" }) =>
    role === "weight" && shape.length > 1 && Math.min(...matrixOf(shape)) > 1 && isTarget(name);
};

/** `first · second * alpha / rank`, of the weight's shape as shown. */
function delta(scope: LayerScope, { shape, name }: Parameter, { rank, alpha }: Config): Value {
  const { math } = scope;
  const product = math.product(scope.weight(`${name}.${firstSuffix}`), scope.weight(`${name}.${secondSuffix}`));
  return math.reshape(math.mul(product, alpha / rank), shape);
}

/** The scope that the layer inside sees: its matrices have their adapters on. */
function adapted(scope: LayerScope, parameters: readonly Parameter[], config: Config, prefix = ""): LayerScope {
  const isAdapted = hasAdapter(config);
  const root = scope;
  return {
    ...scope,
    weight(name, storage) {
      const parameter = parameters.find((one) => one.name === `${prefix}${name}`);
      const kept = root.weight(name, storage);
      if (parameter === undefined || !isAdapted(parameter)) return kept;
      const { view, order, stored }: Storage = storage ?? asShown(parameter.shape);
      const { math } = scope;
      const shown = delta(scope, { ...parameter, name }, config);
      return math.add(kept, math.reshape(math.transpose(math.reshape(shown, view), order), stored));
    },
    inside: (part, trainable) => adapted(scope.inside(part, trainable), parameters, config, `${prefix}${part}/`),
  };
}

function make(inner: Layer, config: Config, common: Pick<Layer, "name" | "inputShape" | "trainable">): Layer {
  const isAdapted = hasAdapter(config);
  const { rank } = config;
  const { name, inputShape, trainable } = common;
  return layerOf({
    type: "lora",
    name,
    inputShape,
    trainable,
    ...(inner.inputDtype === undefined ? {} : { inputDtype: inner.inputDtype }),
    config: { layer: layerSpec(inner), ...config },
    outputShapes: (inputs, where) => inner.outputShapes(inputs, where),
    parameters(inputs) {
      const own = inner.parameters(inputs);
      const adapters = own.filter(isAdapted).flatMap(({ name, shape }): Parameter[] => {
        const [rows, columns] = matrixOf(shape);
        return [
          {
            name: `${name}.${firstSuffix}`,
            shape: [rows, rank],
            initializer: { type: "randomNormal", mean: 0, stddev: 1 / rank },
          },
          { name: `${name}.${secondSuffix}`, shape: [rank, columns], initializer: { type: "zeros" } },
        ];
      });
      const names = own.map((one) => one.name);
      const unused = unusedPatterns(config.targets, names);
      if (adapters.length === 0 || unused.length > 0)
        throw new NnError(
          `${name ?? "lora"}: expected targets that fit a weight of two or more axes, received ${(adapters.length === 0 ? config.targets : unused).join(", ")}; weights: ${names.slice(0, 20).join(", ")}`,
        );
      return [...own.map((one) => ({ ...one, frozen: true })), ...adapters];
    },
    build: (scope, inputs) =>
      inner.build(adapted(scope, inner.parameters(inputs.map(({ shape }) => shape)), config), inputs),
    firstValue: (parameter) => inner.firstValue?.(parameter),
  });
}

/** The table's entry of `lora`. */
export const loraKind: LayerKind = {
  type: "lora",
  fields: settings,
  parse(raw, where, problems) {
    const { name, inputShape, trainable = true, ...rest } = raw;
    const alpha = rest["alpha"] ?? rest["rank"] ?? 8;
    const config = readFields(settings, { ...rest, alpha }, where, problems);
    const inner = config && parseLayer(config.layer, `${where}.layer`, problems);
    if (config === undefined || inner === undefined) return undefined;
    // name and shape are read as those of any layer are
    const shell = parseLayer(
      { type: "inputLayer", ...dropUndefined({ name, inputShape, trainable }) },
      where,
      problems,
    );
    if (shell === undefined) return undefined;
    return make(inner, { rank: config.rank, alpha: config.alpha, targets: config.targets }, shell);
  },
};
registerLayer(loraKind);

/**
 * A layer whose weights stay, with low-rank adapters that train: each matrix W becomes `W + alpha / rank * A · B`.
 *
 * - Weights: the layer's own, frozen, and "NAME.lora_a" [rows, rank] (normal), "NAME.lora_b" [rank, columns] (zeros) for each
 *   target, so that it starts as the layer is. Weights of more axes (convolutions) are read as the matrix of fewest rows and columns.
 * - Everything with weights can be adapted: dense, convolutions, attention, composed layers, and imported models.
 * - `mergeAdapters` puts the products into the weights; `adapterWeights` gives the adapters alone.
 * - Source: Hu and others 2021, arXiv:2106.09685.
 * @throws NnError when no weight fits the targets
 */
export function lora(layer: Layer, options: LoraOptions = {}): Layer {
  const { rank = 8, alpha = rank, targets = everything, name, inputShape } = options;
  const problems = new Problems();
  const spec = { ...dropUndefined({ name, inputShape: inputShape ?? layer.inputShape }), rank, alpha, targets };
  const made = loraKind.parse({ ...spec, layer }, "lora", problems);
  problems.throwIfAny();
  if (made === undefined || !isRecord(made.config)) throw new Error("lora: made no layer and named no problem");
  return make(layer, { rank, alpha, targets: [...targets] }, made);
}
