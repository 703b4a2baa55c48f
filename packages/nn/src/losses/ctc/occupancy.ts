/**
 * @file The forward and backward variables of CTC (Graves and others 2006, section 4.1), in logarithms, as one Scan: the way
 * back is the way forward through turned states at turned times, so it runs beside it as the other half of the batch.
 */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { scan } from "../../graph/scan.ts";
import { impossible, type States } from "./states.ts";

/** What all ways through the states say together. */
export interface Occupancy {
  /** float32 [batch]: logarithm of the probability of the labels; about `impossible` where they don't fit. */
  readonly logProbability: Value;
  /** float32 [time, batch, S]: probability to be in each state, given the labels. */
  readonly shares: Value;
}

/** Turned around on some axes. */
const turned = (math: GraphMath, value: Value, ...axes: number[]): Value =>
  math.slice(
    value,
    axes,
    axes.map(() => -1),
    axes.map(() => -(2 ** 31)),
    axes.map(() => -1),
  );

/** log(exp(a) + exp(b) + exp(c)) */
function logAddExp(math: GraphMath, a: Value, b: Value, c: Value): Value {
  const most = math.builder.op("Max", [a, b, c]);
  const [x, y, z] = [a, b, c].map((value) => math.exp(math.sub(value, most)));
  return math.add(math.log(math.builder.op("Sum", [x, y, z])), most);
}

/**
 * @param says float32 [time, batch, S]: logarithm of the probability of what each state says, at each time.
 * @param isHeard bool [time, batch, 1]: false where the input is padding, at its end; undefined without padding.
 */
export function occupancy(
  math: GraphMath,
  says: Value,
  isHeard: Value | undefined,
  states: States,
  size: number,
): Occupancy {
  const { builder } = math;
  const both = (forward: Value, back: Value, axis: number): Value => builder.op("Concat", [forward, back], { axis });
  const heard = isHeard && both(isHeard, turned(math, isHeard, 0), 1);
  const skip = both(states.skip, turned(math, states.skipBack, 1), 0); // [2 batch, S]

  // Two columns stand before state 0. Column 1 is where a sequence begins: one step before the first state, from where the
  // first label is reached too. On the way back it begins one step behind the last state, which is turned around.
  const columns = builder.op(
    "Range",
    [0, size + 2, 1].map((bound) => builder.scalar(BigInt(bound), "int64")),
  );
  const begins = both(math.add(math.mul(states.count, 0), 1), math.sub(size, math.mul(states.count, 2)), 0);
  const start = math.where(math.equal(columns, begins), math.filled([1, 1], 0, "float32"), impossible); // [2 batch, S + 2]

  const pads = builder.ints(0, 2, 0, 0);
  const wall = builder.scalar(impossible, "float32");
  const { states: last, rows } = scan(math, {
    states: [start],
    sequences: [both(says, turned(math, says, 0, 2), 1), ...(heard === undefined ? [] : [heard])],
    step(inner, [now], [said, isIn]) {
      if (now === undefined || said === undefined) throw new Error("a step without its state");
      const from = (column: number): Value => inner.slice(now, [1], [column], [column + size]);
      const reached = inner.add(logAddExp(inner, from(2), from(1), inner.add(from(0), skip)), said);
      const next = inner.builder.op("Pad", [reached, pads, wall]);
      return { states: [isIn === undefined ? next : inner.where(isIn, next, now)], rows: [reached] };
    },
  });
  const [end] = last;
  const [walked] = rows;
  if (end === undefined || walked === undefined) throw new Error("the recurrence gave nothing");

  const [ended] = builder.ops("Split", [end], { axis: 0, num_outputs: 2 }, 2);
  const [forward, back] = builder.ops("Split", [walked], { axis: 1, num_outputs: 2 }, 2);
  if (ended === undefined || forward === undefined || back === undefined) throw new Error("Split gave nothing");
  // the last label or the blank behind it, two columns further
  const finals = math.add(math.mul(states.count, 2), builder.ints(1, 2));
  const logProbability = builder.op(
    "ReduceLogSumExp",
    [builder.op("GatherElements", [ended, finals], { axis: 1 }), builder.ints(1)],
    { keepdims: 0 },
  );
  // both halves count what is said now; it is counted once
  const ways = math.sub(math.add(forward, turned(math, back, 0, 2)), says);
  const given = builder.op("Unsqueeze", [logProbability, builder.ints(1)]); // [batch, 1]
  const isPossible = math.greater(given, impossible / 10);
  const counts = isHeard === undefined ? isPossible : builder.op("And", [isHeard, isPossible]);
  return { logProbability, shares: math.where(counts, math.exp(math.sub(ways, given)), 0) };
}
