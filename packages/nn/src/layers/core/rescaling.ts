import { anyNumber } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `rescaling`. */
export const rescalingKind = defineLayer({
  type: "rescaling",
  fields: { scale: anyNumber(), offset: anyNumber(0) },
  mask: "passes",
  outputShape: (_, input) => input,
  build({ scale, offset }, { math }, input) {
    const scaled = scale === 1 ? input.value : math.mul(input.value, scale);
    return { ...input, value: offset === 0 ? scaled : math.add(scaled, offset) };
  },
});

/**
 * `y = x * scale + offset`, such as pixels from [0, 255] to [-1, 1] by scale 1 / 127.5 and offset -1. Shapes: as it enters.
 *
 * - Defaults: `offset` 0.
 * - ONNX: Mul, Add.
 */
export const rescaling = (scale: number, options: { readonly offset?: number } & CommonOptions = {}): Layer =>
  rescalingKind.make({ scale, ...options });
