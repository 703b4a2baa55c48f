/** @file Gradients of operators that fold axes: the folded sizes come back by broadcasting. */
import type { OperatorName, Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { expandTo } from "../broadcast.ts";
import type { GradientCall, GradientRule, GradientTable } from "../rule.ts";

type Reduction =
  | "ReduceSum"
  | "ReduceMean"
  | "ReduceMax"
  | "ReduceMin"
  | "ReduceL1"
  | "ReduceL2"
  | "ReduceSumSquare"
  | "ReduceLogSum"
  | "ReduceLogSumExp"
  | "ReduceProd";

/** What a reduction's rule works with: the input, and the result and its gradient with 1 where axes were folded. */
interface Folded {
  readonly math: GraphMath;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly axes: readonly number[];
  /** Elements folded into one. */
  readonly count: number;
}

const folding =
  <O extends Reduction>(gradient: (folded: Folded) => Value): GradientRule<O> =>
  (call) => {
    const { math } = call;
    const x = call.input(0);
    const sizes = sizesOf(x);
    const axes = foldedAxes(call, sizes.length);
    if (axes.length === 0) return [call.dy]; // nothing was folded
    const kept = sizes.map((size, i) => (axes.includes(i) ? 1 : size));
    const count = axes.reduce((product, axis) => product * (sizes[axis] ?? 1), 1);
    const dy = math.reshape(call.dy, kept);
    return [gradient({ math, x, y: math.reshape(call.output(0), kept), dy, axes, count })];
  };

function foldedAxes<O extends OperatorName>(call: GradientCall<O>, rank: number): readonly number[] {
  const given = call.node.inputs[1] === undefined ? [] : call.ints(1);
  const isNothing = given.length === 0 && call.node.attributes["noop_with_empty_axes"] === 1;
  if (isNothing) return [];
  return given.length === 0 ? Array.from({ length: rank }, (_, i) => i) : given.map((a) => (a < 0 ? a + rank : a));
}

/** Max and Min: elements that tie share the gradient evenly. */
const shared = folding(({ math, x, y, dy, axes }) => {
  const hit = math.cast(math.equal(x, y), x.dtype);
  return math.mul(hit, math.div(dy, math.sum(hit, axes, true)));
});

/** Rules of sums, means and extremes over axes. */
export const reductionRules = {
  ReduceSum: folding(({ math, x, dy }) => expandTo(math, dy, sizesOf(x))),
  ReduceMean: folding(({ math, x, dy, count }) => expandTo(math, math.mul(dy, 1 / count), sizesOf(x))),
  ReduceMax: shared,
  ReduceMin: shared,
  ReduceL1: folding(({ math, x, dy }) => math.mul(dy, math.builder.op("Sign", [x]))),
  // y = sqrt(sum x²): slope x / y, taken as 0 where all are 0
  ReduceL2: folding(({ math, x, y, dy }) => {
    const safe = math.where(math.equal(y, 0), 1, y);
    return math.mul(x, math.div(dy, safe));
  }),
  ReduceSumSquare: folding(({ math, x, dy }) => math.mul(x, math.mul(dy, 2))),
  // y = log(sum x): slope 1 / sum x = exp(-y)
  ReduceLogSum: folding(({ math, x, y, dy }) => expandTo(math, math.mul(dy, math.exp(math.neg(y))), sizesOf(x))),
  // y = log(sum exp x): slope exp(x - y)
  ReduceLogSumExp: folding(({ math, x, y, dy }) => math.mul(dy, math.exp(math.sub(x, y)))),
  // the product of all others: y / x; where one element is 0 it alone has a slope, where two are none has
  ReduceProd: folding(({ math, x, dy, axes }) => {
    const isZero = math.equal(x, 0);
    const safe = math.where(isZero, 1, x);
    const zero = math.cast(isZero, x.dtype);
    const othersAreNot = math.cast(math.equal(math.sub(math.sum(zero, axes, true), zero), 0), x.dtype);
    const product = math.builder.op("ReduceProd", [safe, math.builder.ints(...axes)]);
    return math.mul(math.mul(othersAreNot, math.div(product, safe)), dy);
  }),
  ArgMax: "nonDifferentiable",
  ArgMin: "nonDifferentiable",
  // the gradient goes back to the places that were taken
  TopK: (call) => {
    const { math } = call;
    const x = call.input(0);
    const zeros = math.filled(sizesOf(x), 0, x.dtype);
    const { axis } = call.settings;
    return [math.builder.op("ScatterElements", [zeros, call.output(1), call.dy], { axis, reduction: "add" })];
  },
  // y[i] = sum of x[j], j <= i: so dx[j] = sum of dy[i], i >= j, the same sum from the other end
  CumSum: (call) => {
    const { exclusive, reverse } = call.settings;
    const back = { exclusive, reverse: reverse === 0 ? 1 : 0 };
    return [call.math.builder.op("CumSum", [call.dy, call.input(1)], back)];
  },
} satisfies Partial<GradientTable>;
