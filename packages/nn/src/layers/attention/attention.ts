import type { Value } from "@gristmill/onnx";
import { flag, fraction, oneOf } from "../../schema/field.ts";
import { defineManyLayer } from "../define-layer.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { additiveScores } from "./additive-attention.ts";
import { buildPlainAttention, type PlainAttentionOptions, plainAttentionShape } from "./plain-attention.ts";

/** The scores of each mode: [batch, queries, keys]. */
const scoresOf = {
  dot({ math }: LayerScope, query: Value, key: Value): Value {
    return math.builder.op("MatMul", [query, math.transpose(key, [0, 2, 1])]);
  },
  concat(scope: LayerScope, query: Value, key: Value, scale: Value | undefined): Value {
    const factor = scope.weight("concat_score_weight");
    return scope.math.mul(additiveScores(scope.math, query, key, { inner: scale }), factor);
  },
} as const;

const one = { shape: [], initializer: { type: "ones" } } as const;

/** The table's entry of `attention`. */
export const attentionKind = defineManyLayer({
  type: "attention",
  fields: {
    useScale: flag(false),
    scoreMode: oneOf(["dot", "concat"], "dot"),
    dropout: fraction(0),
    useCausalMask: flag(false),
  },
  inputs: [2, 3],
  outputShapes: (_, inputs, where) => [plainAttentionShape(inputs, where)],
  parameters: ({ useScale, scoreMode }) => [
    ...(useScale ? [{ name: "scale", ...one }] : []),
    ...(scoreMode === "concat" ? [{ name: "concat_score_weight", ...one }] : []),
  ],
  build(config, scope, inputs) {
    const { useScale, scoreMode } = config;
    const score = (query: Value, key: Value): Value => {
      const scale = useScale ? scope.weight("scale") : undefined;
      if (scoreMode === "concat") return scoresOf.concat(scope, query, key, scale);
      const scores = scoresOf.dot(scope, query, key);
      return scale === undefined ? scores : scope.math.mul(scores, scale);
    };
    return [buildPlainAttention(config, scope, inputs, score)];
  },
});

/** Settings of `attention`. */
export interface AttentionOptions extends PlainAttentionOptions {
  /** How scores are made: products, or sums of tanh of sums. */
  readonly scoreMode?: "dot" | "concat";
}

/**
 * Attention without projections: a mean of the values by weights `softmax(query · key)`. `multiHeadAttention` is what
 * transformers use.
 *
 * - Inputs: `apply([query, value])` or `apply([query, value, key])`.
 * - Shapes: query [batch, T, width], value [batch, S, any], key [batch, S, width] → [batch, T, any]; scale [] with
 *   `useScale`, concat_score_weight [] with `scoreMode` concat.
 * - Defaults: `useScale` false, `scoreMode` dot, `dropout` 0, `useCausalMask` false. Scores are not divided by the root of
 *   the width, as in Keras.
 * - Masks: masked keys and values get weight 0; queries that are masked, or may look nowhere, get 0. The query's mask is
 *   handed on.
 * - ONNX: MatMul, Softmax. Source: Luong, Pham and Manning 2015, arXiv:1508.04025.
 */
export const attention = (options: AttentionOptions = {}): Layer => attentionKind.make({ ...options });
