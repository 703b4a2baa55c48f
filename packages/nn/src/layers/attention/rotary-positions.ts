import { ShapeError } from "@gristmill/onnx";
import { size } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { sequenceShape } from "../embedding/sequence.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, knownSize } from "../shape.ts";
import { exchange } from "./attend.ts";
import { type Rotary, rotaryFields, rotaryTable, rotate } from "./rotary.ts";

/** The table's entry of `rotaryPositions`. */
export const rotaryPositionsKind = defineLayer({
  type: "rotaryPositions",
  fields: { headDim: size(), ...rotaryFields },
  mask: "passes",
  check({ headDim }, where, problems) {
    if (headDim % 2 !== 0)
      problems.add(`${where}.headDim`, `expected an even number, received ${headDim}: pairs are turned`);
  },
  outputShape({ headDim }, input, where) {
    sequenceShape(input, where);
    if (knownSize(input, -1, where) % headDim !== 0)
      throw new ShapeError(where, `expected a width that headDim ${headDim} divides, received ${formatSample(input)}`);
    return input;
  },
  build({ headDim, ...rotary }, { math, path }, input) {
    const { value, shape } = toPlain(math, input);
    const width = knownSize(shape, -1, path);
    const heads = exchange(math, math.reshape(value, [0, 0, width / headDim, headDim])); // [batch, heads, steps, headDim]
    const turned = exchange(
      math,
      rotate(math, heads, headDim, rotaryTable(math, value, headDim, rotary), rotary.interleaved),
    );
    return plain(math.reshape(turned, [0, 0, width]), shape);
  },
});

/**
 * Turns the pairs of numbers of each head by angles that grow with the step, so that products of two steps depend on
 * how far they are apart alone. Attention does it to its queries and keys by its setting `rotary`.
 *
 * - Shapes: x [batch, steps, width] → y the same; `headDim` is even and divides the width.
 * - Defaults: `base` 10000, `scaling` 1, `interleaved` false (number i is paired with i + headDim / 2). Masks: handed on.
 * - ONNX: Range, Mul, Sin, Cos (once, when the graph is loaded), Slice, Mul, Add, Sub, Concat.
 * - Source: Su et al. 2021, arXiv:2104.09864; scaling: Chen et al. 2023, arXiv:2306.15595.
 */
export const rotaryPositions = (headDim: number, options: Partial<Rotary> & CommonOptions = {}): Layer =>
  rotaryPositionsKind.make({ headDim, ...options });
