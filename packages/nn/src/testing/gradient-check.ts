/** @file Compares a gradient rule with differences: f(x + h v) - f(x - h v) against the gradient along v. */
import { createSession, GraphBuilder, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath, sizesOf } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { keyOf, normalAt } from "../random/hash.ts";

/** A floating type that gradients are checked in. */
export type CheckedType = "float64" | "float32";

/** One input of the checked graph. */
export interface CheckedInput {
  readonly shape: readonly number[];
  /** Row-major; random normal when left out. */
  readonly values?: readonly number[];
}

/** A small graph of differentiable inputs. */
export interface GradientCase {
  /** What is special about it: "a row twice", "ties". */
  readonly name: string;
  readonly inputs: readonly CheckedInput[];
  build(math: GraphMath, ...inputs: Value[]): Value;
  /** float32 where the runtime has no float64 kernel. */
  readonly dtype?: CheckedType;
  /** Operator set of the checked model; the usual one when left out. */
  readonly opset?: number;
  /**
   * Directions along which the function has a slope, where it has none along others: at ties, all that tie move together.
   * One list per input; random directions when left out.
   */
  readonly directions?: readonly (readonly (readonly number[])[])[];
}

/** Largest difference of the two slopes, relative to the gradient's size. */
export interface CheckResult {
  readonly worst: number;
  readonly gradients: readonly (readonly number[])[];
}

// float64: the differences lose about half of the digits. float32: about 1e-7 of the sum, divided by the step.
const stepOf = { float64: 1e-5, float32: 4e-3 } as const;
const randomDirections = 6;

/** How far a slope may be off: what the differences themselves are off, not the rule. */
export const toleranceOf = { float64: 1e-7, float32: 5e-3 } as const;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

const typed = (dtype: CheckedType, shape: readonly number[], values: ArrayLike<number>): Tensor =>
  dtype === "float64"
    ? tensor("float64", shape, Float64Array.from(values))
    : tensor("float32", shape, Float32Array.from(values));

const numbers = (value: Tensor | undefined): ArrayLike<number> => {
  if (value?.dtype === "float64" || value?.dtype === "float32") return value.data;
  throw new Error(`expected floats, received ${value?.dtype}`);
};

/** Runs the graph and its gradients, and compares along every direction. */
export async function checkGradient(one: GradientCase, seed = 1): Promise<CheckResult> {
  const dtype = one.dtype ?? "float64";
  const builder = new GraphBuilder("check");
  const math = new GraphMath(builder);
  const inputs = one.inputs.map(({ shape }, i) => builder.input(`x${i}`, dtype, shape));
  const y = one.build(math, ...inputs);
  const sizes = sizesOf(y);
  const count = sizes.reduce((product, size) => product * size, 1);
  // a random projection, so that no two errors cancel
  const weights = Array.from({ length: count }, (_, i) => normalAt(keyOf(seed, 1), i));
  const slopes = gradients(math, { value: y, gradient: builder.constant(typed(dtype, sizes, weights)) }, inputs);
  builder.output(y, "y");
  slopes.forEach((slope, i) => void builder.output(slope, `dx${i}`));
  const session = await createSession(
    model(prune(builder.build()), one.opset === undefined ? {} : { opset: one.opset }),
    { threads: 1, name: one.name },
  );
  try {
    const at = one.inputs.map(({ shape, values }, i) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return values ?? Array.from({ length }, (_, j) => Math.fround(normalAt(keyOf(seed, 2, i), j)));
    });
    const run = async (point: readonly (readonly number[])[]): Promise<Record<string, Tensor>> => {
      const feeds = point.map((values, i) => [`x${i}`, typed(dtype, one.inputs[i]?.shape ?? [], values)]);
      return (await session.run(Object.fromEntries(feeds))).outputs;
    };
    const here = await run(at);
    const found = at.map((_, i) => Array.from(numbers(here[`dx${i}`])));
    const size = Math.sqrt(found.reduce((sum, list) => sum + dot(list, list), 0));
    let worst = 0;
    for (const direction of one.directions ?? randomDirectionsOf(at, seed)) {
      const h = stepOf[dtype];
      const moved = (sign: number) =>
        at.map((list, i) => list.map((value, j) => value + sign * h * (direction[i]?.[j] ?? 0)));
      const [ahead, behind] = [await run(moved(1)), await run(moved(-1))];
      const expected = (dot(numbers(ahead["y"]), weights) - dot(numbers(behind["y"]), weights)) / (2 * h);
      const received = found.reduce((sum, list, i) => sum + dot(list, direction[i] ?? []), 0);
      worst = Math.max(worst, Math.abs(expected - received) / Math.max(size, 1e-3));
    }
    return { worst, gradients: found };
  } finally {
    await session.close();
  }
}

const randomDirectionsOf = (at: readonly (readonly number[])[], seed: number): number[][][] =>
  Array.from({ length: randomDirections }, (_, k) => {
    const raw = at.map((list, i) => list.map((_v, j) => normalAt(keyOf(seed, 3, k, i), j)));
    const length = Math.sqrt(raw.reduce((sum, list) => sum + dot(list, list), 0)) || 1;
    return raw.map((list) => list.map((value) => value / length));
  });
