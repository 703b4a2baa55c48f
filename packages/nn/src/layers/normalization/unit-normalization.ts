import { axesField, keptAxis, sampleAxes } from "../core/axis.ts";
import { defineLayer } from "../define-layer.ts";
import { toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { unitLength } from "./unit-length.ts";

/** The table's entry of `unitNormalization`. */
export const unitNormalizationKind = defineLayer({
  type: "unitNormalization",
  fields: { axis: axesField([-1]) },
  mask: "passes",
  outputShape({ axis }, input, where) {
    sampleAxes(axis, input, where);
    return input;
  },
  build({ axis }, { math, path }, input) {
    const features = input.layout.kind === "channelsFirst" ? input : toPlain(math, input);
    const { shape, layout } = features;
    const kept = sampleAxes(axis, shape, path).map((own) => keptAxis(layout, own, shape.length));
    return { ...features, value: unitLength(math, features.value, kept) };
  },
});

/** Settings of `unitNormalization`. */
export interface UnitNormalizationOptions extends CommonOptions {
  /** The axis along which lengths are taken, or several: -1, the last; 1 is the first behind the batch. */
  readonly axis?: number | readonly number[];
}

/**
 * Vectors of length 1: `y = x / sqrt(sum(x²))`, zeros for zeros.
 *
 * - Shapes: as it enters. Defaults: `axis` -1. Masks: handed on.
 * - ONNX: Mul, ReduceSum, Max, Sqrt, Div.
 */
export const unitNormalization = (options: UnitNormalizationOptions = {}): Layer =>
  unitNormalizationKind.make({ ...options });
