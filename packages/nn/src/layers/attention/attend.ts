import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { keepMask } from "../../random/random-words.ts";
import type { LayerScope } from "../layer.ts";
import type { ScoreBias } from "./score-bias.ts";

/** What attention works with; `groups` axes of queries share the heads of keys and values. */
export interface Heads {
  /** [batch, heads, ...groups, queries, size] */
  readonly query: Value;
  /** [batch, heads, ...ones, size, keys]: turned */
  readonly key: Value;
  /** [batch, heads, ...ones, keys, value size] */
  readonly value: Value;
}

/** How scores become weights. */
export interface AttendOptions {
  /** Factor of the scores: 1 / sqrt(size). */
  readonly scale: number;
  readonly bias: ScoreBias | undefined;
  /** Share of the weights that is dropped while training. */
  readonly dropout: number;
}

/** `softmax(query · key * scale + bias) · value`: [batch, heads, ...groups, queries, value size]. Rows that see nothing are 0. */
export function attend(scope: LayerScope, heads: Heads, { scale, bias, dropout }: AttendOptions): Value {
  const { math } = scope;
  const { builder } = math;
  // the factor behind the product: the runtime makes one operator of both, forth and back
  const scores = math.mul(builder.op("MatMul", [heads.query, heads.key]), scale); // [batch, heads, ...groups, queries, keys]
  const rank = scores.shape.length;
  const spread = (value: Value): Value => (rank === 5 ? builder.op("Unsqueeze", [value, builder.ints(2)]) : value);
  const barred = bias === undefined ? scores : math.add(scores, spread(bias.added));
  const weights = builder.op("Softmax", [barred], { axis: -1 });
  const mixed = builder.op("MatMul", [dropped(scope, weights, dropout), heads.value]);
  return bias?.sees === undefined ? mixed : math.mul(mixed, spread(bias.sees));
}

/** While training, some weights as 0 and the others larger, so that their sum stays the same on average. */
export function dropped(scope: LayerScope, weights: Value, rate: number): Value {
  if (!scope.training || rate === 0) return weights;
  const { math } = scope;
  const keep = keepMask(math, weights, scope.randomKey("dropout"), rate);
  return math.where(keep, math.mul(weights, 1 / (1 - rate)), 0);
}

/** Steps and heads exchanged: [batch, steps, heads, size] → [batch, heads, steps, size], and back. */
export const exchange = (math: GraphMath, value: Value): Value => math.transpose(value, [0, 2, 1, 3]);
