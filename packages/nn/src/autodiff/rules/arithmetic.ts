/** @file Gradients of operators on two or more tensors, with broadcasting undone. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { expandTo, minus, scaleBy, sumTo, times } from "../broadcast.ts";
import type { GradientCall, GradientTable } from "../rule.ts";

/** The gradient of each needed input, before broadcasting is undone. */
const each = (call: GradientCall, gradients: readonly (() => Value)[]): (Value | undefined)[] =>
  gradients.map((gradient, i) => (call.needs(i) ? sumTo(call.math, gradient(), call.input(i)) : undefined));

/**
 * Max and Min: each element's gradient goes to the first input that has the result, so that ties count once. What no
 * earlier input has is the last one's. Written with products and differences, which are exact here (the factors are 0 and
 * 1) and three times faster than selecting.
 */
function toFirstHit(call: GradientCall): (Value | undefined)[] {
  const { math } = call;
  const y = call.output(0);
  const last = call.node.inputs.length - 1;
  let rest = call.dy;
  return call.node.inputs.map((input, i) => {
    if (input === undefined) return undefined;
    if (i === last) return call.needs(i) ? sumTo(math, rest, input) : undefined;
    const taken = math.mul(rest, math.cast(math.equal(input, y), y.dtype));
    rest = math.sub(rest, taken);
    return call.needs(i) ? sumTo(math, taken, input) : undefined;
  });
}

/** Rules of sums, products and comparisons. */
export const arithmeticRules = {
  Add: (call) => each(call, [() => call.dy, () => call.dy]),
  // the sign changes behind the sum, where there is less left of the gradient
  Sub: (call) => {
    const { math, dy } = call;
    return [
      call.needs(0) ? sumTo(math, dy, call.input(0)) : undefined,
      call.needs(1) ? minus(math, sumTo(math, dy, call.input(1))) : undefined,
    ];
  },
  Mul: (call) => {
    const { math, dy } = call;
    const [a, b] = [call.input(0), call.input(1)];
    if (a === b) return [times(math, scaleBy(math, dy, 2), a)]; // a square: both sides at once
    return each(call, [() => times(math, dy, b), () => times(math, dy, a)]);
  },
  // y = a / b: dy/da = 1 / b; dy/db = -y / b, where b is the same all along the axes that are summed
  Div: (call) => {
    const { math, dy } = call;
    const [a, b] = [call.input(0), call.input(1)];
    return [
      call.needs(0) ? sumTo(math, math.div(dy, b), a) : undefined,
      call.needs(1) ? math.neg(math.div(sumTo(math, times(math, dy, call.output(0)), b), b)) : undefined,
    ];
  },
  // y = a^b: dy/da = b a^(b-1); dy/db = y log(a), taken as 0 where a <= 0, where the power has no slope along b
  Pow: (call) => {
    const { math, dy } = call;
    const [a, b] = [call.input(0), call.input(1)];
    const power = (): Value => math.builder.op("Pow", [a, math.sub(math.cast(b, a.dtype), 1)]);
    return each(call, [
      () => math.mul(dy, math.mul(math.cast(b, a.dtype), power())),
      () => {
        const isPositive = math.greater(a, 0);
        return math.mul(
          dy,
          math.where(isPositive, math.mul(call.output(0), math.log(math.where(isPositive, a, 1))), 0),
        );
      },
    ]);
  },
  Max: toFirstHit,
  Min: toFirstHit,
  Sum: (call) =>
    each(
      call,
      call.node.inputs.map(() => () => call.dy),
    ),
  Mean: (call) =>
    each(
      call,
      call.node.inputs.map((_, __, all) => () => scaleBy(call.math, call.dy, 1 / all.length)),
    ),
  // y = x where x >= 0, slope x where x < 0
  PRelu: (call) => {
    const { math, dy } = call;
    const [x, slope] = [call.input(0), call.input(1)];
    const isNegative = math.less(x, 0);
    return each(call, [
      () => math.where(isNegative, math.mul(dy, slope), dy),
      () => math.where(isNegative, math.mul(dy, x), 0),
    ]);
  },
  Where: (call) => {
    const { math, dy } = call;
    const condition = call.input(0);
    const side = (index: number, gradient: () => Value): Value | undefined =>
      call.needs(index)
        ? sumTo(math, expandTo(math, gradient(), sizesOf(call.output(0))), call.input(index))
        : undefined;
    return [undefined, side(1, () => math.where(condition, dy, 0)), side(2, () => math.where(condition, 0, dy))];
  },
  // y = a - b trunc(a / b), whose quotient only jumps: dy/da = 1, dy/db = -trunc(a / b) = (y - a) / b
  Mod: (call) => {
    const { math, dy } = call;
    const [a, b] = [call.input(0), call.input(1)];
    const quotient = (): Value => math.builder.op("Round", [math.div(math.sub(call.output(0), a), b)]);
    return each(call, [() => dy, () => math.mul(dy, quotient())]);
  },
  BitShift: "nonDifferentiable",
  BitwiseAnd: "nonDifferentiable",
  BitwiseOr: "nonDifferentiable",
  BitwiseXor: "nonDifferentiable",
  And: "nonDifferentiable",
  Or: "nonDifferentiable",
  Xor: "nonDifferentiable",
  Greater: "nonDifferentiable",
  GreaterOrEqual: "nonDifferentiable",
  Less: "nonDifferentiable",
  LessOrEqual: "nonDifferentiable",
  Equal: "nonDifferentiable",
} satisfies Partial<GradientTable>;
