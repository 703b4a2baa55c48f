/** @file Gradients of products of matrices: dA = dY Bᵀ, dB = Aᵀ dY. */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { sumTo } from "../broadcast.ts";
import type { GradientTable } from "../rule.ts";

/** The last two axes exchanged. */
const turned = (math: GraphMath, x: Value): Value => {
  const rank = x.shape.length;
  return math.transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
};

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
    const { math, dy } = call;
    const [a, b] = [call.input(0), call.input(1)];
    if (a.shape.length < 2 || b.shape.length < 2) throw call.unsupported("vectors have no rule: reshape to matrices");
    const product = (left: Value, right: Value): Value => math.builder.op("MatMul", [left, right]);
    // [..., n, k] x [k, m], a weight: one big product over all rows instead of many small ones that are then summed
    const flat = (x: Value): Value => math.reshape(x, [-1, sizesOf(x).at(-1) ?? 1]);
    const isWeight = b.shape.length === 2 && a.shape.length > 2;
    return [
      call.needs(0) ? sumTo(math, product(dy, turned(math, b)), a) : undefined,
      call.needs(1)
        ? isWeight
          ? math.product(flat(a), flat(dy), { transA: true })
          : sumTo(math, product(turned(math, a), dy), b)
        : undefined,
    ];
  },
  Einsum: "noRule",
  Det: "noRule",
} satisfies Partial<GradientTable>;
