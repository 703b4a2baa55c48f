/** @file Operators of imported models: attention, recurrence, losses, further normalizations. */
import { type AttributesOf, type Dtype, type OperatorName, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";
import { at, bools, distinct, ints, node, random, unary, withConstants } from "./make-case.ts";

const newer = (one: GradientCase): GradientCase => ({ ...one, opset: 24, dtype: "float32" });
const float = (one: GradientCase): GradientCase => ({ ...one, dtype: "float32" });

/** All outputs of a node, side by side. */
const allOutputs = <O extends OperatorName>(
  name: string,
  operator: O,
  inputs: readonly CheckedInput[],
  attributes: AttributesOf<O>,
  count: number,
  place: (math: GraphMath, values: readonly Value[]) => readonly (Value | undefined)[] = (_math, values) => values,
): GradientCase => ({
  name,
  inputs,
  dtype: "float32",
  build: (math, ...values) =>
    math.concat(
      math.builder.ops(operator, place(math, values), attributes, count).map((value) => math.reshape(value, [-1])),
      0,
    ),
});

const list = (math: GraphMath, dtype: Dtype & "int32", ...values: number[]): Value =>
  math.builder.constant(tensor(dtype, [values.length], Int32Array.from(values)));

/** 4 steps of 2 sequences, 3 features, 2 units; biases and first states given. */
const recurrent = (
  operator: "RNN" | "GRU" | "LSTM",
  gates: number,
  states: number,
  attributes: { direction?: string; linear_before_reset?: number; activations?: readonly string[] },
  { hasLengths = false, hasPeepholes = false } = {},
): GradientCase => {
  const both = attributes.direction === "bidirectional" ? 2 : 1;
  const inputs = [
    random(4, 2, 3),
    random(both, gates * 2, 3),
    random(both, gates * 2, 2),
    random(both, gates * 4),
    ...Array.from({ length: states }, () => random(both, 2, 2)),
    ...(hasPeepholes ? [random(both, 6)] : []),
  ];
  const said = [
    ...Object.values(attributes).flat(),
    hasLengths ? "lengths" : [],
    hasPeepholes ? "peepholes" : [],
  ].flat();
  const place = (math: GraphMath, [x, w, r, b, ...rest]: readonly Value[]) => [
    x,
    w,
    r,
    b,
    hasLengths ? list(math, "int32", 2, 4) : undefined,
    ...rest,
  ];
  return allOutputs(
    `all given, ${said.join(", ") || "forward"}`,
    operator,
    inputs,
    { ...attributes, hidden_size: 2 },
    states + 1,
    place,
  );
};

const losses = (operator: "NegativeLogLikelihoodLoss" | "SoftmaxCrossEntropyLoss"): GradientCase[] => [
  ...["mean", "sum", "none"].map((reduction) =>
    float(withConstants(reduction, operator, [random(3, 4)], (m) => [ints(m, [3], 0, 3, 3)], { reduction })),
  ),
  float(
    withConstants("places ignored, positions", operator, [random(2, 3, 2)], (m) => [ints(m, [2, 2], 1, -1, 2, 0)], {
      ignore_index: -1,
    }),
  ),
  {
    name: "weights of classes, which train too",
    inputs: [random(3, 4), at(0.5, 1, 2, 0.25)],
    dtype: "float32",
    build: (math, x, weights) => math.builder.op(operator, [x, ints(math, [3], 0, 1, 3), weights], { ignore_index: 1 }),
  },
];

/** Operators of imported models: attention, recurrence, losses, further normalizations. */
export const importedCases = {
  CenterCropPad: [
    withConstants("cut and padded, by odd numbers too", "CenterCropPad", [random(6, 3, 4)], (math) => [
      ints(math, [3], 3, 6, 4),
    ]),
    withConstants(
      "some axes, counted from either end",
      "CenterCropPad",
      [random(2, 5, 4)],
      (math) => [ints(math, [2], 7, 2)],
      { axes: [-1, 1] },
    ),
  ],
  Swish: [
    node("a factor", "Swish", [at(-1.7, -0.6, 0.3, 1.4)], { alpha: 1.5 }),
    node("plain", "Swish", [random(3)]),
  ].map(newer),
  Shrink: unary("Shrink", at(-1.7, -0.3, 0.2, 1.4), "float32", { bias: 0.3 }),
  GroupNormalization: [
    float(node("two groups", "GroupNormalization", [random(2, 4, 3, 2), random(4), random(4)], { num_groups: 2 })),
    float(node("rows", "GroupNormalization", [random(3, 6), random(6), random(6)], { num_groups: 2, epsilon: 0.1 })),
  ],
  RMSNormalization: [
    newer(node("the last axis", "RMSNormalization", [random(2, 3, 4), random(4)])),
    newer(node("two axes", "RMSNormalization", [random(2, 3, 4), random(3, 4)], { axis: 1, epsilon: 0.1 })),
  ],
  LpNormalization: [
    node("2-norm", "LpNormalization", [random(2, 4)]),
    node("1-norm, the first axis", "LpNormalization", [random(3, 2)], { axis: 0, p: 1 }),
  ].map(float),
  MeanVarianceNormalization: [node("usual axes", "MeanVarianceNormalization", [random(2, 2, 3, 2)])].map(float),
  LRN: [node("an odd window", "LRN", [random(2, 5, 2, 2)], { size: 3, alpha: 0.7, bias: 1.2 })].map(float),
  GlobalLpPool: [1, 2, 3].map((p) => float(node(`${p}-norm`, "GlobalLpPool", [distinct(2, 2, 3, 3)], { p }))),
  NegativeLogLikelihoodLoss: losses("NegativeLogLikelihoodLoss"),
  SoftmaxCrossEntropyLoss: [
    ...losses("SoftmaxCrossEntropyLoss"),
    allOutputs("its logarithms are used too", "SoftmaxCrossEntropyLoss", [random(3, 4)], {}, 2, (m, values) => [
      ...values,
      ints(m, [3], 0, 3, 3),
    ]),
  ],
  ReverseSequence: [
    withConstants("steps first", "ReverseSequence", [random(4, 3, 2)], (m) => [ints(m, [3], 1, 4, 2)]),
    withConstants("batch first", "ReverseSequence", [random(3, 4)], (m) => [ints(m, [3], 3, 4, 2)], {
      batch_axis: 0,
      time_axis: 1,
    }),
  ].map(float),
  RotaryEmbedding: [
    newer(node("heads apart", "RotaryEmbedding", [random(2, 3, 4, 6), random(2, 4, 3), random(2, 4, 3)])),
    newer(
      withConstants(
        "heads side by side, tables by position, a part of each",
        "RotaryEmbedding",
        [random(2, 3, 16), random(5, 2), random(5, 2)],
        (m) => [ints(m, [2, 3], 0, 1, 4, 2, 2, 3)],
        { num_heads: 2, rotary_embedding_dim: 4 },
      ),
    ),
    newer(
      node("neighbours", "RotaryEmbedding", [random(1, 2, 3, 4), random(1, 3, 2), random(1, 3, 2)], { interleaved: 1 }),
    ),
  ],
  Attention: [
    newer(node("heads apart", "Attention", [random(2, 2, 3, 4), random(2, 2, 5, 4), random(2, 2, 5, 3)])),
    newer(
      node(
        "causal, two heads of queries to one of keys",
        "Attention",
        [random(1, 4, 3, 4), random(1, 2, 3, 4), random(1, 2, 3, 4)],
        { is_causal: 1 },
      ),
    ),
    newer(
      node("heads side by side", "Attention", [random(2, 3, 8), random(2, 4, 8), random(2, 4, 8)], {
        q_num_heads: 2,
        kv_num_heads: 2,
        scale: 0.7,
      }),
    ),
    newer(
      node("a mask that is added, and trains", "Attention", [
        random(2, 2, 3, 4),
        random(2, 2, 3, 4),
        random(2, 2, 3, 4),
        random(3, 3),
      ]),
    ),
    newer(
      withConstants(
        "a mask of truth values by head",
        "Attention",
        [random(1, 2, 2, 4), random(1, 1, 3, 4), random(1, 1, 3, 4)],
        (m) => [bools(m, [1, 2, 2, 3], 1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1)],
      ),
    ),
    newer(
      withConstants(
        "a mask without a single key for one query",
        "Attention",
        [random(1, 1, 2, 4), random(1, 1, 3, 4), random(1, 1, 3, 4)],
        (m) => [bools(m, [2, 3], 1, 0, 1, 0, 0, 0)],
      ),
    ),
    newer(
      withConstants(
        "numbers that hide all keys of a query, behind which none is seen either",
        "Attention",
        [random(1, 1, 3, 4), random(1, 1, 3, 4), random(1, 1, 3, 4)],
        (m) => [
          m.builder.constant(
            tensor(
              "float32",
              [3, 3],
              Float32Array.from([-1, 0, 0, 0.5, -1, 0, -1, -1, -1], (n) => (n < 0 ? n / 0 : n)),
            ),
          ),
        ],
        { is_causal: 1 },
      ),
    ),
    {
      ...newer(node("one value for all three", "Attention", [random(1, 2, 3, 4)])),
      build: (math, x) => math.builder.op("Attention", [x, x, x]),
    },
  ],
  RNN: [
    recurrent("RNN", 1, 1, {}),
    recurrent("RNN", 1, 1, { direction: "bidirectional", activations: ["Tanh", "Sigmoid"] }, { hasLengths: true }),
    float(node("nothing given", "RNN", [random(1, 2, 3), random(1, 2, 3), random(1, 2, 2)], { hidden_size: 2 })),
  ],
  GRU: [
    recurrent("GRU", 3, 1, {}),
    recurrent("GRU", 3, 1, { linear_before_reset: 1, direction: "reverse" }),
    recurrent("GRU", 3, 1, { linear_before_reset: 1, direction: "bidirectional" }, { hasLengths: true }),
  ],
  LSTM: [
    recurrent("LSTM", 4, 2, {}),
    recurrent("LSTM", 4, 2, { direction: "bidirectional" }, { hasLengths: true, hasPeepholes: true }),
    recurrent("LSTM", 4, 2, { direction: "reverse" }, { hasLengths: true }),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
