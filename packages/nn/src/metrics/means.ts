/** @file Metrics that are the mean of one number per answer: losses read as metrics, and what is made of them. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { binaryCrossentropy as binaryLoss } from "../losses/binary-crossentropy.ts";
import { categoricalCrossentropy as categoricalLoss } from "../losses/categorical-crossentropy.ts";
import { cosine } from "../losses/cosine-similarity.ts";
import { klDivergence as klLoss, poisson as poissonLoss } from "../losses/distributions.ts";
import {
  categoricalHinge as categoricalHingeLoss,
  hinge as hingeLoss,
  squaredHinge as squaredHingeLoss,
} from "../losses/hinge.ts";
import { type Loss, lastMean } from "../losses/loss.ts";
import {
  meanAbsoluteError as absoluteLoss,
  meanSquaredLogarithmicError as logarithmicLoss,
  meanAbsolutePercentageError as percentageLoss,
} from "../losses/mean-errors.ts";
import { meanSquaredError as squaredLoss } from "../losses/mean-squared-error.ts";
import { logCosh } from "../losses/robust-errors.ts";
import { sparseCategoricalCrossentropy as sparseLoss } from "../losses/sparse-categorical-crossentropy.ts";
import type { Fields } from "../schema/field.ts";
import { defineKind, type Maker, makerOf } from "../schema/kind.ts";
import { isSparse } from "./classes.ts";
import { type MeanOptions, type Metric, meanMetric } from "./metric.ts";

const meanOf = (loss: Loss, options: MeanOptions = {}): Metric =>
  meanMetric((observed) => loss.perAnswer(observed), {
    only: loss.counted,
    ...options,
  });

/** A loss as a metric: its settings are the same, its value the mean over all answers. */
const ofLoss = <F extends Fields>(loss: Maker<F, Loss>): Maker<F, Metric> =>
  makerOf<F, Metric>({
    type: loss.type,
    fields: loss.fields,
    parse(settings, where, problems) {
      const made = loss.parse(settings, where, problems);
      return made && { spec: made.spec, value: meanOf(made.value) };
    },
  });

/** The mean of `(output - target)²`. */
export const meanSquaredError = ofLoss(squaredLoss);
/** The mean of `|output - target|`. */
export const meanAbsoluteError = ofLoss(absoluteLoss);
/** The mean of `100 |output - target| / |target|`. */
export const meanAbsolutePercentageError = ofLoss(percentageLoss);
/** The mean of `(log(1 + output) - log(1 + target))²`. */
export const meanSquaredLogarithmicError = ofLoss(logarithmicLoss);
/** The mean of `output - target log(output)`. */
export const poisson = ofLoss(poissonLoss);
/** The mean of `sum(target log(target / output))`. */
export const klDivergence = ofLoss(klLoss);
/** The mean of `max(1 - target output, 0)`. */
export const hinge = ofLoss(hingeLoss);
/** The mean of `max(1 - target output, 0)²`. */
export const squaredHinge = ofLoss(squaredHingeLoss);
/** The mean of what the loss of this name says. */
export const categoricalHinge = ofLoss(categoricalHingeLoss);
/** The mean cross-entropy of yes-or-no answers, without weights of samples. */
export const binaryCrossentropy = ofLoss(binaryLoss);
/** The mean cross-entropy with shares of classes, without weights of samples. */
export const categoricalCrossentropy = ofLoss(categoricalLoss);
/** The mean cross-entropy with labels, without weights of samples. */
export const sparseCategoricalCrossentropy = ofLoss(sparseLoss);

/** The mean of `log(cosh(output - target))`. */
export const logCoshError = defineKind("logCoshError", {}, () => meanOf(logCosh().value));

/** The root of the mean of `(output - target)²`, in the target's units. */
export const rootMeanSquaredError = defineKind("rootMeanSquaredError", {}, () =>
  meanOf(squaredLoss().value, { read: Math.sqrt }),
);

/** The mean cosine of the angle between output and target: 1 where they point the same way. */
export const cosineSimilarity = defineKind("cosineSimilarity", {}, () =>
  meanMetric(({ math, output, target }) => cosine(math, output, target)),
);

/**
 * exp of the mean cross-entropy: how many classes, all equally likely, would be as hard to tell apart.
 * Targets labels or one-hot; outputs probabilities, or after a softmax.
 */
export const perplexity = defineKind("perplexity", {}, () => {
  const [sparse, shares] = [sparseLoss().value, categoricalLoss().value];
  return meanMetric((observed) => (isSparse(observed) ? sparse : shares).perAnswer(observed), { read: Math.exp });
});

/** The mean of the output itself. */
export const mean = defineKind("mean", {}, () => meanMetric(({ math, output }) => lastMean(math, output)));

/** Differences from the mean of the last axis. */
const centered = (math: GraphMath, value: Value): Value =>
  math.sub(value, math.mean(value, [value.shape.length - 1], true));

/** Pearson's correlation of output and target along the last axis, the mean over answers. 0 where one of them is constant. */
export const pearsonCorrelation = defineKind("pearsonCorrelation", {}, () =>
  meanMetric(({ math, output, target }) => cosine(math, centered(math, output), centered(math, target))),
);

/**
 * Lin's concordance of output and target along the last axis, `2 cov / (var + var + (difference of means)²)`, the mean over
 * answers: a correlation that a shift or another scale lowers.
 */
export const concordanceCorrelation = defineKind("concordanceCorrelation", {}, () =>
  meanMetric(({ math, output, target }) => {
    const [p, t] = [centered(math, output), centered(math, target)];
    const shift = math.sub(lastMean(math, output), lastMean(math, target));
    const spread = math.add(lastMean(math, math.mul(p, p)), lastMean(math, math.mul(t, t)));
    const covariance = lastMean(math, math.mul(p, t));
    return math.div(math.mul(covariance, 2), math.add(spread, math.mul(shift, shift)));
  }),
);
