import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `maximum`. */
export const maximumKind = defineMerge("maximum", ({ builder }, values) => builder.op("Max", values));

/**
 * The largest of its inputs, element by element: `maximum().apply([x, y])`.
 *
 * - Shapes and masks: as those of `add`. Where inputs tie, the first of them gets the gradient.
 * - ONNX: Max.
 */
export const maximum = (options: CommonOptions = {}): Layer => maximumKind.make({ ...options });
