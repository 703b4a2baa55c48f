import type { Value } from "@gristmill/onnx";
import { defineKind } from "../schema/kind.ts";
import { clipped, type Loss, lastMean, likelyLikeOutput, type Prediction } from "./loss.ts";
import { logitsBehind, probabilityFields, smoothedChances } from "./probabilities.ts";

/**
 * Cross-entropy of yes-or-no answers: `-(t log(p) + (1 - t) log(1 - p))`, mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]; targets from 0 to 1.
 * - Defaults: `fromLogits` false, `labelSmoothing` 0 (the share by which targets are moved toward 1/2).
 * - After a sigmoid, or with `fromLogits`, it works on the logits: `softplus(x) - x t`. Written with max and |x|, as often,
 *   its gradient would be wrong at x = 0, where training starts.
 * - ONNX: Softplus, Mul, Sub, ReduceMean.
 */
export const binaryCrossentropy = defineKind(
  "binaryCrossentropy",
  probabilityFields,
  ({ fromLogits, labelSmoothing }): Loss => ({
    target: likelyLikeOutput,
    perAnswer(prediction) {
      const target = smoothedChances(prediction.math, prediction.target, labelSmoothing);
      return lastMean(prediction.math, entropies({ ...prediction, target }, fromLogits));
    },
    accuracy: () => "binary",
  }),
);

/** Cross-entropy of each yes-or-no answer, [batch, ...]. */
export function entropies(prediction: Prediction, fromLogits: boolean): Value {
  const { math, output, target } = prediction;
  const logits = logitsBehind(prediction, "sigmoid", fromLogits);
  if (logits !== undefined) return math.sub(math.builder.op("Softplus", [logits]), math.mul(logits, target));
  const p = clipped(math, output);
  const yes = math.mul(target, math.log(p));
  const no = math.mul(math.sub(1, target), math.log(math.sub(1, p)));
  return math.neg(math.add(yes, no));
}
