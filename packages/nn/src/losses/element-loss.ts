/** @file Losses that compare number with number and take the mean over the last axis. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { accuracyByWidth, type Loss, lastMean, likeOutput, type TargetSpec } from "./loss.ts";

/** A loss of each number of the output, [batch, ..., outputs] → the mean of its last axis, [batch, ...]; `range`: of answers. */
export const elementLoss = (
  of: (math: GraphMath, output: Value, target: Value) => Value,
  range?: TargetSpec["range"],
): Loss => ({
  target: (outputShape) => ({ ...likeOutput(outputShape), ...(range === undefined ? {} : { range }) }),
  perAnswer: ({ math, output, target }) => lastMean(math, of(math, output, target)),
  accuracy: accuracyByWidth,
});

/** |output - target| */
export const distance = (math: GraphMath, output: Value, target: Value): Value =>
  math.builder.op("Abs", [math.sub(output, target)]);
