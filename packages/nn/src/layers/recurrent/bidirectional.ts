import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type Field, oneOf } from "../../schema/field.ts";
import type { Problems } from "../../schema/problems.ts";
import { type DefinedLayer, defineManyLayer } from "../define-layer.ts";
import { type Features, plain } from "../features.ts";
import type { CommonOptions, Layer, LayerScope, LayerSpec, Parameter } from "../layer.ts";
import { layerField, layerFrom } from "../layer-field.ts";
import type { SampleShape } from "../shape.ts";
import { findRecurrent, perSample } from "./define-recurrent.ts";
import type { Walked } from "./walk.ts";

/** How the answers of both directions come together; "none" gives both, forward first. */
export type MergeMode = "concat" | "sum" | "mul" | "ave" | "none";

/** Settings of `bidirectional` beside its layer. */
export interface BidirectionalOptions extends CommonOptions {
  /** null is "none". */
  readonly mergeMode?: MergeMode | null;
  /** Another layer for the way back; it must say `goBackwards`. A second one of the same kind when left out. */
  readonly backwardLayer?: Layer;
}

const merges: { readonly [M in Exclude<MergeMode, "none">]: (math: GraphMath, a: Value, b: Value) => Value } = {
  concat: (math, a, b) => math.concat([a, b], a.shape.length - 1),
  sum: (math, a, b) => math.add(a, b),
  mul: (math, a, b) => math.mul(a, b),
  ave: (math, a, b) => math.mul(math.add(a, b), 0.5),
};
const mergeModes = ["concat", "sum", "mul", "ave", "none"] as const;
const mergeField = oneOf(mergeModes, "concat");
const mergeMode: Field<MergeMode> = {
  ...mergeField,
  read: (value, where, problems) => mergeField.read(value === null ? "none" : value, where, problems),
};

const otherLayer: Field<LayerSpec | null> = {
  expected: `${layerField().expected}, or null for another one of the same kind`,
  fallback: null,
  read: (value, where, problems) => (value === null ? null : layerField().read(value, where, problems)),
};

type Config = { readonly layer: LayerSpec; readonly backwardLayer: LayerSpec | null; readonly mergeMode: MergeMode };
type Direction = "forward" | "backward";

/** The two layers, each with the direction that it walks in. */
function both({ layer, backwardLayer }: Config): Readonly<Record<Direction, Layer>> {
  const { name: _, ...spec } = layer;
  const turned = { ...spec, goBackwards: spec["goBackwards"] !== true };
  return { forward: layerFrom(layer), backward: layerFrom(backwardLayer ?? turned) };
}

/** Inputs of one direction: the sequences, and its half of the first states. */
const half = <T>([first, ...states]: readonly T[], direction: Direction): T[] => {
  const middle = Math.ceil(states.length / 2);
  const own = direction === "forward" ? states.slice(0, middle) : states.slice(middle);
  return first === undefined ? own : [first, ...own];
};

/** A wrapped layer's parameters; the optimizer leaves them alone where that layer says so. */
const frozenOrNot = (layer: Layer, inputs: readonly SampleShape[]): readonly Parameter[] =>
  layer.parameters(inputs).map((parameter) => (layer.trainable ? parameter : { ...parameter, frozen: true }));

/** The table's entry of `bidirectional`. */
export const bidirectionalKind: DefinedLayer = defineManyLayer({
  type: "bidirectional",
  fields: { layer: layerField(), backwardLayer: otherLayer, mergeMode },
  inputs: [1, Number.POSITIVE_INFINITY],
  check: checkLayers,
  outputShapes(config, inputs, where) {
    const { forward, backward } = both(config);
    const [answer = [], ...states] = forward.outputShapes(half(inputs, "forward"), where);
    const [back = [], ...backStates] = backward.outputShapes(half(inputs, "backward"), where);
    return [...mergedShapes(config.mergeMode, answer, back), ...states, ...backStates];
  },
  parameters(config, inputs) {
    const layers = both(config);
    return (["forward", "backward"] as const).flatMap((direction) =>
      frozenOrNot(layers[direction], half(inputs, direction)).map(
        (parameter): Parameter => ({ ...parameter, name: `${direction}/${parameter.name}` }),
      ),
    );
  },
  build(config, scope, inputs) {
    const layers = both(config);
    const walk = (direction: Direction): Walked =>
      walkLayer(layers[direction], scope, direction, half(inputs, direction));
    const [there, back] = [walk("forward"), walk("backward")];
    const answers = mergeAnswers(config.mergeMode, scope, [there, back], inputs[0]);
    const isStateWanted = layers.forward.config["returnState"] === true;
    return [...answers, ...(isStateWanted ? [...there.states, ...back.states].map(perSample) : [])];
  },
});

