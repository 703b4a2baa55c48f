import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `subtract`. */
export const subtractKind = defineMerge(
  "subtract",
  (math, values) => values.reduce((rest, value) => math.sub(rest, value)),
  2,
);

/**
 * The first of two inputs less the second: `subtract().apply([x, y])`.
 *
 * - Shapes and masks: as those of `add`.
 * - ONNX: Sub.
 */
export const subtract = (options: CommonOptions = {}): Layer => subtractKind.make({ ...options });
