import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `average`. */
export const averageKind = defineMerge("average", (math, values) =>
  math.mul(
    values.reduce((sum, value) => math.add(sum, value)),
    1 / values.length,
  ),
);

/**
 * The mean of its inputs, element by element: `average().apply([x, y])`.
 *
 * - Shapes and masks: as those of `add`.
 * - ONNX: Add, Mul.
 */
export const average = (options: CommonOptions = {}): Layer => averageKind.make({ ...options });
