import type { Value } from "@gristmill/onnx";
import { type AccuracyKind, lastMean, type Prediction } from "../losses/loss.ts";
import { defineKind } from "../schema/kind.ts";
import { type Metric, meanMetric } from "./metric.ts";

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
  (): Metric =>
    meanMetric((observed) => {
      const right = observed.math.cast(isRight[observed.kind](observed), "float32");
      return observed.kind === "binary" ? lastMean(observed.math, right) : right;
    }),
);

const best = ({ math }: Prediction, value: Value): Value =>
  math.builder.op("ArgMax", [value], { axis: -1, keepdims: 0 });

const scores = (prediction: Prediction): Value =>
  prediction.logits?.activation === "softmax" ? prediction.logits.value : prediction.output;

const isRight: { readonly [K in AccuracyKind]: (prediction: Prediction) => Value } = {
  sparseCategorical: (p) => p.math.equal(best(p, scores(p)), p.math.cast(p.target, "int64")),
  categorical: (p) => p.math.equal(best(p, scores(p)), best(p, p.target)),
  binary(p) {
    const isYes =
      p.logits?.activation === "sigmoid" ? p.math.greater(p.logits.value, 0) : p.math.greater(p.output, 0.5);
    return p.math.equal(p.math.cast(isYes, "float32"), p.target);
  },
};
