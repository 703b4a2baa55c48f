import { ShapeError } from "@gristmill/onnx";
import { defineKind } from "../schema/kind.ts";
import { type Loss, logProbabilities } from "./loss.ts";

/**
 * Cross-entropy with probabilities: `-sum(target * log(output))`.
 *
 * - Shapes: output and target [batch, ..., classes]; target rows sum to 1 (one-hot, or soft).
 * - After a softmax it works on the logits.
 * - ONNX: LogSoftmax, Mul, ReduceSum, Neg.
 */
export const categoricalCrossentropy = defineKind(
  "categoricalCrossentropy",
  {},
  (): Loss => ({
    target(outputShape) {
      if ((outputShape.at(-1) ?? 1) < 2)
        throw new ShapeError(
          "categoricalCrossentropy",
          `expected a last layer with one output per class (2 or more), received [${outputShape.join(", ")}]; for one output use binaryCrossentropy`,
        );
      return { dtype: "float32", shape: outputShape };
    },
    perAnswer(prediction) {
      const { math, target } = prediction;
      const logs = logProbabilities(prediction);
      return math.neg(math.sum(math.mul(target, logs), [logs.shape.length - 1]));
    },
    accuracy: () => "categorical",
  }),
);
