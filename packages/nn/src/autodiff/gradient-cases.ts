/** @file A small graph for each rule and each way in which rules go wrong: ties, repeated indices, broadcasting, masks. */
import { type AttributesOf, type OperatorName, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { CheckedInput, GradientCase } from "../testing/gradient-check.ts";
import type { gradientRules } from "./table.ts";

type Table = typeof gradientRules;
/** Operators whose entry is a rule. */
export type RuledOperator = { [O in keyof Table]: Table[O] extends string ? never : O }[keyof Table];

type Cases = { readonly [O in RuledOperator]: readonly GradientCase[] };

const at = (...values: number[]): CheckedInput => ({ shape: [values.length], values });
const random = (...shape: number[]): CheckedInput => ({ shape });
const ints = (math: GraphMath, shape: readonly number[], ...values: number[]): Value =>
  math.builder.constant(tensor("int64", shape, BigInt64Array.from(values, BigInt)));
const bools = (math: GraphMath, shape: readonly number[], ...values: number[]): Value =>
  math.builder.constant(tensor("bool", shape, Uint8Array.from(values)));

/** A case that is one node of the operator on all inputs. */
const node = <O extends OperatorName>(
  name: string,
  operator: O,
  inputs: readonly CheckedInput[],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
  dtype?: GradientCase["dtype"],
): GradientCase => ({
  name,
  inputs,
  build: (math, ...values) => math.builder.op(operator, values, attributes),
  ...(dtype === undefined ? {} : { dtype }),
});

/** A node with constant inputs behind the checked ones. */
const withConstants = <O extends OperatorName>(
  name: string,
  operator: O,
  inputs: readonly CheckedInput[],
  constants: (math: GraphMath, like: Value) => readonly (Value | undefined)[],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
  dtype?: GradientCase["dtype"],
): GradientCase => ({
  name,
  inputs,
  build: (math, ...values) => {
    const [like] = values;
    return math.builder.op(operator, [...values, ...(like === undefined ? [] : constants(math, like))], attributes);
  },
  ...(dtype === undefined ? {} : { dtype }),
});

const both = at(-1.7, -0.6, 0.3, 1.4); // away from the kinks at 0 and 1
const inside = at(-0.8, -0.3, 0.2, 0.7);
const above = at(0.4, 0.9, 1.6, 3.1);
const beyond1 = at(1.2, 1.9, 2.6, 4.1);

const unary = <O extends OperatorName>(
  operator: O,
  input: CheckedInput = both,
  dtype?: GradientCase["dtype"],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
): GradientCase[] => [node("a slope at each of four points", operator, [input], attributes, dtype)];

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

type ConvolutionAttributes = AttributesOf<"Conv">;
const convolution = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: ConvolutionAttributes = {},
  hasBias = false,
): GradientCase =>
  node(name, "Conv", [random(...x), random(...w), ...(hasBias ? [random(w[0] ?? 1)] : [])], attributes, "float32");

/** Distinct values, so that no window of a pool ties. */
const distinct = (...shape: number[]): CheckedInput => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Array.from({ length: count }, (_, i) => (((i * 37) % count) - count / 2) / 4) };
};

const maxPool = (
  name: string,
  x: CheckedInput,
  attributes: AttributesOf<"MaxPool">,
  dtype?: "float32",
): GradientCase => ({
  ...node(name, "MaxPool", [x], attributes, dtype),
  build: (math, value) => {
    const [y] = value === undefined ? [] : math.builder.ops("MaxPool", [value], attributes, 2);
    if (y === undefined) throw new Error("MaxPool made no output");
    return y;
  },
});

/** Half of the image is one number: every window ties. All elements move together. */
const tiedImage: CheckedInput = {
  shape: [1, 2, 4, 4],
  values: Array.from({ length: 32 }, (_, i) => (i % 4 < 2 ? 0 : i)),
};
const together = [[Array.from({ length: 32 }, () => 1)]];

