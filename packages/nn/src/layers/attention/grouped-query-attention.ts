import { size } from "../../schema/field.ts";
import { defineManyLayer } from "../define-layer.ts";
import type { Layer } from "../layer.ts";
import { buildHeads, type HeadsOptions, type HeadsPlan, headsFields, headsParameters, headsShape } from "./heads.ts";

interface Sizes {
  readonly headDim: number;
  readonly numQueryHeads: number;
  readonly numKeyValueHeads: number;
}

const planOf = ({ headDim, numQueryHeads, numKeyValueHeads }: Sizes): HeadsPlan => ({
  queryHeads: numQueryHeads,
  keyHeads: numKeyValueHeads,
  size: headDim,
  valueSize: headDim,
  output: undefined,
});

/** The table's entry of `groupedQueryAttention`. */
export const groupedQueryAttentionKind = defineManyLayer({
  type: "groupedQueryAttention",
  fields: { headDim: size(), numQueryHeads: size(), numKeyValueHeads: size(), ...headsFields },
  inputs: [1, 4],
  check({ headDim, numQueryHeads, numKeyValueHeads, rotary }, where, problems) {
    if (numQueryHeads % numKeyValueHeads !== 0)
      problems.add(
        `${where}.numKeyValueHeads`,
        `expected a divisor of numQueryHeads ${numQueryHeads}, received ${numKeyValueHeads}`,
      );
    if (rotary !== null && headDim % 2 !== 0)
      problems.add(`${where}.headDim`, `expected an even number, received ${headDim}: rotary positions turn pairs`);
  },
  outputShapes: (config, inputs, where) => [headsShape(planOf(config), inputs, where)],
  parameters: (config, inputs) => headsParameters(planOf(config), config, inputs),
  build: (config, scope, inputs) => [buildHeads(planOf(config), config, scope, inputs)],
});

/**
 * Attention of many heads in which several heads of queries share a head of keys and values: less to compute, and less
 * to remember while text is generated. `numKeyValueHeads` 1 is multi-query attention.
 *
 * - Inputs, defaults and masks: as those of `multiHeadAttention`.
 * - Shapes: query [batch, T, a], value [batch, S, b], key [batch, S, c] → [batch, T, a]; query/kernel [a, numQueryHeads,
 *   headDim], key/kernel [c, numKeyValueHeads, headDim], value/kernel [b, numKeyValueHeads, headDim],
 *   attention_output/kernel [numQueryHeads, headDim, a], and their biases. Head h of the queries looks at head
 *   floor(h · numKeyValueHeads / numQueryHeads).
 * - ONNX: Gemm, Transpose, MatMul, Mul, Softmax.
 * - Source: Ainslie et al. 2023, arXiv:2305.13245.
 */
export const groupedQueryAttention = (
  headDim: number,
  numQueryHeads: number,
  numKeyValueHeads: number,
  options: HeadsOptions = {},
): Layer => groupedQueryAttentionKind.make({ headDim, numQueryHeads, numKeyValueHeads, ...options });
