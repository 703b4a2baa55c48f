import { numberWhere } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `leakyRelu`. */
export const leakyReluKind = defineLayer({
  type: "leakyRelu",
  fields: { negativeSlope: numberWhere("a number from 0", (value) => value >= 0, 0.3) },
  mask: "passes",
  outputShape: (_, input) => input,
  build: ({ negativeSlope }, { math }, input) => ({
    ...input,
    value: math.builder.op("LeakyRelu", [input.value], { alpha: negativeSlope }),
  }),
});

/**
 * x where it is positive, `negativeSlope * x` elsewhere. Shapes: as it enters.
 *
 * - Defaults: `negativeSlope` 0.3.
 * - ONNX: LeakyRelu. Source: Maas, Hannun and Ng 2013.
 */
export const leakyRelu = (options: { readonly negativeSlope?: number } & CommonOptions = {}): Layer =>
  leakyReluKind.make({ ...options });
