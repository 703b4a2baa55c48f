import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `multiply`. */
export const multiplyKind = defineMerge("multiply", (math, values) =>
  values.reduce((product, value) => math.mul(product, value)),
);

/**
 * The product of its inputs, element by element: `multiply().apply([x, gate])`.
 *
 * - Shapes and masks: as those of `add`; a gate [batch, channels] works on images [batch, height, width, channels].
 * - ONNX: Mul.
 */
export const multiply = (options: CommonOptions = {}): Layer => multiplyKind.make({ ...options });
