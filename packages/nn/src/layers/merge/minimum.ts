import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `minimum`. */
export const minimumKind = defineMerge("minimum", ({ builder }, values) => builder.op("Min", values));

/**
 * The smallest of its inputs, element by element: `minimum().apply([x, y])`.
 *
 * - Shapes and masks: as those of `add`. Where inputs tie, the first of them gets the gradient.
 * - ONNX: Min.
 */
export const minimum = (options: CommonOptions = {}): Layer => minimumKind.make({ ...options });