export const gradientCases = {
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
  Identity: unary("Identity"),
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Sqrt: unary("Sqrt", above),
  Exp: unary("Exp"),
  Log: unary("Log", above),
  Erf: unary("Erf", both, "float32"),
  Reciprocal: unary("Reciprocal", above),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Tan: unary("Tan", inside, "float32"),
  Asin: unary("Asin", inside, "float32"),
  Acos: unary("Acos", inside, "float32"),
  Atan: unary("Atan", both, "float32"),
  Sinh: unary("Sinh", both, "float32"),
  Cosh: unary("Cosh", both, "float32"),
  Asinh: unary("Asinh", both, "float32"),
  Acosh: unary("Acosh", beyond1, "float32"),
  Atanh: unary("Atanh", inside, "float32"),
  Relu: unary("Relu"),
  Sigmoid: unary("Sigmoid"),
  Tanh: unary("Tanh"),
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
  Reshape: [withConstants("with -1", "Reshape", [random(2, 6)], (math) => [math.builder.ints(3, -1)])],
  Flatten: unary("Flatten", random(2, 3, 2)),
  Squeeze: [withConstants("one axis", "Squeeze", [random(2, 1, 3)], (math) => [math.builder.ints(1)])],
  Unsqueeze: [withConstants("two axes", "Unsqueeze", [random(2, 3)], (math) => [math.builder.ints(0, 3)])],
  Transpose: [
    node("three axes turned round", "Transpose", [random(2, 3, 4)], { perm: [2, 0, 1] }),
    node("reversed", "Transpose", [random(2, 3, 4)]),
  ],
  Concat: [node("three parts", "Concat", [random(2, 1), random(2, 3), random(2, 2)], { axis: -1 })],
  Split: [
    {
      name: "one of three parts used, another twice",
      inputs: [random(2, 6)],
      build: (math, x) => {
        const [a, , c] = math.builder.ops("Split", [x, math.builder.ints(2, 1, 3)], { axis: 1 }, 3);
        if (a === undefined || c === undefined) throw new Error("Split made too few outputs");
        return math.concat([a, math.mul(a, 2), c], 1);
      },
    },
  ],
  Expand: [withConstants("a row to a matrix", "Expand", [random(1, 3)], (math) => [math.builder.ints(2, 4, 3)])],
  Tile: [withConstants("both axes", "Tile", [random(2, 3)], (math) => [math.builder.ints(3, 2)])],
  Slice: [
    withConstants("a part", "Slice", [random(5, 4)], (math) => [math.builder.ints(1), math.builder.ints(-1)]),
    withConstants("steps, backwards on one axis", "Slice", [random(5, 6)], (math) => [
      math.builder.ints(-1, 1),
      math.builder.ints(-6, 6),
      math.builder.ints(0, 1),
      math.builder.ints(-2, 2),
    ]),
  ],
  Pad: [
    withConstants("added and cut", "Pad", [random(3, 4)], (math) => [math.builder.ints(1, -1, 0, 2)]),
    withConstants("named axes", "Pad", [random(3, 4)], (math, like) => [
      math.builder.ints(2, 1),
      math.scalar(0.5, like),
      math.builder.ints(1),
    ]),
  ],
  Trilu: [node("the lower triangle", "Trilu", [random(3, 4)], { upper: 0 })],
  DepthToSpace: [node("blocks of 2", "DepthToSpace", [random(1, 8, 2, 3)], { blocksize: 2 })],
  SpaceToDepth: [node("blocks of 2", "SpaceToDepth", [random(1, 2, 4, 6)], { blocksize: 2 })],
  Gather: [
    withConstants("a row twice, and one from the end", "Gather", [random(4, 3)], (math) => [
      ints(math, [2, 2], 1, 1, 3, -1),
    ]),
    withConstants("along the last axis", "Gather", [random(2, 4)], (math) => [ints(math, [3], 2, 0, 2)], { axis: 1 }),
  ],
  GatherElements: [
    withConstants(
      "an element twice",
      "GatherElements",
      [random(3, 3)],
      (math) => [ints(math, [2, 3], 0, 2, 2, 0, 2, 1)],
      {
        axis: 0,
      },
    ),
  ],
  GatherND: [withConstants("a row twice", "GatherND", [random(3, 2)], (math) => [ints(math, [3, 1], 1, 1, 0)])],
  ScatterElements: [
    {
      name: "added, an element twice",
      inputs: [random(4), random(3)],
      build: (math, data, updates) =>
        math.builder.op("ScatterElements", [data, ints(math, [3], 1, 1, 3), updates], { reduction: "add" }),
    },
    {
      name: "in place of others",
      inputs: [random(2, 3), random(2, 2)],
      build: (math, data, updates) =>
        math.builder.op("ScatterElements", [data, ints(math, [2, 2], 0, 2, 1, 0), updates], { axis: 1 }),
    },
  ],
  ScatterND: [
    {
      name: "added, a row twice",
      inputs: [random(3, 2), random(2, 2)],
      build: (math, data, updates) =>
        math.builder.op("ScatterND", [data, ints(math, [2, 1], 2, 2), updates], { reduction: "add" }),
    },
    {
      name: "in place of a row",
      inputs: [random(3, 2), random(1, 2)],
      build: (math, data, updates) => math.builder.op("ScatterND", [data, ints(math, [1, 1], 2), updates]),
    },
  ],
  Gemm: [
    node("plain with bias", "Gemm", [random(2, 3), random(3, 4), random(4)]),
    node("A turned, factors", "Gemm", [random(3, 2), random(3, 4), random(2, 1)], { transA: 1, alpha: 0.5, beta: 2 }),
    node("B turned", "Gemm", [random(2, 3), random(4, 3)], { transB: 1 }),
    node("both turned", "Gemm", [random(3, 2), random(4, 3), random(1)], { transA: 1, transB: 1, alpha: 1.5 }),
  ],
  MatMul: [
    node("matrices", "MatMul", [random(2, 3), random(3, 4)]),
    node("a weight for all rows", "MatMul", [random(2, 5, 3), random(3, 4)]),
    node("both batched, one broadcast", "MatMul", [random(2, 1, 2, 3), random(4, 3, 2)]),
  ],
  Softmax: [
    node("the last axis", "Softmax", [random(2, 4)]),
    node("the first axis", "Softmax", [random(3, 2)], { axis: 0 }),
  ],
  LogSoftmax: [
    node("the last axis", "LogSoftmax", [random(2, 4)]),
    node("a middle axis", "LogSoftmax", [random(2, 3, 2)], { axis: 1 }),
  ],
  LayerNormalization: [
    node("the last axis", "LayerNormalization", [random(3, 5), random(5), random(5)], {}, "float32"),
    node("two axes, no bias", "LayerNormalization", [random(2, 3, 4), random(3, 4)], { axis: 1 }, "float32"),
  ],
  Conv: [
    convolution("one channel: per image", [2, 1, 6, 5], [3, 1, 3, 3], { kernel_shape: [3, 3] }, true),
    convolution("many channels: turned, columns", [2, 6, 6, 5], [3, 6, 3, 2], { pads: [1, 0, 1, 1] }, true),
    convolution("wide maps: shifted", [1, 5, 18, 18], [2, 5, 3, 3], {}),
    convolution("strides that leave rows out", [2, 5, 8, 7], [3, 5, 3, 3], { strides: [2, 3] }),
    convolution("dilations", [2, 5, 8, 7], [3, 5, 3, 2], { dilations: [2, 3], pads: [2, 1, 2, 1] }),
    convolution("groups", [2, 4, 6, 6], [6, 2, 3, 3], { group: 2, strides: [2, 1], pads: [1, 1, 0, 0] }, true),
    convolution("depthwise, two maps a channel", [2, 3, 6, 6], [6, 1, 3, 3], { group: 3 }),
    convolution("a point, stride 2", [2, 40, 5, 5], [3, 40, 1, 1], { strides: [2, 2] }),
    convolution("more padding than window", [1, 5, 4, 4], [2, 5, 2, 2], { pads: [2, 2, 1, 2] }),
  ],
  MaxPool: [
    maxPool("windows apart", distinct(1, 2, 5, 4), { kernel_shape: [2, 2], strides: [2, 2] }, "float32"),
    maxPool("windows apart, in float64", distinct(1, 2, 5, 4), { kernel_shape: [2, 2], strides: [2, 2] }),
    maxPool("windows that overlap", distinct(1, 2, 5, 6), {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    }),
    {
      ...maxPool("ties, windows apart", tiedImage, { kernel_shape: [2, 2], strides: [2, 2] }, "float32"),
      directions: together,
    },
    {
      ...maxPool("ties, windows that overlap", tiedImage, { kernel_shape: [3, 3], strides: [1, 1] }),
      directions: together,
    },
    node("its second output missing", "MaxPool", [distinct(1, 1, 4, 4)], { kernel_shape: [2, 2], strides: [2, 2] }),
  ],
  AveragePool: [
    node(
      "windows that tile",
      "AveragePool",
      [random(2, 2, 4, 6)],
      { kernel_shape: [2, 3], strides: [2, 3] },
      "float32",
    ),
    node("rows left out", "AveragePool", [random(1, 2, 5, 7)], { kernel_shape: [2, 2], strides: [2, 2] }, "float32"),
    node(
      "overlapping, padding not counted",
      "AveragePool",
      [random(1, 2, 5, 6)],
      { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      "float32",
    ),
    node(
      "overlapping, padding counted",
      "AveragePool",
      [random(1, 2, 5, 6)],
      { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], count_include_pad: 1 },
      "float32",
    ),
  ],
  GlobalAveragePool: unary("GlobalAveragePool", random(2, 3, 4, 2), "float32"),
  GlobalMaxPool: unary("GlobalMaxPool", distinct(2, 3, 4, 2), "float32"),
  MaxUnpool: [
    withConstants(
      "four places",
      "MaxUnpool",
      [random(1, 1, 2, 2)],
      (math) => [ints(math, [1, 1, 2, 2], 5, 2, 8, 15), math.builder.ints(1, 1, 4, 4)],
      { kernel_shape: [2, 2], strides: [2, 2] },
      "float32",
    ),
  ],
} satisfies Cases;
