/** @file Operators on elements, and folds over axes: broadcasting, masks, ties. */
import type { OperatorName } from "@gristmill/onnx";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";
import { at, bools, distinct, ints, node, random, unary, withConstants } from "./make-case.ts";

const both = at(-1.7, -0.6, 0.3, 1.4); // away from the kinks at 0 and 1
const inside = at(-0.8, -0.3, 0.2, 0.7);
const above = at(0.4, 0.9, 1.6, 3.1);
const beyond1 = at(1.2, 1.9, 2.6, 4.1);
const binary = (
  operator: "Add" | "Sub" | "Mul" | "Div" | "Sum" | "Mean" | "Max" | "Min",
  dtype?: GradientCase["dtype"],
): GradientCase[] => [
  node("equal shapes", operator, [random(2, 3), random(2, 3)], {}, dtype),
  node("both broadcast", operator, [random(2, 1, 3), random(4, 1)], {}, dtype),
  node("a number without axes", operator, [random(2, 3), { shape: [], values: [1.3] }], {}, dtype),
];

/** Ties move together: along those directions even a maximum has a slope. */
const ties = (operator: "Max" | "Min"): GradientCase => ({
  ...node("ties, moved together", operator, [at(1, 2, 0), at(1, 1, 3)]),
  directions: [
    [
      [1, 0, 0],
      [1, 0, 0],
    ],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  ],
});

type Reduction = Extract<OperatorName, `Reduce${string}`>;
const reduction = (operator: Reduction, input: CheckedInput = random(2, 3, 4)): GradientCase[] => {
  const reduced = (name: string, axes: readonly number[], keepdims: number): GradientCase =>
    withConstants(name, operator, [input], (math) => [math.builder.ints(...axes)], { keepdims });
  return [
    reduced("the middle axis, dropped", [1], 0),
    reduced("two axes, kept", [0, -1], 1),
    node("all axes", operator, [input], { keepdims: 0 }),
  ];
};

const tiedReduction = (operator: "ReduceMax" | "ReduceMin"): GradientCase => ({
  ...withConstants("ties, moved together", operator, [{ shape: [2, 3], values: [1, 1, 1, 5, 4, 4] }], (math) => [
    math.builder.ints(1),
  ]),
  directions: [[[1, 1, 1, 0, 0, 0]], [[0, 0, 0, 1, 1, 1]]],
});

const positive24: CheckedInput = {
  shape: [2, 3, 4],
  values: Array.from({ length: 24 }, (_, i) => 0.5 + ((i * 7) % 24) / 9),
};

