/** @file Matrix products. */
import type { Value } from "../graph/graph.ts";
import { type Dim, formatShape, type Shape } from "../shape.ts";
import { preset, required } from "./attribute.ts";
import { einsumShape } from "./einsum.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { broadcast, floats, numeric, sameDtype, takeRank, takeSame, unify } from "./rules.ts";

/** The shape of NumPy's matmul: the last two axes are matrices, those before broadcast; a vector gets an axis for the product only. */
export function multiplied(call: Call, a: Value, b: Value): Shape {
  if (a.shape.length === 0 || b.shape.length === 0)
    throw call.shapeError("at least 1 axis each", `${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  const left: Shape = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right: Shape = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const inner = [left.at(-1) ?? 1, right.at(-2) ?? 1] as const;
  if (typeof inner[0] === "number" && typeof inner[1] === "number" && inner[0] !== inner[1])
    throw call.shapeError(
      `a second matrix with ${inner[0]} rows for ${formatShape(a.shape)}`,
      `${inner[1]} rows in ${formatShape(b.shape)}`,
    );
  const outer = broadcast(call, left.slice(0, -2), right.slice(0, -2));
  const rows: Shape = a.shape.length === 1 ? [] : [left.at(-2) ?? 1];
  const columns: Shape = b.shape.length === 1 ? [] : [right.at(-1) ?? 1];
  return [...outer, ...rows, ...columns];
}

function matMul(call: Call): readonly Inferred[] {
  const [a, b] = takeSame(call, numeric, 2);
  return a === undefined || b === undefined ? [] : [{ dtype: a.dtype, shape: multiplied(call, a, b) }];
}

/** Products of matrices. */
export const matrix = {
  MatMul: operator({ since: 13, inputs: [2, 2], outputs: [1, 1], attributes: {}, infer: matMul }),
  /** `alpha * A' * B' + beta * C`, where ' transposes on request; C stretches to [rows, columns]. */
  Gemm: operator({
    since: 13,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: {
      alpha: preset("float", 1),
      beta: preset("float", 1),
      transA: preset("int", 0),
      transB: preset("int", 0),
    },
    infer: (call) => {
      const [a, b] = takeSame(call, numeric, 2);
      if (a === undefined || b === undefined) return [];
      const { transA, transB } = call.attributes;
      const [rows = 1, innerA = 1] = transA === 0 ? takeRank(call, a, 2) : [...takeRank(call, a, 2)].reverse();
      const [innerB = 1, columns = 1] = transB === 0 ? takeRank(call, b, 2) : [...takeRank(call, b, 2)].reverse();
      unify(call, innerA, innerB, `${formatShape(a.shape)} times ${formatShape(b.shape)}: inner size`);
      const shape: Dim[] = [rows, columns];
      const c = sameDtype(call, 2, a);
      if (c !== undefined) {
        const stretched = broadcast(call, shape, c.shape);
        const fits = stretched.length === 2 && shape.every((dim, i) => typeof dim === "string" || stretched[i] === dim);
        if (!fits) throw call.shapeError(`"${c.name}" to stretch to ${formatShape(shape)}`, formatShape(c.shape));
      }
      return [{ dtype: a.dtype, shape }];
    },
  }),
  Einsum: operator({
    since: 12,
    inputs: [1, Number.POSITIVE_INFINITY],
    outputs: [1, 1],
    attributes: { equation: required("string") },
    infer: (call) => {
      const values = takeSame(call, numeric);
      const shape = einsumShape(
        call,
        call.attributes.equation,
        values.map((value) => value.shape),
      );
      return [{ dtype: call.input(0).dtype, shape }];
    },
  }),
  Det: operator({
    since: 11,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const [x] = takeSame(call, floats, 1);
      if (x === undefined) return [];
      takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      unify(call, x.shape.at(-1) ?? 1, x.shape.at(-2) ?? 1, "square matrices of size");
      return [{ dtype: x.dtype, shape: x.shape.slice(0, -2) }];
    },
  }),
};
