import { positive } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownSize } from "../shape.ts";
import { overBatch, sequenceShape } from "./sequence.ts";
import { sineTable } from "./sine-table.ts";

/** The table's entry of `sinePositionEncoding`. */
export const sinePositionEncodingKind = defineLayer({
  type: "sinePositionEncoding",
  fields: { maxWavelength: positive(10_000) },
  mask: "passes",
  outputShape: (_, input, where) => sequenceShape(input, where),
  build({ maxWavelength }, { math, path }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(overBatch(math, sineTable(math, value, knownSize(shape, -1, path), maxWavelength), value), shape);
  },
});

/**
 * The positions of a sequence's steps alone, as sines and cosines: KerasHub's SinePositionEncoding, to be added to x.
 * `sinusoidalPositions` adds them itself.
 *
 * - Shapes: x [batch, steps, width], of which only the sizes count → positions of the same sizes.
 * - Defaults: `maxWavelength` 10000. Masks: handed on.
 * - ONNX: Range, Mul, Sin, Cos (once, when the graph is loaded), Expand.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
 */
export const sinePositionEncoding = (options: { readonly maxWavelength?: number } & CommonOptions = {}): Layer =>
  sinePositionEncodingKind.make({ ...options });
