/** @file Operators that mix the elements of one axis, each result a weighted sum: the matrix of the weights, and its way back. */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";
import { volume } from "./window.ts";

/** The unit matrix. An operator that runs over its rows says its own weights, exactly as the runtime has them. */
export const unitMatrix = (math: GraphMath, size: number, like: Value): Value =>
  math.builder.op("EyeLike", [math.filled([size, size], 0, like.dtype)]);

/**
 * From dy back to dx along one axis, where y[o] is the sum over i of x[i] weights[i, o].
 *
 * - Shapes: dy [..., outputs, ...], weights [inputs, outputs] → [..., inputs, ...].
 */
export function backAlongAxis(math: GraphMath, dy: Value, axis: number, weights: Value): Value {
  const sizes = sizesOf(dy);
  const [inputs = 1, outputs = 1] = sizesOf(weights);
  const [lead, rest] = [volume(sizes.slice(0, axis)), volume(sizes.slice(axis + 1))];
  const back =
    rest === 1
      ? math.product(math.reshape(dy, [lead, outputs]), weights, { transB: true })
      : math.builder.op("MatMul", [weights, math.reshape(dy, [lead, outputs, rest])]);
  return math.reshape(back, [...sizes.slice(0, axis), inputs, ...sizes.slice(axis + 1)]);
}