/** Operators on elements, and folds over axes: broadcasting, masks, ties. */
export const elementCases = {
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: [
    ...binary("Mul"),
    { ...node("a value with itself", "Mul", []), inputs: [random(3)], build: (m, x) => m.mul(x ?? 1, x ?? 1) },
  ],
  Div: binary("Div"),
  Sum: [...binary("Sum"), node("three inputs", "Sum", [random(3), random(2, 3), random(1)])],
  Mean: [
    ...binary("Mean", "float32"),
    node("three inputs", "Mean", [random(3), random(2, 3), random(1)], {}, "float32"),
  ],
  Max: [...binary("Max"), node("three inputs", "Max", [random(3), random(2, 3), random(1)]), ties("Max")],
  Min: [...binary("Min"), node("three inputs", "Min", [random(3), random(2, 3), random(1)]), ties("Min")],
  Pow: [
    node("a positive base", "Pow", [at(0.5, 1.5, 2.5), at(2, -1.5, 0.7)]),
    withConstants("a square of negative numbers", "Pow", [both], (math, like) => [math.scalar(2, like)]),
    node("a broadcast exponent", "Pow", [above, at(1.5)]),
  ],
  Mod: [node("the remainder has the sign of a", "Mod", [at(5.3, -5.3, 0.7), at(2, 1.5, -3)], { fmod: 1 })],
  PRelu: [
    node("both signs", "PRelu", [both, at(0.2, 0.3, 0.4, 0.5)], {}, "float32"),
    node("one slope for all", "PRelu", [random(2, 3), at(0.3)], {}, "float32"),
  ],
  Where: [
    {
      name: "a mask, both sides broadcast",
      inputs: [random(2, 1), random(3)],
      build: (math, a, b) => math.builder.op("Where", [bools(math, [2, 3], 1, 0, 1, 0, 0, 1), a, b]),
    },
    {
      name: "a mask that is broadcast",
      inputs: [random(2, 3), random(2, 3)],
      build: (math, a, b) => math.builder.op("Where", [bools(math, [3], 1, 0, 1), a, b]),
    },
  ],
  Identity: unary("Identity", both),
  Neg: unary("Neg", both),
  Abs: unary("Abs", both),
  Sqrt: unary("Sqrt", above),
  Exp: unary("Exp", both),
  Log: unary("Log", above),
  Erf: unary("Erf", both, "float32"),
  Reciprocal: unary("Reciprocal", above),
  Sin: unary("Sin", both),
  Cos: unary("Cos", both),
  Tan: unary("Tan", inside, "float32"),
  Asin: unary("Asin", inside, "float32"),
  Acos: unary("Acos", inside, "float32"),
  Atan: unary("Atan", both, "float32"),
  Sinh: unary("Sinh", both, "float32"),
  Cosh: unary("Cosh", both, "float32"),
  Asinh: unary("Asinh", both, "float32"),
  Acosh: unary("Acosh", beyond1, "float32"),
  Atanh: unary("Atanh", inside, "float32"),
  Relu: unary("Relu", both),
  Sigmoid: unary("Sigmoid", both),
  Tanh: unary("Tanh", both),
  Softplus: unary("Softplus", at(-1.7, 0, 0.3, 1.4), "float32"),
  Softsign: unary("Softsign", both, "float32"),
  LeakyRelu: unary("LeakyRelu", both, "float32", { alpha: 0.3 }),
  Elu: unary("Elu", both, "float32", { alpha: 1.3 }),
  Celu: unary("Celu", both, "float32", { alpha: 1.3 }),
  Selu: unary("Selu", both, "float32"),
  ThresholdedRelu: unary("ThresholdedRelu", both, "float32", { alpha: 0.5 }),
  HardSigmoid: unary("HardSigmoid", at(-4, -1, 0.5, 3), "float32"),
  HardSwish: unary("HardSwish", at(-4, -1, 0.5, 5), "float32"),
  Mish: unary("Mish", both, "float32"),
  Gelu: [...unary("Gelu", both, "float32"), node("the tanh form", "Gelu", [both], { approximate: "tanh" }, "float32")],
  Clip: [
    withConstants("both bounds", "Clip", [both], (math, like) => [math.scalar(-1, like), math.scalar(1, like)]),
    withConstants("a lower bound", "Clip", [both], (math, like) => [math.scalar(-1, like)]),
  ],
  Cast: [
    {
      name: "there and back",
      inputs: [random(4)],
      dtype: "float32",
      build: (math, x) => math.cast(math.cast(x ?? math.builder.scalar(0), "float64"), "float32"),
    },
  ],
  CastLike: [withConstants("to the same type", "CastLike", [random(3)], (math, like) => [math.scalar(1, like)])],
  ReduceSum: reduction("ReduceSum"),
  ReduceMean: reduction("ReduceMean"),
  ReduceMax: [...reduction("ReduceMax"), tiedReduction("ReduceMax")],
  ReduceMin: [...reduction("ReduceMin"), tiedReduction("ReduceMin")],
  ReduceL1: reduction("ReduceL1", positive24),
  ReduceL2: reduction("ReduceL2", positive24),
  ReduceSumSquare: reduction("ReduceSumSquare"),
  ReduceLogSum: reduction("ReduceLogSum", positive24),
  ReduceLogSumExp: reduction("ReduceLogSumExp"),
  ReduceProd: [
    ...reduction("ReduceProd"),
    withConstants(
      "one 0 in a row, two in another",
      "ReduceProd",
      [{ shape: [3, 3], values: [2, 0, 3, 0, 4, 0, 1, 2, -3] }],
      (math) => [math.builder.ints(1)],
    ),
  ],
  TopK: [withConstants("two of each row", "TopK", [distinct(3, 4)], (math) => [ints(math, [1], 2)], { axis: 1 })].map(
    (one): GradientCase => ({
      ...one,
      build: (math, x) => {
        const [y] = math.builder.ops("TopK", [x, ints(math, [1], 2)], { axis: 1 }, 2);
        if (y === undefined) throw new Error("TopK made no output");
        return y;
      },
    }),
  ),
  CumSum: [
    withConstants("along an axis", "CumSum", [random(3, 4)], (math) => [ints(math, [], 1)]),
    withConstants("from the end, without the own element", "CumSum", [random(3, 4)], (math) => [ints(math, [], 0)], {
      reverse: 1,
      exclusive: 1,
    }),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
