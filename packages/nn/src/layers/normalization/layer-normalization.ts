import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { positive } from "../../schema/field.ts";
import { axesField, keptAxis, sampleAxes } from "../core/axis.ts";
import { besideFeatures } from "../core/storage.ts";
import { defineLayer } from "../define-layer.ts";
import { type Features, toPlain } from "../features.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { knownShape, type SampleShape } from "../shape.ts";
import { applyGain, type GainOptions, gainFields, gainParameters } from "./gain.ts";
import { momentsOf } from "./moments.ts";
import { standardize } from "./standardize.ts";

/** Sizes of the normalized axes. */
const sizesOf = (axes: readonly number[], input: SampleShape, where: string): readonly number[] =>
  knownShape(
    sampleAxes(axes, input, where).map((axis) => input[axis] ?? null),
    where,
  );

/** The table's entry of `layerNormalization`. */
export const layerNormalizationKind = defineLayer({
  type: "layerNormalization",
  fields: { axis: axesField([-1]), epsilon: positive(1e-3), ...gainFields },
  mask: "passes",
  outputShape({ axis }, input, where) {
    sizesOf(axis, input, where);
    return input;
  },
  parameters: (config, input) => gainParameters(config, sizesOf(config.axis, input, "layerNormalization")),
  build({ axis, epsilon, center, scale }, scope, input) {
    const { math, path } = scope;
    const axes = sampleAxes(axis, input.shape, path);
    const isTrailing = axes.every((own, i) => own === input.shape.length - axes.length + i);
    const features = input.layout.kind === "channelsFirst" ? input : toPlain(math, input);
    if (!isTrailing || features.layout.kind !== "plain")
      return byReductions(scope, features, axes, { epsilon, center, scale });
    const sizes = sizesOf(axis, input.shape, path);
    const value = standardize(math, features.value, sizes, {
      epsilon,
      gamma: scale ? scope.weight("gamma") : undefined,
      beta: center ? scope.weight("beta") : undefined,
      training: scope.training,
    });
    return { ...features, value };
  },
});

/** Any axes, in the layout that comes: images behind a convolution are not transposed. */
function byReductions(
  scope: LayerScope,
  features: Features,
  axes: readonly number[],
  { epsilon, center, scale }: { epsilon: number; center: boolean; scale: boolean },
): Features {
  const { math } = scope;
  const kept = axes.map((axis) => keptAxis(features.layout, axis, features.shape.length));
  const storage = besideFeatures(features, axes);
  const gamma = scale ? scope.weight("gamma", storage) : undefined;
  const beta = center ? scope.weight("beta", storage) : undefined;
  return { ...features, value: applyGain(math, normalized(math, features.value, kept, epsilon), gamma, beta) };
}

function normalized(math: GraphMath, x: Value, axes: readonly number[], epsilon: number): Value {
  const { variance, centred } = momentsOf(math, x, axes);
  return math.mul(centred, math.builder.op("Reciprocal", [math.sqrt(math.add(variance, epsilon))]));
}

/** Settings of `layerNormalization`. */
export interface LayerNormalizationOptions extends GainOptions {
  /** The axis that is normalized, or several: -1, the last; 1 is the first behind the batch. */
  readonly axis?: number | readonly number[];
  /** Added to the variance, so in units of x². */
  readonly epsilon?: number;
}

/**
 * `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, each sample (each step of a sequence) by itself.
 *
 * - Shapes: as it enters; gamma and beta have the sizes of the normalized axes, in rising order.
 * - Defaults: `axis` -1, `epsilon` 1e-3, `center` and `scale` true, gamma ones, beta zeros.
 * - Masks: handed on.
 * - ONNX: LayerNormalization over the last axes; ReduceMean, Sub, Mul, Sqrt, Reciprocal over others.
 * - Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450.
 */
export const layerNormalization = (options: LayerNormalizationOptions = {}): Layer =>
  layerNormalizationKind.make({ ...options });
