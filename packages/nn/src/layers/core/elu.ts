import { numberWhere } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `elu`. */
export const eluKind = defineLayer({
  type: "elu",
  fields: { alpha: numberWhere("a number from 0", (value) => value >= 0, 1) },
  mask: "passes",
  outputShape: (_, input) => input,
  build: ({ alpha }, { math }, input) => ({ ...input, value: math.builder.op("Elu", [input.value], { alpha }) }),
});

/**
 * x where it is positive, `alpha * (exp(x) - 1)` elsewhere. Shapes: as it enters.
 *
 * - Defaults: `alpha` 1.
 * - ONNX: Elu. Source: Clevert, Unterthiner and Hochreiter 2015, arXiv:1511.07289.
 */
export const elu = (options: { readonly alpha?: number } & CommonOptions = {}): Layer => eluKind.make({ ...options });
