/** @file Runs a layer on a golden case, through the same graph writers as a model: outputs, gradients, updates, states. */
import { createSession, GraphBuilder, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { gradients } from "../autodiff/gradients.ts";
import { writeForward } from "../compile/forward.ts";
import { type Plan, planModel } from "../compile/plan.ts";
import { SpecError } from "../errors.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import { parseLayer } from "../layers/registry.ts";
import "../layers/table.ts";
import { traceNetwork } from "../network/network.ts";
import { input, type SymbolicTensor } from "../network/symbolic.ts";
import { Problems } from "../schema/problems.ts";
import { givenMask } from "./given-mask.ts";
import {
  type GoldenArray,
  type GoldenCase,
  type GoldenSpec,
  goldenNumbers,
  type Mismatches,
  mismatches,
  type NamedGolden,
  tensorOf,
} from "./golden.ts";

/** A use of a layer and what came of it. Gradients are of sum(output * projection) over all outputs. */
export interface LayerGolden extends GoldenCase {
  readonly layer: GoldenSpec;
  /** null where training makes no difference. */
  readonly training: boolean | null;
  readonly inputs: readonly GoldenArray[];
  readonly masks?: readonly (GoldenArray | null)[];
  readonly attentionMask?: GoldenArray;
  readonly weights: readonly NamedGolden[];
  readonly outputs: readonly GoldenArray[];
  readonly outputMask?: GoldenArray;
  readonly projections: readonly GoldenArray[];
  readonly inputGradients: readonly (GoldenArray | null)[];
  readonly weightGradients: readonly NamedGolden[];
  /** What the layer keeps, after a step of training. */
  readonly updates?: readonly NamedGolden[];
  /** Outputs when it is run again with what it remembers. */
  readonly thenOutputs?: readonly (readonly GoldenArray[])[];
}

/**
 * Shares of the largest number. float32 has 6e-8; sums of up to a hundred products, and a few layers of them, lose about
 * two digits. A gradient goes through twice as many, and that of a normalization is the small rest of large numbers.
 */
export const layerTolerance = { output: 3e-6, gradient: 3e-5 } as const;

function planOf(one: LayerGolden): Plan {
  const problems = new Problems();
  const layer = parseLayer({ ...one.layer, name: "layer" }, "layer", problems);
  problems.throwIfAny();
  if (layer === undefined) throw new SpecError([]);
  const entering: SymbolicTensor[] = [];
  const declare = (name: string, { shape, dtype }: GoldenArray): SymbolicTensor => {
    const made = input({ name, shape: shape.slice(1), dtype: dtype === "int32" ? "int32" : "float32" });
    entering.push(made);
    return made;
  };
  const values = one.inputs.map((array, i) => declare(`x${i}`, array));
  const masked = values.map((value, i) => {
    const mask = one.masks?.[i];
    return mask ? givenMask(value, declare(`mask${i}`, mask)) : value;
  });
  if (one.attentionMask !== undefined) masked.push(declare("attentionMask", one.attentionMask));
  return planModel(traceNetwork(entering, layer.applyAll(masked)));
}

/** What the graph was fed and gave, apart from gradients. */
interface Written {
  readonly answering: readonly Features[] | undefined;
  readonly training: readonly Features[] | undefined;
  /** The layer's weights in Keras' order, as shown. */
  readonly weights: ReadonlyMap<string, Value>;
  /** What it remembers from run to run, as kept. */
  readonly states: ReadonlyMap<string, Value>;
}

/** Writes the graph that answers, and the one that trains: they differ in more than dropout (max pooling keeps its choices there). */
function writeBoth(one: LayerGolden, plan: Plan, math: GraphMath, inputs: readonly Value[]): Written {
  const { builder } = math;
  const weights = new Map(
    weightsOf(plan).map(({ id, parameter }) => [id, builder.input(id, "float32", parameter.shape)]),
  );
  const states = new Map<string, Value>();
  const write = (training: boolean, withUpdates: boolean): Features[] =>
    writeForward(plan, math, inputs, {
      training,
      weight(id, storage) {
        const shown = weights.get(id);
        const { view, order, stored } = storage;
        if (shown !== undefined)
          return { value: math.reshape(math.transpose(math.reshape(shown, view), order), stored), storage };
        const state = states.get(id) ?? builder.input(id, "float32", stored);
        states.set(id, state);
        return { value: state, storage };
      },
      randomKey: () => builder.scalar(7, "uint32"),
      update: (id, next) => {
        if (withUpdates) builder.output(next, `next/${id}`);
      },
      addLoss: () => {},
    });
  const answering = one.training === true ? undefined : write(false, true);
  const training = one.training === false ? undefined : write(true, one.training === true);
  answering?.forEach(({ value, mask }, i) => {
    builder.output(value, `y${i}`);
    if (mask !== undefined && i === 0) builder.output(math.cast(mask, "float32"), "mask");
  });
  training?.forEach(({ value }, i) => void builder.output(value, `trained y${i}`));
  return { answering, training, weights, states };
}

/** A gradient in the graph and the golden one. */
interface Slope {
  readonly label: string;
  readonly of: Value;
  readonly golden: GoldenArray;
}

/** Writes the gradients of sum(output * projection), named "slope0" on. */
function writeSlopes(
  one: LayerGolden,
  plan: Plan,
  math: GraphMath,
  inputs: readonly Value[],
  { answering, training, weights }: Written,
): readonly Slope[] {
  const slopes: Slope[] = [
    ...one.inputGradients.flatMap((golden, i) => {
      const of = inputs[i];
      return golden === null || of === undefined ? [] : [{ label: `gradient of input ${i}`, of, golden }];
    }),
    ...weightsOf(plan).flatMap(({ id }, i) => {
      // Keras gives no gradient for a weight that leads nowhere, or is none of the optimizer's
      const golden = one.weightGradients.find(({ name }) => name === one.weights[i]?.name);
      const of = weights.get(id);
      return golden === undefined || of === undefined ? [] : [{ label: `gradient of ${id}`, of, golden }];
    }),
  ];
  if (slopes.length === 0) return [];
  const flat = (training ?? answering ?? []).map(({ value }) => math.reshape(value, [-1]));
  const projection = Float32Array.from(one.projections.flatMap(goldenNumbers));
  const gradient = math.builder.constant(tensor("float32", [projection.length], projection));
  const written = gradients(
    math,
    { value: math.concat(flat, 0), gradient },
    slopes.map(({ of }) => of),
  );
  written.forEach((value, i) => void math.builder.output(value, `slope${i}`));
  return slopes;
}

/** The layer's weights, in Keras' order. */
const weightsOf = (plan: Plan) => plan.weights.filter(({ parameter }) => parameter.role !== "state");

/** Weights that are not those of Keras, by shape and order. */
function weightMismatches(one: LayerGolden, plan: Plan): Mismatches {
  const said = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]): string =>
    list.map(({ name, shape }) => `${name} [${shape}]`).join(", ");
  const own = weightsOf(plan).map(({ parameter }) => parameter);
  const shapes = (list: readonly { readonly shape: readonly number[] }[]): string => list.map((w) => w.shape).join("|");
  return shapes(own) === shapes(one.weights) ? [] : [`weights: expected ${said(one.weights)}; received ${said(own)}`];
}

