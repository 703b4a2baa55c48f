import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { defineKind } from "../schema/kind.ts";
import { accuracyByWidth, atLeast, type Loss, lastSum, likeOutput, probabilityMargin } from "./loss.ts";

/** Rows of length 1; a row of zeros stays one. [batch, ..., n] */
function directions(math: GraphMath, value: Value): Value {
  const squares = math.sum(math.mul(value, value), [value.shape.length - 1], true);
  return math.div(value, math.sqrt(atLeast(math, squares, probabilityMargin ** 2)));
}

/** Cosine of the angle between rows, from -1 to 1; 0 where one of them is zeros. [batch, ..., n] → [batch, ...] */
export const cosine = (math: GraphMath, a: Value, b: Value): Value =>
  lastSum(math, math.mul(directions(math, a), directions(math, b)));

/**
 * Minus the cosine of the angle between output and target: -1 where they point the same way.
 *
 * - Shapes: output and target [batch, ..., n].
 * - ONNX: Mul, ReduceSum, Max, Sqrt, Div.
 */
export const cosineSimilarity = defineKind(
  "cosineSimilarity",
  {},
  (): Loss => ({
    target: likeOutput,
    perAnswer: ({ math, output, target }) => math.neg(cosine(math, output, target)),
    accuracy: accuracyByWidth,
  }),
);
