import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { flag, fraction } from "../../schema/field.ts";
import { defineManyLayer } from "../define-layer.ts";
import type { Layer } from "../layer.ts";
import { knownSize } from "../shape.ts";
import { buildPlainAttention, type PlainAttentionOptions, plainAttentionShape } from "./plain-attention.ts";

/** Factors of additive scores: of the sum before tanh, and of what is summed behind it. */
export interface AdditiveScales {
  readonly inner?: Value | undefined;
  readonly outer?: Value | undefined;
}

/** `sum(outer * tanh(inner * (query + key)))` over the width: [batch, queries, keys]. */
export function additiveScores(math: GraphMath, query: Value, key: Value, { inner, outer }: AdditiveScales): Value {
  const { builder } = math;
  const unsqueeze = (value: Value, axis: number): Value => builder.op("Unsqueeze", [value, builder.ints(axis)]);
  const sums = math.add(unsqueeze(query, 2), unsqueeze(key, 1)); // [batch, queries, keys, width]
  const bent = builder.op("Tanh", [inner === undefined ? sums : math.mul(sums, inner)]);
  return math.sum(outer === undefined ? bent : math.mul(bent, outer), [3]);
}

/** The table's entry of `additiveAttention`. */
export const additiveAttentionKind = defineManyLayer({
  type: "additiveAttention",
  fields: { useScale: flag(true), dropout: fraction(0), useCausalMask: flag(false) },
  inputs: [2, 3],
  outputShapes: (_, inputs, where) => [plainAttentionShape(inputs, where)],
  parameters: ({ useScale }, [query = []]) =>
    useScale
      ? [{ name: "scale", shape: [knownSize(query, -1, "additiveAttention")], initializer: { type: "glorotUniform" } }]
      : [],
  build(config, scope, inputs) {
    const outer = config.useScale ? scope.weight("scale") : undefined;
    return [
      buildPlainAttention(config, scope, inputs, (query, key) => additiveScores(scope.math, query, key, { outer })),
    ];
  },
});

/**
 * Attention whose scores are `sum(scale * tanh(query + key))`: a mean of the values by their softmax.
 *
 * - Inputs: `apply([query, value])` or `apply([query, value, key])`.
 * - Shapes: query [batch, T, width], value [batch, S, any], key [batch, S, width] → [batch, T, any]; scale [width]. Takes
 *   [batch, T, S, width] while it runs: for short sequences.
 * - Defaults: `useScale` true, `dropout` 0, `useCausalMask` false. Masks: as those of `attention`.
 * - ONNX: Add, Tanh, Mul, ReduceSum, Softmax, MatMul. Source: Bahdanau, Cho and Bengio 2014, arXiv:1409.0473.
 */
export const additiveAttention = (options: PlainAttentionOptions = {}): Layer =>
  additiveAttentionKind.make({ ...options });
