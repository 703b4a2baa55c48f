/** @file Shares of right answers. */
import type { Value } from "@gristmill/onnx";
import { type AccuracyKind, lastMean } from "../losses/loss.ts";
import { atLabels } from "../losses/probabilities.ts";
import { anyNumber, size } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { classCount, saidLabels, trueLabels } from "./classes.ts";
import { type Metric, meanMetric, type Observed } from "./metric.ts";

const rightClass = (observed: Observed): Value =>
  observed.math.cast(observed.math.equal(saidLabels(observed), trueLabels(observed)), "float32");

/** The share of outputs that are above the threshold where the target is 1; logits tell a half by their sign. */
function rightAnswers({ math, logits, output, target }: Observed, threshold: number): Value {
  const isYes =
    threshold === 0.5 && logits?.activation === "sigmoid"
      ? math.greater(logits.value, 0)
      : math.greater(output, threshold);
  return lastMean(math, math.cast(math.equal(math.cast(isYes, "float32"), target), "float32"));
}

const isRight: { readonly [K in AccuracyKind]: (observed: Observed) => Value } = {
  sparseCategorical: rightClass,
  categorical: rightClass,
  binary: (observed) => rightAnswers(observed, 0.5),
};

/**
 * The share of answers that are right; the loss says what right means.
 *
 * - sparseCategorical: the largest output is the label's. categorical: it is where the target is largest.
 *   binary: each output above 0.5 where the target is 1.
 * - Looks at the logits where there are any: softmax and sigmoid keep the order.
 * - ONNX: ArgMax, Equal, Cast.
 */
export const accuracy = defineKind(
  "accuracy",
  {},
  (): Metric => meanMetric((observed) => isRight[observed.kind](observed)),
);

/** The share of outputs that are above `threshold` (0.5) where the target is 1, and not where it is 0. */
export const binaryAccuracy = defineKind("binaryAccuracy", { threshold: anyNumber(0.5) }, ({ threshold }) =>
  meanMetric((observed) => rightAnswers(observed, threshold)),
);

const classAccuracy = (type: string) =>
  defineKind(
    type,
    {},
    (): Metric =>
      meanMetric((observed) => {
        classCount(observed, type);
        return rightClass(observed);
      }),
  );

/** The share of answers whose largest output is where the target is largest; labels are taken as one-hot. */
export const categoricalAccuracy = classAccuracy("categoricalAccuracy");

/** The share of answers whose largest output is the label's; one-hot targets are taken as labels. */
export const sparseCategoricalAccuracy = classAccuracy("sparseCategoricalAccuracy");

/** 1 where fewer than k outputs exceed that of the true class, so that ties are in; NaN is never right. */
function withinBest(observed: Observed, k: number): Value {
  const { math, output } = observed;
  const own = atLabels(math, output, trueLabels(observed)); // [batch, ...]
  const column = math.builder.op("Unsqueeze", [own, math.builder.ints(own.shape.length)]);
  const above = math.sum(math.cast(math.greater(output, column), "float32"), [own.shape.length]);
  const isNumber = math.builder.op("Not", [math.builder.op("IsNaN", [own])]);
  return math.cast(math.builder.op("And", [math.less(above, k), isNumber]), "float32");
}

const bestAccuracy = (type: string) =>
  defineKind(type, { k: size(5) }, ({ k }) =>
    meanMetric((observed) => {
      classCount(observed, type);
      return withinBest(observed, k);
    }),
  );

/** The share of answers whose true class is among the `k` (5) largest outputs. Ties with the last of them are in. */
export const topKCategoricalAccuracy = bestAccuracy("topKCategoricalAccuracy");

/** As topKCategoricalAccuracy, for labels. */
export const sparseTopKCategoricalAccuracy = bestAccuracy("sparseTopKCategoricalAccuracy");
