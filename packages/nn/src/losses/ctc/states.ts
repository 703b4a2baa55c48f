/** @file The states that a sequence walks through as it spells its labels: blank, first label, blank, second, ..., blank. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { oneHot } from "../probabilities.ts";

/** In place of minus infinity: no exponential survives it, and sums and differences of such numbers stay numbers. */
export const impossible = -1e30;

/** States of a batch; L labels at most make S = 2 L + 1 states. */
export interface States {
  /** float32 [batch, S, classes]: 1 at what each state says; states beyond a sequence's own say nothing. */
  readonly says: Value;
  /** bool [batch, S]: states of the sequence's own labels. */
  readonly isOwn: Value;
  /** int64 [batch, 1]: labels of each sequence. */
  readonly count: Value;
  /** float32 [batch, S]: 0 where a state may be entered from the one before the one before it, else `impossible`. */
  readonly skip: Value;
  /** As `skip`, for walking from the last state to the first: into a state from the next but one. */
  readonly skipBack: Value;
}

const counting = (math: GraphMath, count: number): Value =>
  math.builder.op(
    "Range",
    [0, count, 1].map((bound) => math.builder.scalar(BigInt(bound), "int64")),
  );

/** Puts `between` before each of [batch, L] and behind the last: [batch, 2 L + 1]. */
function interleave(math: GraphMath, values: Value, labels: number, between: Value): Value {
  const { builder } = math;
  const columns = builder.op("Unsqueeze", [values, builder.ints(2)]);
  const pairs = builder.op("Pad", [columns, builder.ints(0, 0, 1, 0, 0, 0), between]); // [batch, L, 2]
  return builder.op("Pad", [math.reshape(pairs, [-1, 2 * labels]), builder.ints(0, 0, 0, 1), between]);
}

/** Reads label lists, int32 [batch, L], each up to its first blank or number below 0. */
export function statesOf(math: GraphMath, target: Value, labels: number, classes: number, blank: number): States {
  const { builder } = math;
  const given = math.cast(target, "int64");
  const isEnd = builder.op("Or", [math.equal(given, blank), math.less(given, 0)]);
  const ends = builder.op("Pad", [math.cast(isEnd, "float32"), builder.ints(0, 0, 0, 1), builder.scalar(1, "float32")]);
  const count = builder.op("ArgMax", [ends], { axis: 1, keepdims: 1 }); // the first 1
  const list = math.where(math.less(counting(math, labels), count), given, -1);

  const said = interleave(math, list, labels, builder.scalar(BigInt(blank), "int64")); // [batch, S]
  const isOwn = builder.op("LessOrEqual", [counting(math, 2 * labels + 1), math.mul(count, 2)]);

  // Two labels in a row are passed from one to the other where they differ; -2 and -1 differ from all and from each other.
  const before = builder.op("Pad", [list, builder.ints(0, 1, 0, 0), builder.scalar(-2n, "int64")]);
  const after = builder.op("Pad", [list, builder.ints(0, 0, 0, 1), builder.scalar(-1n, "int64")]);
  const pass = math.where(math.equal(before, after), math.filled([1, 1], impossible, "float32"), 0); // [batch, L + 1]
  const wall = builder.scalar(impossible, "float32");
  const part = (from: number): Value => math.slice(pass, [1], [from], [from + labels]);
  return {
    says: oneHot(math, said, classes),
    isOwn,
    count,
    skip: interleave(math, part(0), labels, wall),
    skipBack: interleave(math, part(1), labels, wall),
  };
}
