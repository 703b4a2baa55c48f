import { numberWhere } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { clipped, type Loss } from "./loss.ts";
import { atLabels, classesOf, logitsBehind } from "./probabilities.ts";

/**
 * `(1 - p^q) / q`, p the probability of the label: between cross-entropy (q near 0) and absolute error (q near 1), so that
 * wrong labels pull less.
 *
 * - Shapes: output [batch, ..., classes], probabilities; target int32 [batch, ...], from 0. Defaults: `q` 0.5.
 * - ONNX: GatherElements, then Log and Exp, as p^q = exp(q log(p)); after a softmax LogSoftmax in place of Log.
 * - Source: Zhang and Sabuncu 2018, arXiv:1805.07836.
 */
export const categoricalGeneralizedCrossEntropy = defineKind(
  "categoricalGeneralizedCrossEntropy",
  { q: numberWhere("a number above 0 and below 1", (value) => value > 0 && value < 1, 0.5) },
  ({ q }): Loss => ({
    target(outputShape) {
      const classes = classesOf("categoricalGeneralizedCrossEntropy", outputShape);
      return { dtype: "int32", shape: outputShape.slice(0, -1), classes };
    },
    perAnswer(prediction) {
      const { math, output, target } = prediction;
      const logits = logitsBehind(prediction, "softmax", false);
      const log =
        logits === undefined
          ? math.log(clipped(math, atLabels(math, output, target)))
          : atLabels(math, math.builder.op("LogSoftmax", [logits], { axis: -1 }), target);
      return math.mul(math.sub(1, math.exp(math.mul(log, q))), 1 / q);
    },
    accuracy: () => "sparseCategorical",
  }),
);
