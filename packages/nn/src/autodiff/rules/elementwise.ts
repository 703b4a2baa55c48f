/** @file Gradients of operators on one tensor, element by element: dx = dy * slope. */
import type { OperatorName, Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { minus, times } from "../broadcast.ts";
import type { GradientCall, GradientRule, GradientTable } from "../rule.ts";

type Slope<O extends OperatorName> = (math: GraphMath, x: Value, y: Value, call: GradientCall<O>) => Value;

/** dx = dy * slope(x, y) */
const slope =
  <O extends OperatorName>(of: Slope<O>): GradientRule<O> =>
  (call) => [times(call.math, call.dy, of(call.math, call.input(0), call.output(0), call))];

/** dx = dy where the condition holds, else 0, also where dy is infinite. */
const through =
  <O extends OperatorName>(isOpen: Slope<O>): GradientRule<O> =>
  (call) => [call.math.where(isOpen(call.math, call.input(0), call.output(0), call), call.dy, 0)];

const square = (m: GraphMath, x: Value): Value => m.mul(x, x);

/** Rules of operators that work on each element by itself. */
export const elementwiseRules = {
  Identity: ({ dy }) => [dy],
  Neg: ({ math, dy }) => [minus(math, dy)],
  // 0 at 0, as Sign says
  Abs: slope((m, x) => m.builder.op("Sign", [x])),
  Sqrt: ({ math, dy, output }) => [math.div(dy, math.mul(output(0), 2))],
  Exp: slope((_m, _x, y) => y),
  Log: ({ math, dy, input }) => [math.div(dy, input(0))],
  // erf'(x) = 2 / sqrt(pi) * exp(-x²)
  Erf: slope((m, x) => m.mul(m.exp(m.neg(square(m, x))), 2 / Math.sqrt(Math.PI))),
  Reciprocal: slope((m, _x, y) => m.neg(square(m, y))),
  Sin: slope((m, x) => m.builder.op("Cos", [x])),
  Cos: slope((m, x) => m.neg(m.builder.op("Sin", [x]))),
  Tan: slope((m, _x, y) => m.add(square(m, y), 1)),
  Asin: ({ math: m, dy, input }) => [m.div(dy, m.sqrt(m.sub(1, square(m, input(0)))))],
  Acos: ({ math: m, dy, input }) => [m.neg(m.div(dy, m.sqrt(m.sub(1, square(m, input(0))))))],
  Atan: ({ math: m, dy, input }) => [m.div(dy, m.add(square(m, input(0)), 1))],
  Sinh: slope((m, x) => m.builder.op("Cosh", [x])),
  Cosh: slope((m, x) => m.builder.op("Sinh", [x])),
  Asinh: ({ math: m, dy, input }) => [m.div(dy, m.sqrt(m.add(square(m, input(0)), 1)))],
  Acosh: ({ math: m, dy, input }) => [m.div(dy, m.sqrt(m.sub(square(m, input(0)), 1)))],
  Atanh: ({ math: m, dy, input }) => [m.div(dy, m.sub(1, square(m, input(0))))],
  // 0 at 0, as Keras has it. y is 0 or more, so "not 0" is "above 0", and cheaper than comparing and selecting.
  Relu: slope((m, _x, y) => m.cast(m.cast(y, "bool"), y.dtype)),
  Sigmoid: slope((m, _x, y) => m.sub(y, square(m, y))),
  Tanh: slope((m, _x, y) => m.sub(1, square(m, y))),
  Softplus: slope((m, x) => m.builder.op("Sigmoid", [x])),
  // x / (1 + |x|)
  Softsign: slope((m, x) => m.builder.op("Reciprocal", [square(m, m.add(m.builder.op("Abs", [x]), 1))])),
  LeakyRelu: (call) => {
    const { math: m, dy } = call;
    return [m.where(m.greater(call.input(0), 0), dy, m.mul(dy, call.settings.alpha))];
  },
  // alpha (exp(x) - 1) below 0, whose slope is y + alpha
  Elu: (call) => {
    const { math: m, dy } = call;
    return [m.where(m.greater(call.input(0), 0), dy, m.mul(dy, m.add(call.output(0), call.settings.alpha)))];
  },
  // alpha (exp(x / alpha) - 1) below 0, whose slope is y / alpha + 1
  Celu: (call) => {
    const { math: m, dy } = call;
    return [m.where(m.greater(call.input(0), 0), dy, m.mul(dy, m.add(m.div(call.output(0), call.settings.alpha), 1)))];
  },
  // gamma x above 0, gamma alpha (exp(x) - 1) below, whose slope is y + gamma alpha
  Selu: ({ math: m, dy, input, output, settings: { alpha, gamma } }) => [
    m.mul(dy, m.where(m.greater(input(0), 0), gamma, m.add(output(0), gamma * alpha))),
  ],
  ThresholdedRelu: through((m, x, _y, call) => m.greater(x, call.settings.alpha)),
  HardSigmoid: ({ math: m, dy, output, settings }) => [
    m.where(between(m, output(0), 0, 1), m.mul(dy, settings.alpha), 0),
  ],
  // x * hardSigmoid(x) with alpha 1/6 and beta 1/2: slope h + x / 6 inside (-3, 3), else h, which is 0 or 1
  HardSwish: slope((m, x) => {
    const gate = m.builder.op("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 });
    return m.add(gate, m.where(between(m, x, -3, 3), m.div(x, 6), 0));
  }),
  // y = x s, s = sigmoid(alpha x): slope s + alpha y (1 - s)
  Swish: slope((m, x, y, { settings: { alpha } }) => {
    const s = m.builder.op("Sigmoid", [alpha === 1 ? x : m.mul(x, alpha)]);
    return m.add(s, m.mul(m.mul(y, m.sub(1, s)), alpha));
  }),
  Shrink: through((m, x, _y, call) => m.greater(m.builder.op("Abs", [x]), call.settings.lambd)),
  // x tanh(s), s = softplus(x): slope tanh(s) + x sigmoid(x) (1 - tanh(s)²)
  Mish: slope((m, x) => {
    const t = m.builder.op("Tanh", [m.builder.op("Softplus", [x])]);
    const bend = m.mul(m.mul(x, m.builder.op("Sigmoid", [x])), m.sub(1, square(m, t)));
    return m.add(t, bend);
  }),
  // x P(x), P the normal distribution: slope P(x) + x p(x). With "tanh": P is approximated, and so is its slope.
  Gelu: slope((m, x, _y, { settings }) => (settings.approximate === "tanh" ? geluTanhSlope(m, x) : geluSlope(m, x))),
  Clip: (call) => {
    const { math: m, dy, node } = call;
    const x = call.input(0);
    // at a bound the gradient still flows, as Keras has it
    const low = node.inputs[1] && m.builder.op("GreaterOrEqual", [x, node.inputs[1]]);
    const high = node.inputs[2] && m.builder.op("LessOrEqual", [x, node.inputs[2]]);
    const isOpen = low && high ? m.builder.op("And", [low, high]) : (low ?? high);
    return [isOpen === undefined ? dy : m.where(isOpen, dy, 0)];
  },
  Cast: ({ math, dy, input }) => {
    const { dtype } = input(0);
    return [dtype === "float32" || dtype === "float64" || dtype === "float16" ? math.cast(dy, dtype) : undefined];
  },
  CastLike: ({ math, dy, input }) => [math.cast(dy, input(0).dtype)],
  Sign: "nonDifferentiable",
  Floor: "nonDifferentiable",
  Ceil: "nonDifferentiable",
  Round: "nonDifferentiable",
  Not: "nonDifferentiable",
  BitwiseNot: "nonDifferentiable",
  IsNaN: "nonDifferentiable",
  IsInf: "nonDifferentiable",
} satisfies Partial<GradientTable>;

const between = (m: GraphMath, x: Value, low: number, high: number): Value =>
  m.builder.op("And", [m.greater(x, low), m.less(x, high)]);

function geluSlope(m: GraphMath, x: Value): Value {
  const density = m.mul(m.exp(m.mul(square(m, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const share = m.add(m.mul(m.builder.op("Erf", [m.mul(x, Math.SQRT1_2)]), 0.5), 0.5);
  return m.add(share, m.mul(x, density));
}

/** y = x/2 (1 + t), t = tanh(u), u = c (x + 0.044715 x³), c = sqrt(2 / pi): slope (1 + t)/2 + x/2 (1 - t²) u' */
function geluTanhSlope(m: GraphMath, x: Value): Value {
  const c = Math.sqrt(2 / Math.PI);
  const xx = square(m, x);
  const t = m.builder.op("Tanh", [m.mul(m.mul(x, m.add(m.mul(xx, 0.044715), 1)), c)]);
  const inner = m.mul(m.add(m.mul(xx, 3 * 0.044715), 1), c);
  const bend = m.mul(m.mul(m.mul(x, 0.5), m.sub(1, square(m, t))), inner);
  return m.add(m.mul(m.add(t, 1), 0.5), bend);
}
