/** @file Losses between distributions: of counts, and of shares. */
import { defineKind } from "../schema/kind.ts";
import { elementLoss } from "./element-loss.ts";
import { type Loss, lastSum, likelyLikeOutput, probabilityMargin } from "./loss.ts";
import { logitsBehind } from "./probabilities.ts";

/**
 * `output - target * log(output)`, mean over the outputs: how unlikely counts are under the rates that the output says.
 *
 * - Shapes: output and target [batch, ...], from 0. 1e-7 is added before the logarithm.
 * - ONNX: Add, Log, Mul, Sub, ReduceMean.
 */
export const poisson = defineKind("poisson", {}, () =>
  elementLoss(
    (math, output, target) => math.sub(output, math.mul(target, math.log(math.add(output, probabilityMargin)))),
    [0, Number.POSITIVE_INFINITY],
  ),
);

/**
 * Kullback and Leibler's divergence: `sum(target * log(target / output))`.
 *
 * - Shapes: output and target [batch, ..., classes], rows that add up to 1; both are kept from 1e-7 to 1.
 * - After a softmax it works on the logits.
 * - ONNX: Clip, Log, Sub, Mul, ReduceSum; LogSoftmax.
 */
export const klDivergence = defineKind(
  "klDivergence",
  {},
  (): Loss => ({
    target: likelyLikeOutput,
    perAnswer(prediction) {
      const { math, output } = prediction;
      const { builder } = math;
      const [low, high] = [math.scalar(probabilityMargin, output), math.scalar(1, output)];
      const target = builder.op("Clip", [prediction.target, low, high]);
      const logits = logitsBehind(prediction, "softmax", false);
      const logs =
        logits === undefined
          ? math.log(builder.op("Clip", [output, low, high]))
          : builder.op("LogSoftmax", [logits], { axis: -1 });
      return lastSum(math, math.mul(target, math.sub(math.log(target), logs)));
    },
    accuracy: () => "categorical",
  }),
);
