/** @file Undoing broadcasting: what was repeated on the way forward is summed on the way back. */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";

/** Sums a gradient down to the sizes of the input that was broadcast. */
export function sumTo(math: GraphMath, gradient: Value, input: Value): Value {
  const from = sizesOf(gradient);
  const to = sizesOf(input);
  const lead = from.length - to.length;
  const axes = from.flatMap((size, i) => (i < lead || (to[i - lead] === 1 && size !== 1) ? [i] : []));
  return math.reshape(math.sum(gradient, axes), to);
}

/** Repeats a value up to the sizes of another, where they differ. */
export function expandTo(math: GraphMath, value: Value, sizes: readonly number[]): Value {
  const from = sizesOf(value);
  if (from.length === sizes.length && from.every((size, i) => size === sizes[i])) return value;
  return math.builder.op("Expand", [value, math.builder.ints(...sizes)]);
}
