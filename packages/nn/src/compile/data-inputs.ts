/** @file What programs are fed: samples, answers, and how much each counts; as numbers, or as bytes that the graph itself turns into numbers. */
import type { Dtype, Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { countOf } from "../initializers/initializer.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { dimsOf, type Plan } from "./plan.ts";

/** Element type of samples that are fed, and the factor that makes them the model's input (1 / 255 for pixels). */
export interface InputFormat {
  readonly dtype: "float32" | "uint8" | "int32";
  readonly scale: number;
}

/** How data comes in. */
export interface Formats {
  /** By the name of the input. */
  readonly inputs: ReadonlyMap<string, InputFormat>;
  /** Sizes of one sample's weights by the name of the output, where samples or answers count differently. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
}

/** One tensor that a program is fed for each batch. */
export interface DataInput extends InputFormat {
  /** "x/INPUT", "y/OUTPUT" or "weight/OUTPUT" */
  readonly name: string;
  /** Sizes behind the batch. */
  readonly shape: readonly (number | string)[];
  /** What it becomes in the graph. */
  readonly into: Dtype;
}

/** Everything a program is fed for each batch, samples first. */
export const dataInputs = (
  plan: Plan,
  targets: ReadonlyMap<string, TargetSpec>,
  { inputs, weights }: Formats,
): readonly DataInput[] => [
  ...plan.inputs.map((input): DataInput => {
    const format = inputs.get(input.name) ?? { dtype: input.dtype, scale: 1 };
    return { name: `x/${input.name}`, shape: dimsOf(input), into: input.dtype, ...format };
  }),
  ...[...targets].map(
    ([name, { dtype, shape }]): DataInput => ({ name: `y/${name}`, shape, into: dtype, dtype, scale: 1 }),
  ),
  ...[...weights].map(
    ([name, shape]): DataInput => ({ name: `weight/${name}`, shape, into: "float32", dtype: "float32", scale: 1 }),
  ),
];

/** Fed numbers [batch, ...] as the graph takes them. */
export function writeInput(math: GraphMath, fed: Value, { scale, shape, into }: DataInput): Value {
  const numbers = math.cast(fed, into);
  if (scale === 1) return numbers;
  const sizes = shape.filter((size) => typeof size === "number");
  if (sizes.length < shape.length) return math.mul(numbers, scale);
  // As rows: a last axis of 1 makes the runtime multiply element by element, 50 times slower (0.9 ms for 128 images).
  const rows = math.reshape(numbers, [-1, countOf(sizes)]);
  return math.reshape(math.mul(rows, scale), [-1, ...sizes]);
}
