import { positive } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownSize } from "../shape.ts";
import { sequenceShape } from "./sequence.ts";
import { sineTable } from "./sine-table.ts";

/** The table's entry of `sinusoidalPositions`. */
export const sinusoidalPositionsKind = defineLayer({
  type: "sinusoidalPositions",
  fields: { maxWavelength: positive(10_000) },
  mask: "passes",
  outputShape: (_, input, where) => sequenceShape(input, where),
  build({ maxWavelength }, { math, path }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(math.add(value, sineTable(math, value, knownSize(shape, -1, path), maxWavelength)), shape);
  },
});

/**
 * Adds to each step of a sequence its position, as sines and cosines.
 *
 * - Shapes: x [batch, steps, width] → y the same: x[t, 2i] + sin(t · f^i), x[t, 2i + 1] + cos(t · f^i), f^i =
 *   maxWavelength^(-2i / width).
 * - Defaults: `maxWavelength` 10000. Masks: handed on.
 * - ONNX: Range, Mul, Sin, Cos (once, when the graph is loaded), Add.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
 */
export const sinusoidalPositions = (options: { readonly maxWavelength?: number } & CommonOptions = {}): Layer =>
  sinusoidalPositionsKind.make({ ...options });
