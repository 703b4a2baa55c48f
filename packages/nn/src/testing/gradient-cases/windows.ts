/** @file Products of matrices, normalizations, convolutions and pools: every recipe, ties, padding. */
import type { AttributesOf } from "@gristmill/onnx";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";
import { distinct, ints, node, random, unary, withConstants } from "./make-case.ts";

type ConvolutionAttributes = AttributesOf<"Conv">;
const convolution = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: ConvolutionAttributes = {},
  hasBias = false,
): GradientCase =>
  node(name, "Conv", [random(...x), random(...w), ...(hasBias ? [random(w[0] ?? 1)] : [])], attributes, "float32");

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

/** Products of matrices, normalizations, convolutions and pools: every recipe, ties, padding. */
export const windowCases = {
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
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
