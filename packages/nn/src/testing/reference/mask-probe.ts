/**
 * @file What a layer makes of a mask, found by trying: its forward graph is written with a masked input. Definitions say it
 * in several ways (a word, a function, the parts of a composite); what happens is the same for all of them.
 */
import { GraphBuilder, OnnxError } from "@gristmill/onnx";
import { writeForward } from "../../compile/forward.ts";
import { planModel } from "../../compile/plan.ts";
import { NnError } from "../../errors.ts";
import { GraphMath } from "../../graph/graph-math.ts";
import type { LayerKind } from "../../layers/define-layer.ts";
import type { Features } from "../../layers/features.ts";
import type { Layer } from "../../layers/layer.ts";
import { traceNetwork } from "../../network/network.ts";
import { input } from "../../network/symbolic.ts";
import { Problems } from "../../schema/problems.ts";
import { givenMask } from "../given-mask.ts";

/** What a layer takes, and what becomes of a mask. */
export interface Probe {
  /** Least and most inputs. */
  readonly inputs: readonly [number, number];
  /** With a mask on its first input: "passes" when the answer has one, "ends" when it has none, else "refused". */
  readonly mask: "passes" | "ends" | "refused";
}

/** Settings without a default, by name or by "layer.name", chosen small; 2 for all others. */
const guesses: Readonly<Record<string, unknown>> = {
  activation: "relu",
  axes: 2,
  dims: [2, 1],
  "bidirectional.layer": { type: "lstm", units: 2 },
  layer: { type: "dense", units: 2 },
  maxLength: 4,
  sequenceLength: 4,
  model: { inputShape: [4, 2], layers: [{ type: "dense", units: 2 }] },
  rate: 0.5,
  targetShape: [2, 4],
};
/** In place of defaults that are too large for a small sample. */
const smaller: Readonly<Record<string, unknown>> = {
  groups: 1,
  poolSize: 1,
  targets: ["*"],
  cropping: 0,
  numHeads: 2,
  hiddenSize: 4,
  numLayers: 1,
};

const shapes = [[4, 2], [4, 4], [4, 4, 2], [4, 4, 4, 2], [4]] as const;

/** A layer of a kind with as little as it needs; undefined when the guesses do not fit it. */
function smallest({ type, fields, parse }: LayerKind): Layer | undefined {
  const settings = Object.entries(fields).map(([name, { fallback }]) => [
    name,
    fallback === undefined ? (guesses[`${type}.${name}`] ?? guesses[name] ?? 2) : (smaller[name] ?? fallback),
  ]);
  return parse(Object.fromEntries(settings), type, new Problems());
}

/** Writes the graph of a layer; `undefined` when samples of this shape do not fit it. */
function answer(
  layer: Layer,
  count: number,
  shape: readonly number[],
  isMasked: boolean,
): readonly Features[] | undefined {
  const dtype = layer.inputDtype ?? "float32";
  const values = Array.from({ length: count }, (_, i) => input({ name: `x${i}`, shape, dtype }));
  const mask = input({ name: "mask", shape: shape.slice(0, 1) });
  const [first, ...others] = values;
  if (first === undefined) return undefined;
  const entering = isMasked ? [givenMask(first, mask), ...others] : values;
  const all = isMasked ? [...values, mask] : values;
  try {
    const plan = planModel(traceNetwork(all, layer.applyAll(entering)));
    const math = new GraphMath(new GraphBuilder());
    const { builder } = math;
    const given = plan.inputs.map((one) => builder.input(one.name, one.dtype, ["batch", ...one.shape.map(Number)]));
    return writeForward(plan, math, given, {
      training: false,
      weight: (id, storage) => ({ value: builder.input(id, "float32", storage.stored), storage }),
      randomKey: () => builder.scalar(1, "uint32"),
      update: () => {},
      addLoss: () => {},
    });
  } catch (error) {
    if (error instanceof OnnxError || error instanceof NnError) return undefined;
    throw error;
  }
}

const range = (message: string): readonly [number, number] => {
  const [, least = "1", most, orMore] = /expected (\d+)(?: to (\d+)| (or more))? inputs?/.exec(message) ?? [];
  return [Number(least), orMore === undefined ? Number(most ?? least) : Number.POSITIVE_INFINITY];
};

/** How many inputs a layer takes: what it says when it gets none. */
function inputsOf(layer: Layer): readonly [number, number] {
  try {
    layer.outputShapes([], layer.type);
    return [1, 1];
  } catch (error) {
    return range(error instanceof Error ? error.message : "");
  }
}

/** Tries a kind of layer. @throws Error when none of the samples fits it, so that the guesses need a new one */
export function probe(kind: LayerKind): Probe {
  const layer = smallest(kind);
  if (layer === undefined) throw new Error(`${kind.type}: add its settings to the guesses`);
  const inputs = inputsOf(layer);
  const fitting = shapes.find((shape) => answer(layer, inputs[0], shape, false) !== undefined);
  if (fitting === undefined) throw new Error(`${kind.type}: add samples that fit it to the shapes`);
  const answered = answer(layer, inputs[0], fitting, true);
  if (answered === undefined) return { inputs, mask: "refused" };
  return { inputs, mask: answered.some(({ mask }) => mask !== undefined) ? "passes" : "ends" };
}
