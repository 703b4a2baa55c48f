import { defineLayer } from "../define-layer.ts";
import { toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { alongSteps, axisField, keptAxis, sampleAxis } from "./axis.ts";

/** Far below any score, and far from where float32 ends: what exp makes 0 of. */
const farBelow = -1e9;

/** The table's entry of `softmax`. */
export const softmaxKind = defineLayer({
  type: "softmax",
  fields: { axis: axisField(-1) },
  mask: "reads",
  outputShape({ axis }, input, where) {
    sampleAxis(axis, input, where);
    return input;
  },
  build({ axis }, scope, input) {
    const { math, path } = scope;
    const features = toPlain(math, input);
    const along = sampleAxis(axis, features.shape, path);
    const counts = along === 0 && features.mask ? alongSteps(math, features.mask, features) : undefined;
    const x = counts === undefined ? features.value : math.where(counts, features.value, farBelow);
    const y = math.builder.op("Softmax", [x], { axis: keptAxis(features.layout, along, features.shape.length) });
    // where no step counts, all were equally far below
    return { ...features, value: counts === undefined ? y : math.mul(y, math.cast(counts, y.dtype)) };
  },
});

/**
 * `exp(x) / sum(exp(x))` along an axis.
 *
 * - Shapes: as it enters.
 * - Defaults: `axis` -1, the last; 1 is the first behind the batch.
 * - Masks: along the steps of a sequence, masked steps get 0; the mask is handed on.
 * - ONNX: Softmax.
 */
export const softmax = (options: { readonly axis?: number } & CommonOptions = {}): Layer =>
  softmaxKind.make({ ...options });
