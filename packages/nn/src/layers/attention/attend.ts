import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { keepMask } from "../../random/random-words.ts";
import type { LayerScope } from "../layer.ts";
import type { ScoreBias } from "./score-bias.ts";

/** What attention works with; `groups` axes of queries share the heads of keys and values. */
export interface Heads {
  /** [batch, heads, ...groups, queries, size] */
  readonly query: Value;
  /** [batch, heads, ...ones, keys, size] */
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
  const scores = math.mul(product(math, heads.query, heads.key, true), scale); // [batch, heads, ...groups, queries, keys]
  const rank = scores.shape.length;
  const spread = (value: Value): Value => (rank === 5 ? builder.op("Unsqueeze", [value, builder.ints(2)]) : value);
  const barred = bias === undefined ? scores : math.add(scores, spread(bias.added));
  const weights = builder.op("Softmax", [barred], { axis: -1 });
  const mixed = product(math, dropped(scope, weights, dropout), heads.value, false);
  return bias?.sees === undefined ? mixed : math.mul(mixed, spread(bias.sees));
}

/** The two last axes exchanged. */
const turn = (math: GraphMath, x: Value): Value => {
  const rank = x.shape.length;
  return math.transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
};

/**
 * The product of each head's matrices, the second one turned or not. Four axes of known sizes become three for it: the runtime
 * then turns matrices while it multiplies. Otherwise it joins the turning with the exchange of steps and heads before it, forth and
 * back, in copies of their own: 66 instead of 48 transposes a step in the benchmark's Transformer, 23 instead of 13 of 700 ms (one thread).
 */
function product(math: GraphMath, a: Value, b: Value, isTurned: boolean): Value {
  const { builder } = math;
  const [, heads, rows, inner] = a.shape;
  const [columns, keys, width] = [b.shape.at(isTurned ? -2 : -1), ...b.shape.slice(-2)];
  const sizes = [heads, rows, inner, columns, keys, width].filter((size) => typeof size === "number");
  if (a.shape.length !== 4 || sizes.length < 6) return builder.op("MatMul", [a, isTurned ? turn(math, b) : b]);
  const left = math.reshape(a, [-1, Number(rows), Number(inner)]);
  const right = math.reshape(b, [-1, Number(keys), Number(width)]);
  const flat = builder.op("MatMul", [left, isTurned ? turn(math, right) : right]);
  return math.reshape(flat, [-1, Number(heads), Number(rows), Number(columns)]);
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
