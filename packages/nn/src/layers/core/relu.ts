import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { numberWhere } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { optionalNumber } from "./optional-number.ts";

const fromZero = numberWhere("a number from 0", (value) => value >= 0, 0);

/** The table's entry of `relu`. */
export const reluKind = defineLayer({
  type: "relu",
  fields: {
    maxValue: optionalNumber("a number from 0", (value) => value >= 0),
    negativeSlope: fromZero,
    threshold: fromZero,
  },
  mask: "passes",
  outputShape: (_, input) => input,
  build: ({ maxValue, negativeSlope, threshold }, { math }, input) => {
    const { builder } = math;
    const x = input.value;
    const open = threshold === 0 ? builder.op("Relu", [x]) : math.where(math.greater(x, threshold), x, 0);
    const above = maxValue === null ? open : builder.op("Min", [open, math.scalar(maxValue, x)]);
    return {
      ...input,
      value: negativeSlope === 0 ? above : math.add(above, below(math, x, negativeSlope, threshold)),
    };
  },
});

/** slope * (x - threshold) where that is negative, else 0 */
const below = (math: GraphMath, x: Value, slope: number, threshold: number): Value => {
  const distance = threshold === 0 ? x : math.sub(x, threshold);
  return math.mul(math.builder.op("Min", [distance, math.scalar(0, x)]), slope);
};

/** Settings of `relu`. */
export interface ReluOptions extends CommonOptions {
  /** Largest answer; null for none. */
  readonly maxValue?: number | null;
  readonly negativeSlope?: number;
  readonly threshold?: number;
}

/**
 * Rectifier: x above `threshold` and at most `maxValue`, `negativeSlope * (x - threshold)` below. Shapes: as it enters.
 *
 * - Defaults: `maxValue` null (none), `negativeSlope` 0, `threshold` 0: `max(x, 0)`.
 * - ONNX: Relu; with settings Where, Min, Mul, Add.
 */
export const relu = (options: ReluOptions = {}): Layer => reluKind.make({ ...options });
