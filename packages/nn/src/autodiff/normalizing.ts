/** @file The arithmetic that all normalizations share: h = (x - mean) s with s = 1 / sqrt(variance + epsilon), and its way back. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** A value with mean 0 and variance 1 over some axes, and what it was divided by. */
export interface Normalized {
  readonly h: Value;
  /** 1 / sqrt(variance + epsilon), with size 1 on the axes. */
  readonly s: Value;
}

/** 1 / sqrt(variance + epsilon) */
export const inverseDeviation = (math: GraphMath, variance: Value, epsilon: number): Value =>
  math.builder.op("Reciprocal", [math.sqrt(math.add(variance, epsilon))]);

/** Normalizes by the mean and variance over axes. */
export function normalized(math: GraphMath, x: Value, axes: readonly number[], epsilon: number): Normalized {
  const centred = math.sub(x, math.mean(x, axes, true));
  const s = inverseDeviation(math, math.mean(math.mul(centred, centred), axes, true), epsilon);
  return { h: math.mul(centred, s), s };
}

/**
 * The way back, mean and variance moving with x: dx = s (dh - mean(dh) - h mean(dh h)).
 *
 * - `share` is mean(dh), `pull` is mean(dh h), both with size 1 on the axes.
 */
export function throughNormalized(
  math: GraphMath,
  { h, s }: Normalized,
  dh: Value,
  { share, pull }: { share: Value; pull: Value },
): Value {
  return math.mul(math.sub(math.sub(dh, share), math.mul(h, pull)), s);
}
