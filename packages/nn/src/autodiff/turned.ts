/** @file Matrices turned (their last two axes exchanged) on the way back. A turned product is the product of its turned factors. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** Products aᵀ b by their value. */
const products = new WeakMap<Value, readonly [a: Value, b: Value]>();

const exchanged = (rank: number): number[] => [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];

/** True for an order of axes that exchanges the last two and no others. */
export const isTurn = (order: readonly number[]): boolean =>
  order.length >= 2 && exchanged(order.length).every((axis, i) => axis === order[i]);

/** aᵀ b, remembered: whoever turns it gets bᵀ a, and no turned copy of it is written. */
export function turnedProduct(math: GraphMath, a: Value, b: Value): Value {
  const product = math.builder.op("MatMul", [turned(math, a), b]);
  products.set(product, [a, b]);
  return product;
}

/** The last two axes exchanged. */
export function turned(math: GraphMath, x: Value): Value {
  const factors = products.get(x);
  if (factors === undefined) return math.transpose(x, exchanged(x.shape.length));
  const [a, b] = factors;
  return math.builder.op("MatMul", [turned(math, b), a]);
}
