/** @file Losses that are 0 once an answer is right by a margin of 1. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { defineKind } from "../schema/kind.ts";
import { elementLoss } from "./element-loss.ts";
import { type Loss, lastSum, likelyLikeOutput } from "./loss.ts";

/** max(1 - target * output, 0); a target of 0 means -1. */
function shortfall(math: GraphMath, output: Value, target: Value): Value {
  const sign = math.where(math.equal(target, 0), -1, target);
  return math.builder.op("Relu", [math.sub(1, math.mul(sign, output))]);
}

/**
 * `max(1 - target * output, 0)`, mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]; targets -1 and 1, or 0 and 1: 0 means -1.
 * - ONNX: Equal, Where, Mul, Sub, Relu, ReduceMean.
 */
export const hinge = defineKind("hinge", {}, () => elementLoss(shortfall, [-1, 1]));

/** `max(1 - target * output, 0)²`, mean over the outputs. Shapes and targets as `hinge`. */
export const squaredHinge = defineKind("squaredHinge", {}, () =>
  elementLoss(
    (math, output, target) => {
      const miss = shortfall(math, output, target);
      return math.mul(miss, miss);
    },
    [-1, 1],
  ),
);

/**
 * `max(1 + largest output of another class - output of the true class, 0)`.
 *
 * - Shapes: output and target [batch, ..., classes]; targets one-hot.
 * - ONNX: Mul, ReduceSum, ReduceMax, Sub, Relu.
 */
export const categoricalHinge = defineKind(
  "categoricalHinge",
  {},
  (): Loss => ({
    target: likelyLikeOutput,
    perAnswer({ math, output, target }) {
      const last = output.shape.length - 1;
      const right = lastSum(math, math.mul(target, output));
      const others = math.mul(math.sub(1, target), output);
      const wrong = math.builder.op("ReduceMax", [others, math.builder.ints(last)], { keepdims: 0 });
      return math.builder.op("Relu", [math.add(math.sub(wrong, right), 1)]);
    },
    accuracy: () => "categorical",
  }),
);
