import type { Field } from "../../schema/field.ts";
import { size } from "../../schema/field.ts";
import { shown } from "../../schema/problems.ts";
import { optionalNumber } from "../core/optional-number.ts";
import { defineManyLayer } from "../define-layer.ts";
import type { Layer } from "../layer.ts";
import { buildHeads, type HeadsOptions, type HeadsPlan, headsFields, headsParameters, headsShape } from "./heads.ts";

const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value < 2 ** 31;

/** Sizes of one step's answer, one number for one axis; null for the query's width. */
const outputField = (): Field<readonly number[] | null> => ({
  expected: "a whole number from 1 or a list of them, or null for the width of the query",
  fallback: null,
  read(value, where, problems) {
    if (value === null) return null;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length >= 1 && list.length <= 6 && list.every(isSize)) return [...list];
    problems.add(where, `expected a whole number from 1 or a list of them, or null, received ${shown(value)}`);
    return undefined;
  },
});

interface Sizes {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly valueDim: number | null;
  readonly outputShape: readonly number[] | null;
}

const planOf = ({ numHeads, keyDim, valueDim, outputShape }: Sizes): HeadsPlan => ({
  queryHeads: numHeads,
  keyHeads: numHeads,
  size: keyDim,
  valueSize: valueDim ?? keyDim,
  output: outputShape ?? undefined,
});

/** The table's entry of `multiHeadAttention`. */
export const multiHeadAttentionKind = defineManyLayer({
  type: "multiHeadAttention",
  fields: {
    numHeads: size(),
    keyDim: size(),
    valueDim: optionalNumber("a whole number from 1", isSize),
    outputShape: outputField(),
    ...headsFields,
  },
  inputs: [1, 4],
  check({ keyDim, rotary }, where, problems) {
    if (rotary !== null && keyDim % 2 !== 0)
      problems.add(`${where}.keyDim`, `expected an even number, received ${keyDim}: rotary positions turn pairs`);
  },
  outputShapes: (config, inputs, where) => [headsShape(planOf(config), inputs, where)],
  parameters: (config, inputs) => headsParameters(planOf(config), config, inputs),
  build: (config, scope, inputs) => [buildHeads(planOf(config), config, scope, inputs)],
});

/** Settings of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions extends HeadsOptions {
  /** Size of a head's values; `keyDim` when left out. */
  readonly valueDim?: number | null;
  /** Size (or sizes) of one step's answer; the query's width when left out. */
  readonly outputShape?: number | readonly number[] | null;
}

/**
 * Attention of many heads: every step of a query looks at the steps of a sequence and takes the mean of their values, by
 * weights `softmax(query · key / sqrt(keyDim))` of each head.
 *
 * - Inputs: `apply(x)` attends to itself; `apply([query, value])`, `apply([query, value, key])`; a fourth input [query
 *   steps, key steps] is 0 where a step must not look.
 * - Shapes: query [batch, T, a], value [batch, S, b], key [batch, S, c] → [batch, T, a]; query/kernel [a, numHeads,
 *   keyDim], key/kernel [c, numHeads, keyDim], value/kernel [b, numHeads, valueDim], attention_output/kernel [numHeads,
 *   valueDim, a], and their biases.
 * - Defaults: `valueDim` keyDim, `outputShape` the query's width, `dropout` 0, `useBias` true, `useCausalMask` false,
 *   `rotary` null, kernels glorotUniform, biases zeros.
 * - Masks: masked keys and values get weight 0; a step that may look nowhere gets 0 before the output's bias, where Keras
 *   takes a mean of padding. The query's mask is handed on.
 * - ONNX: Gemm, Transpose, MatMul, Mul, Softmax.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762.
 */
export const multiHeadAttention = (numHeads: number, keyDim: number, options: MultiHeadAttentionOptions = {}): Layer =>
  multiHeadAttentionKind.make({ numHeads, keyDim, ...options });
