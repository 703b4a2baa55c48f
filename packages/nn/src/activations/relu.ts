/** @file Rectifiers: x above 0, nothing or little below. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { anyNumber, numberWhere, optional, positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

const slope = (fallback: number) => numberWhere("a number from 0", (value) => value >= 0, fallback);

const rectified = (math: GraphMath, x: Value, slopeBelow: number, threshold: number): Value => {
  if (threshold !== 0) {
    const below = math.mul(math.sub(x, threshold), slopeBelow);
    return math.where(math.builder.op("GreaterOrEqual", [x, math.scalar(threshold, x)]), x, below);
  }
  return slopeBelow === 0 ? math.builder.op("Relu", [x]) : math.builder.op("LeakyRelu", [x], { alpha: slopeBelow });
};

/**
 * y = max(x, 0); in general `maxValue` at most, x from `threshold` on, `negativeSlope * (x - threshold)` below it.
 *
 * - Defaults: `negativeSlope` 0, `maxValue` null (no limit), `threshold` 0.
 * - ONNX: Relu; with settings LeakyRelu or Where, and Min.
 */
export const relu = defineKind(
  "relu",
  { negativeSlope: slope(0), maxValue: optional(positive()), threshold: anyNumber(0) },
  ({ negativeSlope, maxValue, threshold }) =>
    elementwise((math, x) => {
      const open = rectified(math, x, negativeSlope, threshold);
      return maxValue === null ? open : math.builder.op("Min", [open, math.scalar(maxValue, x)]);
    }),
);

/** y = min(max(x, 0), 6). ONNX: Relu, Min. Source: Howard and others 2017, arXiv:1704.04861. */
export const relu6 = defineKind("relu6", {}, () =>
  elementwise((math, x) => math.builder.op("Min", [math.builder.op("Relu", [x]), math.scalar(6, x)])),
);

/** y = x above 0, `negativeSlope * x` below (0.2). ONNX: LeakyRelu. */
export const leakyRelu = defineKind("leakyRelu", { negativeSlope: slope(0.2) }, ({ negativeSlope }) =>
  elementwise(({ builder }, x) => builder.op("LeakyRelu", [x], { alpha: negativeSlope })),
);

/** y = x above `threshold`, else `defaultValue`; both required. ONNX: LessOrEqual, Where. */
export const threshold = defineKind(
  "threshold",
  { threshold: anyNumber(), defaultValue: anyNumber() },
  ({ threshold, defaultValue }) =>
    elementwise((math, x) => {
      const isLow = math.builder.op("LessOrEqual", [x, math.scalar(threshold, x)]);
      return math.where(isLow, defaultValue, x); // NaN stays NaN
    }),
);
