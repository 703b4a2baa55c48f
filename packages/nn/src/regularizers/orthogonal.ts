import { ShapeError } from "@gristmill/onnx";
import { sizesOf } from "../graph/graph-math.ts";
import { numberWhere, oneOf } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Regularizer } from "./regularizer.ts";

/**
 * `factor` times the mean of |a · b| over all pairs of rows (or columns) of a matrix, each of length 1: 0 where all are at
 * right angles. It looks at directions alone, never at sizes.
 *
 * - Shapes: matrices, in the order in which they are shown. Defaults: `factor` 0.01, `mode` "rows" ("columns").
 * - One row has no pair and costs nothing. A row of zeros counts as at a right angle to all.
 * - ONNX: Mul, ReduceSum, Gemm, Abs.
 */
export const orthogonalRegularizer = defineKind(
  "orthogonalRegularizer",
  {
    factor: numberWhere("a number from 0", (value) => value >= 0, 0.01),
    mode: oneOf(["rows", "columns"], "rows"),
  },
  ({ factor, mode }): Regularizer =>
    (math, weight) => {
      const sizes = sizesOf(weight);
      if (sizes.length !== 2)
        throw new ShapeError(
          "orthogonalRegularizer",
          `expected a matrix, received a weight of [${sizes.join(", ")}]; regularize it by l1 or l2`,
        );
      const isByRow = mode === "rows";
      const count = (isByRow ? sizes[0] : sizes[1]) ?? 1;
      if (count < 2) return math.scalar(0, weight);
      const squares = math.sum(math.mul(weight, weight), [isByRow ? 1 : 0], true);
      const lengths = math.sqrt(math.builder.op("Max", [squares, math.scalar(1e-14, weight)]));
      const unit = math.div(weight, lengths);
      const cosines = math.product(unit, unit, isByRow ? { transB: true } : { transA: true });
      const diagonal = math.builder.op("EyeLike", [cosines]);
      const all = math.sum(math.builder.op("Abs", [math.mul(cosines, math.sub(1, diagonal))]), [0, 1]);
      return math.mul(all, factor / (count * (count - 1)));
    },
);