/** The case with its weights in the layer's order, where both have the same names: a block that normalizes first declares that first. */
function inOwnOrder(one: LayerGolden, plan: Plan): LayerGolden {
  const byName = new Map(one.weights.map((array) => [array.name, array]));
  const weights = weightsOf(plan).flatMap(({ parameter }) => byName.get(parameter.name) ?? []);
  return weights.length === one.weights.length ? { ...one, weights } : one;
}

/** The numbers of every input of the graph. States begin at 0. */
function feedsOf(one: LayerGolden, plan: Plan, { states }: Written): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  const feed = (name: string, array: GoldenArray | null | undefined): void => {
    if (array) feeds[name] = tensorOf(array);
  };
  one.inputs.forEach((array, i) => void feed(`x${i}`, array));
  one.masks?.forEach((array, i) => void feed(`mask${i}`, array));
  feed("attentionMask", one.attentionMask);
  weightsOf(plan).forEach(({ id }, i) => void feed(id, one.weights[i]));
  for (const [id, { shape }] of states) {
    const sizes = shape.map(Number);
    feeds[id] = tensor("float32", sizes, new Float32Array(sizes.reduce((product, size) => product * size, 1)));
  }
  return feeds;
}

/** Everything that is wrong with the layer on this case. @throws SpecError where the layer cannot be made */
export async function checkLayer(golden: LayerGolden): Promise<Mismatches> {
  const plan = planOf(golden);
  const one = inOwnOrder(golden, plan);
  const wrong = weightMismatches(one, plan);
  if (wrong.length > 0) return wrong;
  const builder = new GraphBuilder("golden");
  const math = new GraphMath(builder);
  const inputs = plan.inputs.map(({ name, shape, dtype }) => {
    const sizes = [one.inputs[0]?.shape[0] ?? 1, ...shape].map((size) => size ?? 1);
    return builder.input(name, dtype, sizes);
  });
  const written = writeBoth(one, plan, math, inputs);
  const slopes = writeSlopes(one, plan, math, inputs, written);
  const session = await createSession(model(builder.build()), { threads: 1, name: one.name });
  try {
    const feeds = feedsOf(one, plan, written);
    const first = (await session.run(feeds)).outputs;
    const found = compare(one, plan, written, slopes, first);
    let last = first;
    for (const [call, goldens] of (one.thenOutputs ?? []).entries()) {
      for (const id of written.states.keys()) {
        const next = last[`next/${id}`];
        if (next !== undefined) feeds[id] = next;
      }
      last = (await session.run(feeds)).outputs;
      for (const [i, golden] of goldens.entries())
        found.push(...mismatches(`y${i} of call ${call + 2}`, last[`y${i}`], golden, layerTolerance.output));
    }
    return found;
  } finally {
    await session.close();
  }
}

function compare(
  one: LayerGolden,
  plan: Plan,
  { answering, training }: Written,
  slopes: readonly Slope[],
  outputs: Readonly<Record<string, Tensor>>,
): Mismatches {
  const { output, gradient } = layerTolerance;
  const found: Mismatches = [];
  const made = [answering, training].find((features) => features !== undefined)?.length;
  if (made !== one.outputs.length) found.push(`expected ${one.outputs.length} outputs, received ${made}`);
  for (const prefix of [...(answering ? ["y"] : []), ...(training ? ["trained y"] : [])])
    one.outputs.forEach((golden, i) => {
      found.push(...mismatches(`${prefix}${i}`, outputs[`${prefix}${i}`], golden, output));
    });
  if (one.outputMask !== undefined) found.push(...mismatches("mask", outputs["mask"], one.outputMask, 0));
  slopes.forEach(({ label, golden }, i) => {
    found.push(...mismatches(label, outputs[`slope${i}`], golden, gradient));
  });
  for (const golden of one.updates ?? []) {
    const id = weightsOf(plan)[one.weights.findIndex(({ name }) => name === golden.name)]?.id;
    const next = outputs[`next/${id}`];
    // it may be kept with more axes than it is shown with
    const shown = next?.data.length === golden.data.length ? { shape: golden.shape, data: next.data } : next;
    found.push(...mismatches(`next ${golden.name}`, shown, golden, output));
  }
  return found;
}
