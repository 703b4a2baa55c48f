/** @file Runs an optimizer on given gradients, step by step in a graph, and compares the weights with golden ones. */
import { createSession, GraphBuilder, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import type { Optimizer, SlotSpec } from "../optimizers/optimizer.ts";
import { optimizers } from "../optimizers/table.ts";
import { madeFrom } from "../schema/kind.ts";
import {
  type GoldenArray,
  type GoldenCase,
  type GoldenSpec,
  goldenNumbers,
  type Mismatches,
  mismatches,
  tensorOf,
} from "./golden.ts";

type ByWeight = Readonly<Record<string, GoldenArray>>;

/** An optimizer, weights, and what each step made of them. */
export interface OptimizerGolden extends GoldenCase {
  readonly optimizer: GoldenSpec;
  readonly weights: ByWeight;
  /** Of each step. */
  readonly gradients: readonly ByWeight[];
  readonly after: readonly ByWeight[];
  /** Moving averages of the weights after each step. */
  readonly averages?: readonly ByWeight[];
}

/**
 * Share of the largest weight. Keras holds the decay rates in float32 even when it computes in float64: 1 - 0.999 is then
 * off by 1.3e-5 of itself, and Adam's steps, a tenth long in these cases, by half of that.
 */
export const optimizerTolerance = 5e-6;

const slotsOf = (optimizer: Optimizer, { shape }: GoldenArray): readonly SlotSpec[] => optimizer.slots(shape);

/** A graph of one step: gradients, weights, slots and scalars in, weights and slots out. */
function stepOf(optimizer: Optimizer, weights: ByWeight): Parameters<typeof createSession>[0] {
  const builder = new GraphBuilder("step");
  const math = new GraphMath(builder);
  const moving = Object.entries(weights).map(([id, array]) => ({
    id,
    weight: builder.input(id, "float32", array.shape),
    gradient: builder.input(`gradient/${id}`, "float32", array.shape),
    slots: Object.fromEntries(
      slotsOf(optimizer, array).map(({ name, shape }): [string, Value] => [
        name,
        builder.input(`${id}:${name}`, "float32", shape),
      ]),
    ),
  }));
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(1, 1)).map((name) => [name, builder.input(`scalar/${name}`, "float32", [])]),
  );
  const moved = optimizer.update({ math, weights: moving, scalars });
  moving.forEach(({ id, weight }, i) => {
    const one = moved[i];
    if (one === undefined) throw new Error(`${id}: the optimizer forgot this weight`);
    builder.output(math.sub(weight, one.move), `next/${id}`);
    for (const [name, value] of Object.entries(one.slots)) builder.output(value, `next/${id}:${name}`);
  });
  return model(builder.build());
}

/** Everything that is wrong with the optimizer on this case. @throws SpecError where it cannot be made */
export async function checkOptimizer(one: OptimizerGolden): Promise<Mismatches> {
  const optimizer = madeFrom<Optimizer>(optimizers, one.optimizer);
  const session = await createSession(stepOf(optimizer, one.weights), { threads: 1, name: one.name });
  const state: Record<string, Tensor> = {};
  for (const [id, array] of Object.entries(one.weights)) {
    state[id] = tensorOf(array);
    for (const { name, shape, start } of slotsOf(optimizer, array)) {
      const size = shape.reduce((product, length) => product * length, 1);
      const first = start === "weight" ? goldenNumbers(array) : new Array<number>(size).fill(start);
      state[`${id}:${name}`] = tensor("float32", shape, Float32Array.from(first));
    }
  }
  const found: Mismatches = [];
  try {
    for (const [i, gradients] of one.gradients.entries()) {
      const feeds: Record<string, Tensor> = { ...state };
      for (const [id, array] of Object.entries(gradients)) feeds[`gradient/${id}`] = tensorOf(array);
      for (const [name, value] of Object.entries(optimizer.scalars(i + 1, 1)))
        feeds[`scalar/${name}`] = tensor("float32", [], Float32Array.of(value));
      const { outputs } = await session.run(feeds);
      for (const id of Object.keys(state)) {
        const next = outputs[`next/${id}`];
        if (next !== undefined) state[id] = next;
      }
      const compare = (what: string, goldens: ByWeight, of: (id: string) => Tensor | undefined): void => {
        for (const [id, golden] of Object.entries(goldens))
          found.push(...mismatches(`${what}${id} after step ${i + 1}`, of(id), golden, optimizerTolerance));
      };
      compare("", one.after[i] ?? {}, (id) => state[id]);
      compare("average of ", one.averages?.[i] ?? {}, (id) => {
        const slot = Object.keys(state).find((name) => name.startsWith(`${id}:`) && name.endsWith("average"));
        return slot === undefined ? undefined : state[slot];
      });
    }
    return found;
  } finally {
    await session.close();
  }
}
