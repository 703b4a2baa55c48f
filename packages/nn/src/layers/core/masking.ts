import { ShapeError } from "@gristmill/onnx";
import { anyNumber } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample } from "../shape.ts";

/** The table's entry of `masking`. */
export const maskingKind = defineLayer({
  type: "masking",
  fields: { maskValue: anyNumber(0) },
  mask: "reads",
  outputShape(_, input, where) {
    if (input.length !== 2)
      throw new ShapeError(where, `expected samples of [steps, features], received ${formatSample(input)}`);
    return input;
  },
  build({ maskValue }, { math }, input) {
    const { builder } = math;
    const { value, shape, mask: before } = toPlain(math, input);
    const differs = builder.op("Not", [math.equal(value, maskValue)]);
    // 1 where any feature of the step differs: [batch, steps, 1]
    const kept = builder.op("ReduceMax", [math.cast(differs, value.dtype), builder.ints(-1)], { keepdims: 1 });
    const own = math.cast(builder.op("Squeeze", [kept, builder.ints(-1)]), "bool");
    const mask = before === undefined ? own : builder.op("And", [before, own]);
    return plain(math.mul(value, kept), shape, mask);
  },
});

/**
 * Masks the steps of a sequence whose every feature is `maskValue`: layers that read masks skip them.
 *
 * - Shapes: x [batch, steps, features] → y the same, masked steps set to 0; mask [batch, steps].
 * - Defaults: `maskValue` 0. A step that was masked before stays so (Keras forgets the earlier mask).
 * - ONNX: Equal, Not, ReduceMax, Mul.
 */
export const masking = (options: { readonly maskValue?: number } & CommonOptions = {}): Layer =>
  maskingKind.make({ ...options });
