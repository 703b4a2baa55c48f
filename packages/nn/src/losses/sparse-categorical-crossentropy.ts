import { ShapeError } from "@gristmill/onnx";
import { defineKind } from "../schema/kind.ts";
import { type Loss, logProbabilities } from "./loss.ts";

/**
 * Cross-entropy with labels: `-log(probability of the label)`.
 *
 * - Shapes: output [batch, ..., classes]; target int32 [batch, ...], from 0.
 * - After a softmax it works on the logits: `logsumexp(x) - x[label]`, stable for any x.
 * - ONNX: LogSoftmax, GatherElements, Neg.
 */
export const sparseCategoricalCrossentropy = defineKind(
  "sparseCategoricalCrossentropy",
  {},
  (): Loss => ({
    target(outputShape) {
      const classes = outputShape.at(-1);
      if (classes === undefined || classes < 2)
        throw new ShapeError(
          "sparseCategoricalCrossentropy",
          `expected a last layer with one output per class (2 or more), received [${outputShape.join(", ")}]; for one output use binaryCrossentropy`,
        );
      return { dtype: "int32", shape: outputShape.slice(0, -1), classes };
    },
    perAnswer(prediction) {
      const { math, target } = prediction;
      const logs = logProbabilities(prediction); // [batch, ..., classes]
      const last = logs.shape.length - 1;
      const labels = math.builder.op("Unsqueeze", [target, math.builder.ints(last)]); // [batch, ..., 1]
      const picked = math.builder.op("GatherElements", [logs, labels], { axis: last });
      return math.neg(math.builder.op("Squeeze", [picked, math.builder.ints(last)])); // [batch, ...]
    },
    accuracy: () => "sparseCategorical",
  }),
);
