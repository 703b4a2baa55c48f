/** @file Gradients of products of matrices: dA = dY Bᵀ, dB = Aᵀ dY. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { sumTo } from "../broadcast.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { turned, turnedProduct } from "../turned.ts";
import { einsum } from "./einsum.ts";

/** Factors and gradient of a MatMul with the axes that vectors had for the product only: [n] is a row [1, n] or a column [n, 1]. */
function asMatrices(call: GradientCall<"MatMul">): [a: Value, b: Value, dy: Value] {
  const { math, dy } = call;
  const [a, b] = [call.input(0), call.input(1)];
  const [left, right] = [sizesOf(a), sizesOf(b)];
  const [isRow, isColumn] = [left.length === 1, right.length === 1];
  if (!isRow && !isColumn) return [a, b, dy];
  const outer = isRow ? sizesOf(dy).slice(0, isColumn ? undefined : -1) : sizesOf(dy).slice(0, -1);
  const rows = isRow ? 1 : (left.at(-2) ?? 1);
  const columns = isColumn ? 1 : (right.at(-1) ?? 1);
  return [
    isRow ? math.reshape(a, [1, ...left]) : a,
    isColumn ? math.reshape(b, [...right, 1]) : b,
    math.reshape(dy, [...outer, rows, columns]),
  ];
}

/** Rules of products of matrices. */
export const matrixRules = {
  // Y = alpha A' B' + beta C, where A' is A or Aᵀ. If A' = Aᵀ then dA = B' dYᵀ, else dA = dY B'ᵀ; likewise for B.
  Gemm: (call) => {
    const { math, dy } = call;
    const { alpha, beta, transA, transB } = call.settings;
    const gemm = (a: Value, b: Value, ta: boolean, tb: boolean): Value =>
      math.builder.op("Gemm", [a, b], {
        ...(alpha === 1 ? {} : { alpha }),
        ...(ta ? { transA: 1 } : {}),
        ...(tb ? { transB: 1 } : {}),
      });
    const [a, b] = [call.input(0), call.input(1)];
    const [isATurned, isBTurned] = [transA !== 0, transB !== 0];
    const c = (): Value => sumTo(math, beta === 1 ? dy : math.mul(dy, beta), call.input(2));
    return [
      call.needs(0) ? (isATurned ? gemm(b, dy, isBTurned, true) : gemm(dy, b, false, !isBTurned)) : undefined,
      call.needs(1) ? (isBTurned ? gemm(dy, a, true, isATurned) : gemm(a, dy, !isATurned, false)) : undefined,
      call.needs(2) ? c() : undefined,
    ];
  },
  MatMul: (call) => {
    const { math } = call;
    const [a, b, dy] = asMatrices(call);
    const product = (left: Value, right: Value): Value => math.builder.op("MatMul", [left, right]);
    // [..., n, k] x [k, m], a weight: one big product over all rows instead of many small ones that are then summed
    const flat = (x: Value): Value => math.reshape(x, [-1, sizesOf(x).at(-1) ?? 1]);
    const isWeight = b.shape.length === 2 && a.shape.length > 2;
    const da = (): Value => sumTo(math, product(dy, turned(math, b)), a);
    const db = (): Value =>
      isWeight ? math.product(flat(a), flat(dy), { transA: true }) : sumTo(math, turnedProduct(math, a, dy), b);
    return [
      call.needs(0) ? math.reshape(da(), sizesOf(call.input(0))) : undefined,
      call.needs(1) ? math.reshape(db(), sizesOf(call.input(1))) : undefined,
    ];
  },
  Einsum: einsum,
  Det: "noRule",
} satisfies Partial<GradientTable>;
