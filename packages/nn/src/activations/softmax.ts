/** @file Activations along the last axis: shares that add up to 1, and their logarithms. */
import { ShapeError, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { defineKind } from "../schema/kind.ts";
import { alongChannels } from "./activation.ts";

/** y = exp(x) / sum(exp(x)) along the last axis. ONNX: Softmax. */
export const softmax = defineKind("softmax", {}, () =>
  alongChannels(({ builder }, x) => builder.op("Softmax", [x], { axis: -1 })),
);

/** y = x - log(sum(exp(x))) along the last axis. ONNX: LogSoftmax. */
export const logSoftmax = defineKind("logSoftmax", {}, () =>
  alongChannels(({ builder }, x) => builder.op("LogSoftmax", [x], { axis: -1 })),
);

/**
 * The shares nearest to x along the last axis: y = max(x - t, 0), t such that they add up to 1. Far ones are exactly 0.
 *
 * - ONNX: TopK, CumSum (once sorted, the largest k are in while 1 + k x[k] exceeds their sum), Where, ReduceSum, Relu.
 * - The gradient flows through the last step alone, over the shares that are not 0; at a tie with t both one-sided slopes are right.
 * - Source: Martins and Astudillo 2016, arXiv:1602.02068.
 */
export const sparsemax = defineKind("sparsemax", {}, () => alongChannels(writeSparsemax));

function writeSparsemax(math: GraphMath, x: Value): Value {
  const { builder } = math;
  const last = x.shape.length - 1;
  const count = x.shape[last];
  if (typeof count !== "number")
    throw new ShapeError("sparsemax", "expected a known last axis, received one that only the run knows");
  const [sorted] = builder.ops("TopK", [x, builder.ints(count)], { axis: last }, 2);
  if (sorted === undefined) throw new Error("TopK gave no values");
  const ranks = builder.constant(
    tensor(
      "float32",
      [count],
      Float32Array.from({ length: count }, (_, i) => i + 1),
    ),
  );
  const sums = builder.op("CumSum", [sorted, builder.scalar(BigInt(last), "int64")]);
  const isIn = math.greater(math.add(math.mul(sorted, ranks), 1), sums);
  const smallest = builder.op("ReduceMin", [math.where(isIn, sorted, Number.MAX_VALUE), builder.ints(last)]); // [..., 1]
  const kept = math.cast(builder.op("GreaterOrEqual", [x, smallest]), x.dtype);
  const excess = math.sub(math.sum(math.mul(x, kept), [last], true), 1);
  return builder.op("Relu", [math.sub(x, math.div(excess, math.sum(kept, [last], true)))]);
}
