import { defineKind } from "../schema/kind.ts";
import { type Loss, lastSum, likelyLikeOutput } from "./loss.ts";
import { classesOf, logProbabilities, probabilityFields, smoothedClasses } from "./probabilities.ts";

/**
 * Cross-entropy with probabilities: `-sum(target * log(output))`.
 *
 * - Shapes: output and target [batch, ..., classes]; target rows sum to 1 (one-hot, or soft).
 * - Defaults: `fromLogits` false, `labelSmoothing` 0 (the share of each target that is spread evenly over the classes).
 * - After a softmax, or with `fromLogits`, it works on the logits.
 * - ONNX: LogSoftmax, Mul, ReduceSum, Neg.
 */
export const categoricalCrossentropy = defineKind(
  "categoricalCrossentropy",
  probabilityFields,
  ({ fromLogits, labelSmoothing }): Loss => ({
    target(outputShape) {
      classesOf("categoricalCrossentropy", outputShape);
      return likelyLikeOutput(outputShape);
    },
    perAnswer(prediction) {
      const { math } = prediction;
      const logs = logProbabilities(prediction, fromLogits);
      const target = smoothedClasses(math, prediction.target, labelSmoothing, Number(logs.shape.at(-1)));
      return math.neg(lastSum(math, math.mul(target, logs)));
    },
    accuracy: () => "categorical",
  }),
);
