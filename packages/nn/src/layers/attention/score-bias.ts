/** @file Which keys a query may look at, as numbers that are added to the scores: 0, or so far below that softmax makes 0 of it. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { Features } from "../features.ts";

/** As Keras has it: exp makes exactly 0 of it in float32, and rows where all is so far below have no NaN. */
const farBelow = -1e9;

/** What bars queries from keys. */
export interface Bars {
  /** bool [batch, keys]: false where a key is padding. */
  readonly keys?: Value | undefined;
  /** [batch, queries, keys]: 0 where a query must not look. */
  readonly pairs?: Value | undefined;
  /** A query looks at its own step and those before. */
  readonly isCausal: boolean;
}

/** What the bars make of scores [batch, heads, queries, keys]. */
export interface ScoreBias {
  /** Added to the scores: [batch or 1, 1, queries or 1, keys]. */
  readonly added: Value;
  /** 1, or 0 where every key is barred: [batch, 1, queries or 1, 1]. Undefined where each query sees itself. */
  readonly sees: Value | undefined;
}

/** Writes the bars, undefined when there are none; `query` and `key` are [batch, steps, ...]. */
export function scoreBias(math: GraphMath, bars: Bars, query: Value, key: Value): ScoreBias | undefined {
  const { builder } = math;
  const unsqueeze = (value: Value, ...axes: number[]): Value => builder.op("Unsqueeze", [value, builder.ints(...axes)]);
  const open = [
    ...(bars.keys === undefined ? [] : [unsqueeze(bars.keys, 1, 2)]),
    ...(bars.pairs === undefined ? [] : [unsqueeze(math.cast(bars.pairs, "bool"), 1)]),
    ...(bars.isCausal ? [unsqueeze(upToNow(math, query, key), 0, 1)] : []),
  ];
  const [first, ...others] = open;
  if (first === undefined) return undefined;
  const all = others.reduce((before, one) => builder.op("And", [before, one]), first);
  const zero = math.scalar(0, query);
  const added = builder.op("Where", [all, zero, math.scalar(farBelow, query)]);
  if (bars.keys === undefined && bars.pairs === undefined) return { added, sees: undefined };
  const sees = builder.op("ReduceMax", [math.cast(all, query.dtype), builder.ints(-1)], { keepdims: 1 });
  return { added, sees };
}

/** bool [queries, keys]: true up to the query's own step. Written with ranges, which the runtime folds where steps are known. */
function upToNow(math: GraphMath, query: Value, key: Value): Value {
  const { builder } = math;
  const unsqueeze = (value: Value, axis: number): Value => builder.op("Unsqueeze", [value, builder.ints(axis)]);
  return builder.op("GreaterOrEqual", [unsqueeze(steps(math, query), 1), unsqueeze(steps(math, key), 0)]);
}

/** 0, 1, 2, ... for the steps of a value [batch, steps, ...]. */
function steps(math: GraphMath, value: Value): Value {
  const { builder } = math;
  const [, size] = value.shape;
  const count =
    typeof size === "number"
      ? builder.scalar(BigInt(size), "int64")
      : builder.op("Squeeze", [builder.op("Shape", [value], { start: 1, end: 2 })]);
  return builder.op("Range", [builder.scalar(0n, "int64"), count, builder.scalar(1n, "int64")]);
}

/** Masks of key and value as one. A step is padding when either says so. */
export function keyMask(math: GraphMath, key: Features, value: Features): Value | undefined {
  if (key.mask === undefined || value.mask === undefined || key.mask === value.mask) return key.mask ?? value.mask;
  return math.builder.op("And", [key.mask, value.mask]);
}
