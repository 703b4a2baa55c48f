/**
 * @file Undoing broadcasting: what was repeated on the way forward is summed on the way back, and what was summed is
 * repeated. A repeated gradient remembers what it was made of: arithmetic with a value of full size takes that instead,
 * and the repetition is never written out.
 */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";

const origins = new WeakMap<Value, Value>();

const haveSameSizes = (a: Value, b: Value): boolean =>
  a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);

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
  const expanded = math.builder.op("Expand", [value, math.builder.ints(...sizes)]);
  origins.set(expanded, value);
  return expanded;
}

/** A gradient times a factor of the same sizes or smaller. */
export function times(math: GraphMath, gradient: Value, factor: Value): Value {
  const origin = origins.get(gradient);
  return math.mul(origin !== undefined && haveSameSizes(gradient, factor) ? origin : gradient, factor);
}

/** A gradient times a number. */
export function scaleBy(math: GraphMath, gradient: Value, factor: number): Value {
  const origin = origins.get(gradient);
  return origin === undefined
    ? math.mul(gradient, factor)
    : expandTo(math, math.mul(origin, factor), sizesOf(gradient));
}

/** The sum of two gradients of one value. */
export function plus(math: GraphMath, a: Value, b: Value): Value {
  const [originA, originB] = [origins.get(a), origins.get(b)];
  if (originA === undefined) return math.add(a, originB ?? b);
  if (originB === undefined) return math.add(originA, b);
  return haveSameSizes(originA, originB)
    ? expandTo(math, math.add(originA, originB), sizesOf(a))
    : math.add(a, originB);
}

/** Minus a gradient. */
export function minus(math: GraphMath, gradient: Value): Value {
  const origin = origins.get(gradient);
  return origin === undefined ? math.neg(gradient) : expandTo(math, math.neg(origin), sizesOf(gradient));
}
