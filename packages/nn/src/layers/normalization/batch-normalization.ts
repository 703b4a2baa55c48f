import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { fraction, positive } from "../../schema/field.ts";
import { alongSteps, axisField, keptAxis, sampleAxis } from "../core/axis.ts";
import { besideFeatures } from "../core/storage.ts";
import { defineLayer } from "../define-layer.ts";
import { type Features, toPlain } from "../features.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { knownSize } from "../shape.ts";
import type { Storage } from "../storage.ts";
import { applyGain, type GainOptions, gainFields, gainParameters } from "./gain.ts";
import { type Moments, momentsOf } from "./moments.ts";

/** The table's entry of `batchNormalization`. */
export const batchNormalizationKind = defineLayer({
  type: "batchNormalization",
  fields: {
    axis: axisField(-1),
    momentum: fraction(0.99),
    epsilon: positive(1e-3),
    ...gainFields,
    movingMeanInitializer: initializerField("zeros"),
    movingVarianceInitializer: initializerField("ones"),
  },
  mask: "reads",
  outputShape({ axis }, input, where) {
    knownSize(input, sampleAxis(axis, input, where), where);
    return input;
  },
  parameters(config, input) {
    const { axis, movingMeanInitializer, movingVarianceInitializer } = config;
    const shape = [knownSize(input, sampleAxis(axis, input, "batchNormalization"), "batchNormalization")];
    return [
      ...gainParameters(config, shape),
      { name: "moving_mean", shape, initializer: movingMeanInitializer, role: "statistic" },
      { name: "moving_variance", shape, initializer: movingVarianceInitializer, role: "statistic" },
    ];
  },
  build({ axis, momentum, epsilon, center, scale }, scope, input) {
    const { math } = scope;
    const { features, along, storage } = arranged(math, input, axis, scope.path);
    const gamma = scale ? scope.weight("gamma", storage) : undefined;
    const beta = center ? scope.weight("beta", storage) : undefined;
    const moving = { mean: scope.weight("moving_mean", storage), variance: scope.weight("moving_variance", storage) };
    if (!scope.training || !scope.trainable)
      return { ...features, value: byMoving(math, features.value, moving, { gamma, beta }, epsilon) };

    const counts = features.mask && alongSteps(math, features.mask, features);
    const folded = features.value.shape.map((_, i) => i).filter((i) => i !== along);
    const batch = momentsOf(math, features.value, folded, counts);
    follow(scope, moving, batch, momentum, storage);
    const factor = inverseDeviation(math, batch.variance, epsilon);
    const scaled = math.mul(batch.centred, gamma === undefined ? factor : math.mul(factor, gamma));
    return { ...features, value: beta === undefined ? scaled : math.add(scaled, beta) };
  },
});

/** Features as they come, the value's axis that is normalized, and weights beside it. */
function arranged(
  math: GraphMath,
  input: Features,
  axis: number,
  where: string,
): { features: Features; along: number; storage: Storage } {
  if (input.layout.kind === "flatChannelsFirst") {
    // each element has its own statistics, so they are kept in the order of the elements
    const { from } = input.layout;
    const order = [from.length - 1, ...from.slice(0, -1).map((_, i) => i)];
    const count = knownSize(input.shape, 0, where);
    return { features: input, along: 1, storage: { view: from, order, stored: [count] } };
  }
  const own = sampleAxis(axis, input.shape, where);
  // without an axis of its own the value is as outside
  const features = input.layout.kind === "plain" ? toPlain(math, input) : input;
  return {
    features,
    along: keptAxis(features.layout, own, features.shape.length),
    storage: besideFeatures(features, [own]),
  };
}

const inverseDeviation = (math: GraphMath, variance: Value, epsilon: number): Value =>
  math.builder.op("Reciprocal", [math.sqrt(math.add(variance, epsilon))]);

/** One product and one sum, which the runtime folds into a convolution before it. */
function byMoving(
  math: GraphMath,
  x: Value,
  { mean, variance }: { mean: Value; variance: Value },
  { gamma, beta }: { gamma: Value | undefined; beta: Value | undefined },
  epsilon: number,
): Value {
  const deviation = inverseDeviation(math, variance, epsilon);
  const factor = gamma === undefined ? deviation : math.mul(deviation, gamma);
  const shift = math.neg(math.mul(mean, factor));
  return applyGain(math, x, factor, beta === undefined ? shift : math.add(shift, beta));
}

/** The moving statistics a step nearer to those of the batch. */
function follow(
  scope: LayerScope,
  moving: { readonly mean: Value; readonly variance: Value },
  batch: Moments,
  momentum: number,
  { stored }: Storage,
): void {
  const { math } = scope;
  const next = (before: Value, now: Value): Value =>
    math.add(math.mul(before, momentum), math.mul(math.reshape(now, stored), 1 - momentum));
  scope.update("moving_mean", next(moving.mean, batch.mean));
  scope.update("moving_variance", next(moving.variance, batch.variance));
}

/** Settings of `batchNormalization`. */
export interface BatchNormalizationOptions extends GainOptions {
  /** The axis whose places have statistics of their own: -1, the channels; 1 is the first behind the batch. */
  readonly axis?: number;
  /** Share of the moving statistics that a step keeps. */
  readonly momentum?: number;
  /** Added to the variance, so in units of x². */
  readonly epsilon?: number;
  readonly movingMeanInitializer?: InitializerOption;
  readonly movingVarianceInitializer?: InitializerOption;
}

/**
 * `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, for each place of one axis.
 *
 * - Shapes: as it enters; gamma, beta, moving_mean, moving_variance [size of the axis].
 * - Defaults: `axis` -1, `momentum` 0.99, `epsilon` 1e-3, `center` and `scale` true, beta and moving_mean zeros, gamma and
 *   moving_variance ones.
 * - Modes: while training, mean and variance (of the population, not the sample) are the batch's, and the moving ones
 *   follow: `moving * momentum + batch * (1 - momentum)`. Outside training, and in a frozen layer, the moving ones count.
 * - Masks: masked steps count in no statistic; the mask is handed on.
 * - ONNX: ReduceMean, Sub, Mul, Sqrt, Reciprocal, Add; served: one Mul and one Add. No transposition after a convolution.
 * - Source: Ioffe and Szegedy 2015, arXiv:1502.03167.
 */
export const batchNormalization = (options: BatchNormalizationOptions = {}): Layer =>
  batchNormalizationKind.make({ ...options });