function walkLayer(layer: Layer, scope: LayerScope, direction: Direction, inputs: readonly Features[]): Walked {
  const walk = findRecurrent(layer.type);
  if (walk === undefined) throw new Error(`${scope.path}: ${layer.type} is not recurrent`);
  const inner = scope.inside(direction, layer.trainable);
  // a masked step of one direction would repeat what that direction saw on its side, and pass for an answer: as Keras, zeros
  const config = { ...layer.config, zeroOutputForMask: layer.config["returnSequences"] === true };
  return scope.math.builder.within(direction, () => walk(config, inner, inputs, false));
}

function mergeAnswers(
  mode: MergeMode,
  { math }: LayerScope,
  walks: readonly [Walked, Walked],
  entering: Features | undefined,
): Features[] {
  const asFeatures = (value: Value): Features =>
    value.shape.length < 3
      ? perSample(value)
      : plain(
          math.transpose(value, [1, 0, 2]),
          [entering?.shape[0] ?? null, Number(value.shape.at(-1))],
          entering?.mask,
        );
  // merged with the steps in front, as they come from the loops, so that one value is turned instead of two
  const [a, b] = walks.map(({ rows, last }) => rows ?? last);
  if (a === undefined || b === undefined) return [];
  return mode === "none" ? [asFeatures(a), asFeatures(b)] : [asFeatures(merges[mode](math, a, b))];
}

function mergedShapes(mode: MergeMode, a: SampleShape, b: SampleShape): SampleShape[] {
  if (mode === "none") return [a, b];
  if (mode !== "concat") return [a];
  return [[...a.slice(0, -1), (a.at(-1) ?? 0) + (b.at(-1) ?? 0)]];
}

function checkLayers(config: Config, where: string, problems: Problems): void {
  const { layer, backwardLayer } = config;
  for (const [field, spec] of [
    ["layer", layer],
    ["backwardLayer", backwardLayer],
  ] as const)
    if (spec !== null && findRecurrent(spec.type) === undefined) {
      problems.add(`${where}.${field}`, `expected a recurrent layer (lstm, gru, simpleRnn), received "${spec.type}"`);
      return;
    }
  if (backwardLayer === null) return;
  for (const setting of ["returnSequences", "returnState", "stateful", "units"])
    if (layer[setting] !== backwardLayer[setting])
      problems.add(
        `${where}.backwardLayer.${setting}`,
        `expected ${String(layer[setting])}, as the forward layer says, received ${String(backwardLayer[setting])}`,
      );
  if (layer["goBackwards"] === backwardLayer["goBackwards"])
    problems.add(
      `${where}.backwardLayer.goBackwards`,
      `expected ${String(layer["goBackwards"] !== true)}: the other way`,
    );
}

/**
 * Two recurrent layers over the same sequences, one from each end (Schuster and Paliwal, 1997).
 *
 * - Shapes: x [batch, steps, features] → as the layer's, the last axis twice as large with `mergeMode` "concat"; two outputs
 *   with "none"; with `returnState` then the states of the forward and of the backward layer. Further inputs are first states,
 *   the forward layer's half first.
 * - Weights: "forward/kernel" ..., then "backward/kernel" ....
 * - Defaults: `mergeMode` concat; the backward layer is another one like `layer`.
 * - Masks: both directions answer for each step where it stands; with `returnSequences` masked steps answer zeros.
 * - ONNX: two Scans, one of them from the last step to the first; nothing is turned round.
 */
export const bidirectional = (layer: Layer, options: BidirectionalOptions = {}): Layer =>
  bidirectionalKind.make({ layer, ...options });
