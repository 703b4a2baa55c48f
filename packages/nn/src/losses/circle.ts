import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { flag, positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Loss, Prediction } from "./loss.ts";

/** In place of minus infinity: no exponential survives it, and differences of two stay numbers. */
const nothing = -1e30;

/** bool [batch, batch]: the other samples of the same label, and those of other labels. */
function pairs({ math, target }: Prediction, removeDiagonal: boolean): { same: Value; other: Value } {
  const { builder } = math;
  const [column, row] = [1, 0].map((axis) => builder.op("Unsqueeze", [target, builder.ints(axis)]));
  const equal = math.equal(column ?? target, row ?? target);
  const other = builder.op("Not", [equal]);
  if (!removeDiagonal) return { same: equal, other };
  const unit = builder.op("EyeLike", [math.cast(equal, "float32")]);
  return { same: math.greater(math.sub(math.cast(equal, "float32"), unit), 0), other };
}

const logSumExp = (math: GraphMath, mask: Value, value: Value): Value =>
  math.builder.op("ReduceLogSumExp", [math.where(mask, value, nothing), math.builder.ints(1)], { keepdims: 0 });

/**
 * Circle loss: embeddings of one label are drawn together, others pushed apart, each pair by how far off it is.
 * `softplus(logsumexp over positives (gamma (d + margin) (d - margin)) + logsumexp over negatives (gamma [1 + margin - d] (1 - margin - d)))`
 * for cosine distances d = 1 - a · b of embeddings of length 1.
 *
 * - Shapes: output [batch, n], rows of length 1 (the last layer normalizes them); target int32 [batch], any labels.
 * - Defaults: `gamma` 80, `margin` 0.4, `removeDiagonal` true: a sample is no pair of itself.
 * - A sample without a partner of its label, or of another, in the batch is neither summed nor counted.
 * - ONNX: MatMul, Where, ReduceLogSumExp, Softplus. Source: Sun and others 2020, arXiv:2002.10857.
 */
export const circle = defineKind(
  "circle",
  { gamma: positive(80), margin: positive(0.4), removeDiagonal: flag(true) },
  ({ gamma, margin, removeDiagonal }): Loss => ({
    target: () => ({ dtype: "int32", shape: [] }),
    perAnswer(prediction) {
      const { math, output } = prediction;
      const { builder } = math;
      const { same, other } = pairs(prediction, removeDiagonal);
      const similarity = builder.op("MatMul", [output, math.transpose(output, [1, 0])]);
      const d = builder.op("Relu", [math.sub(1, similarity)]); // [batch, batch]
      const pull = math.mul(math.mul(math.add(d, margin), math.sub(d, margin)), gamma);
      const excess = builder.op("Relu", [math.sub(1 + margin, d)]);
      const push = math.mul(math.mul(excess, math.sub(1 - margin, d)), gamma);
      return builder.op("Softplus", [math.add(logSumExp(math, same, pull), logSumExp(math, other, push))]);
    },
    counted(prediction) {
      const { math } = prediction;
      const { same, other } = pairs(prediction, removeDiagonal);
      const any = (mask: Value): Value => math.greater(math.sum(math.cast(mask, "float32"), [1]), 0);
      return math.builder.op("And", [any(same), any(other)]);
    },
    accuracy: () => "sparseCategorical",
  }),
);
