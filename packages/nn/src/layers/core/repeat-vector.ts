import { ShapeError } from "@gristmill/onnx";
import { size } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, knownSize } from "../shape.ts";

/** The table's entry of `repeatVector`. */
export const repeatVectorKind = defineLayer({
  type: "repeatVector",
  fields: { n: size() },
  outputShape({ n }, input, where) {
    if (input.length !== 1)
      throw new ShapeError(
        where,
        `expected samples of one axis, received ${formatSample(input)}; flatten() them first`,
      );
    return [n, knownSize(input, 0, where)];
  },
  build({ n }, { math }, input) {
    const { builder } = math;
    const { value, shape } = toPlain(math, input);
    const row = builder.op("Unsqueeze", [value, builder.ints(1)]); // [batch, 1, features]
    return plain(builder.op("Expand", [row, builder.ints(1, n, 1)]), [n, ...shape]);
  },
});

/**
 * A vector as a sequence of `n` equal steps: x [batch, features] → y [batch, n, features].
 *
 * - ONNX: Unsqueeze, Expand.
 */
export const repeatVector = (n: number, options: CommonOptions = {}): Layer => repeatVectorKind.make({ n, ...options });
