import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { initializerField } from "../../initializers/field.ts";
import { positive } from "../../schema/field.ts";
import { axesField, keptAxis, sampleAxes } from "../core/axis.ts";
import { besideFeatures } from "../core/storage.ts";
import { defineLayer } from "../define-layer.ts";
import { toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownShape, type SampleShape } from "../shape.ts";

const sizesOf = (axes: readonly number[], input: SampleShape, where: string): readonly number[] =>
  knownShape(
    sampleAxes(axes, input, where).map((axis) => input[axis] ?? null),
    where,
  );

/** The table's entry of `rmsNormalization`. */
export const rmsNormalizationKind = defineLayer({
  type: "rmsNormalization",
  fields: {
    axis: axesField([-1]),
    epsilon: positive(1e-6),
    scaleInitializer: initializerField("ones"),
  },
  mask: "passes",
  outputShape({ axis }, input, where) {
    sizesOf(axis, input, where);
    return input;
  },
  parameters: ({ axis, scaleInitializer }, input) => [
    { name: "scale", shape: sizesOf(axis, input, "rmsNormalization"), initializer: scaleInitializer },
  ],
  build({ axis, epsilon }, { math, path, weight }, input) {
    const features = input.layout.kind === "channelsFirst" ? input : toPlain(math, input);
    const { shape, layout } = features;
    const axes = sampleAxes(axis, shape, path);
    const kept = axes.map((own) => keptAxis(layout, own, shape.length));
    const scale = weight("scale", besideFeatures(features, axes));
    return { ...features, value: math.mul(byRootMeanSquare(math, features.value, kept, epsilon), scale) };
  },
});

/** The product with a reciprocal of one number a row, not a quotient: dividing every element takes three times as long. */
function byRootMeanSquare(math: GraphMath, x: Value, axes: readonly number[], epsilon: number): Value {
  const meanSquare = math.mean(math.mul(x, x), axes, true);
  return math.mul(x, math.builder.op("Reciprocal", [math.sqrt(math.add(meanSquare, epsilon))]));
}

/** Settings of `rmsNormalization`. */
export interface RmsNormalizationOptions extends CommonOptions {
  /** The axis that is normalized, or several: -1, the last; 1 is the first behind the batch. */
  readonly axis?: number | readonly number[];
  /** Added to the mean square, so in units of x². */
  readonly epsilon?: number;
}

/**
 * Root-mean-square normalization: `y = x / sqrt(mean(x²) + epsilon) * scale`.
 *
 * - Shapes: as it enters; scale has the sizes of the normalized axes, in rising order.
 * - Defaults: `axis` -1, `epsilon` 1e-6, scale ones.
 * - Masks: handed on.
 * - ONNX: Mul, ReduceMean, Add, Sqrt, Reciprocal, Mul.
 * - Source: Zhang and Sennrich 2019, arXiv:1910.07467. `epsilon` is Keras': the paper has none.
 */
export const rmsNormalization = (options: RmsNormalizationOptions = {}): Layer =>
  rmsNormalizationKind.make({ ...options });
