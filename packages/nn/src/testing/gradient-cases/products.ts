/** @file Products of matrices and tensors. */
import type { GradientCase } from "../gradient-check.ts";
import { node, random } from "./make-case.ts";

/** Products of matrices and tensors. */
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
    node("a vector on the left", "MatMul", [random(3), random(2, 3, 4)]),
    node("a vector on the right", "MatMul", [random(2, 4, 3), random(3)]),
    node("two vectors", "MatMul", [random(3), random(3)]),
    node("both batched, one broadcast", "MatMul", [random(2, 1, 2, 3), random(4, 3, 2)]),
  ],
  Einsum: [
    node("a product of matrices", "Einsum", [random(2, 3), random(3, 4)], { equation: "ij,jk->ik" }),
    node("heads of attention", "Einsum", [random(2, 3, 2, 4), random(2, 5, 2, 4)], { equation: "bthd,bshd->bhts" }),
    node("no arrow", "Einsum", [random(2, 3), random(3, 2)], { equation: "ij, jk" }),
    node("summed away, and turned", "Einsum", [random(2, 3, 4)], { equation: "ijk->ki" }),
    node("all summed", "Einsum", [random(2, 3)], { equation: "ij->" }),
    node("a diagonal", "Einsum", [random(3, 3)], { equation: "ii->i" }),
    node("a trace of each", "Einsum", [random(2, 3, 3)], { equation: "bii->b" }),
    node("outer product of three", "Einsum", [random(2), random(3), random(2)], { equation: "i,j,i->ij" }),
    node("dots that broadcast", "Einsum", [random(2, 1, 3, 4), random(1, 5, 4, 2)], { equation: "...ij,...jk->...ik" }),
    node("a size of 1 for another", "Einsum", [random(1, 3), random(2, 3)], { equation: "ij,ij->i" }),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
