/** @file Products of matrices and normalizations. */
import type { GradientCase } from "../gradient-check.ts";
import { node, random } from "./make-case.ts";

/** Products of matrices and normalizations. */
export const productCases = {
  Gemm: [
    node("plain with bias", "Gemm", [random(2, 3), random(3, 4), random(4)]),
    node("A turned, factors", "Gemm", [random(3, 2), random(3, 4), random(2, 1)], { transA: 1, alpha: 0.5, beta: 2 }),
    node("B turned", "Gemm", [random(2, 3), random(4, 3)], { transB: 1 }),
    node("both turned", "Gemm", [random(3, 2), random(4, 3), random(1)], { transA: 1, transB: 1, alpha: 1.5 }),
  ],
  MatMul: [
    node("matrices", "MatMul", [random(2, 3), random(3, 4)]),
    node("a weight for all rows", "MatMul", [random(2, 5, 3), random(3, 4)]),
    node("both batched, one broadcast", "MatMul", [random(2, 1, 2, 3), random(4, 3, 2)]),
  ],
  Softmax: [
    node("the last axis", "Softmax", [random(2, 4)]),
    node("the first axis", "Softmax", [random(3, 2)], { axis: 0 }),
  ],
  LogSoftmax: [
    node("the last axis", "LogSoftmax", [random(2, 4)]),
    node("a middle axis", "LogSoftmax", [random(2, 3, 2)], { axis: 1 }),
  ],
  LayerNormalization: [
    node("the last axis", "LayerNormalization", [random(3, 5), random(5), random(5)], {}, "float32"),
    node("two axes, no bias", "LayerNormalization", [random(2, 3, 4), random(3, 4)], { axis: 1 }, "float32"),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
