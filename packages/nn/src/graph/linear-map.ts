/** @file The product that most of a network's arithmetic is: rows of numbers times a matrix. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "./graph-math.ts";

/**
 * `x · kernel + bias` along the last axis: x [batch, ..., inputs], kernel [inputs, outputs], bias [outputs].
 *
 * As one Gemm over all rows where the sizes are known; as a MatMul where only the run knows how many rows there are.
 */
export function linearMap(math: GraphMath, x: Value, kernel: Value, bias?: Value): Value {
  const { builder } = math;
  const [inputs, outputs] = kernel.shape;
  const middle = x.shape.slice(1, -1);
  const isKnown = middle.every((size) => typeof size === "number");
  if (!isKnown || typeof inputs !== "number" || typeof outputs !== "number") {
    const product = builder.op("MatMul", [x, kernel]);
    return bias === undefined ? product : math.add(product, bias);
  }
  const rows = math.reshape(x, [-1, inputs]);
  const product = builder.op("Gemm", bias === undefined ? [rows, kernel] : [rows, kernel, bias]);
  return middle.length === 0 ? product : math.reshape(product, [-1, ...middle.map(Number), outputs]);
}
