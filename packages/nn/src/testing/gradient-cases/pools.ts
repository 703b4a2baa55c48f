/** @file Pools on one to three axes: ties, padding, windows that hang over the end. */
import type { AttributesOf } from "@gristmill/onnx";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";
import { distinct, ints, node, random, withConstants } from "./make-case.ts";

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

const averagePool = (name: string, x: readonly number[], attributes: AttributesOf<"AveragePool">): GradientCase =>
  node(name, "AveragePool", [random(...x)], attributes, "float32");

const lpPool = (name: string, x: readonly number[], attributes: AttributesOf<"LpPool">): GradientCase =>
  node(name, "LpPool", [distinct(...x)], attributes, "float32");

/** Half of the image is one number: every window ties. All elements move together. */
const tiedImage: CheckedInput = {
  shape: [1, 2, 4, 4],
  values: Array.from({ length: 32 }, (_, i) => (i % 4 < 2 ? 0 : i)),
};
const together = [[Array.from({ length: 32 }, () => 1)]];

/** Pools on one to three axes: ties, padding, windows that hang over the end. */
export const poolCases = {
  MaxPool: [
    maxPool("windows apart", distinct(1, 2, 5, 4), { kernel_shape: [2, 2], strides: [2, 2] }, "float32"),
    maxPool("windows apart, in float64", distinct(1, 2, 5, 4), { kernel_shape: [2, 2], strides: [2, 2] }),
    maxPool("windows that overlap", distinct(1, 2, 5, 6), {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    }),
    maxPool("dilated windows overlap though their strides are as wide", distinct(1, 1, 7, 7), {
      kernel_shape: [2, 2],
      strides: [2, 2],
      dilations: [2, 2],
    }),
    maxPool(
      "windows that hang over",
      distinct(1, 2, 5, 4),
      { kernel_shape: [2, 3], strides: [2, 3], ceil_mode: 1 },
      "float32",
    ),
    maxPool("padded to the same size", distinct(1, 2, 5, 4), { kernel_shape: [3, 2], auto_pad: "SAME_LOWER" }),
    {
      ...maxPool("ties, windows apart", tiedImage, { kernel_shape: [2, 2], strides: [2, 2] }, "float32"),
      directions: together,
    },
    {
      ...maxPool("ties, windows that overlap", tiedImage, { kernel_shape: [3, 3], strides: [1, 1] }),
      directions: together,
    },
    node("its second output missing", "MaxPool", [distinct(1, 1, 4, 4)], { kernel_shape: [2, 2], strides: [2, 2] }),
    maxPool("1-D, windows apart", distinct(2, 3, 7), { kernel_shape: [2], strides: [2] }, "float32"),
    maxPool("1-D, overlapping, dilated", distinct(2, 2, 9), { kernel_shape: [3], dilations: [2], pads: [1, 2] }),
    maxPool("3-D, windows apart", distinct(1, 2, 4, 5, 4), { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }, "float32"),
    maxPool("3-D, overlapping, hanging over", distinct(1, 2, 5, 4, 3), {
      kernel_shape: [3, 2, 2],
      strides: [2, 1, 2],
      pads: [1, 0, 0, 1, 1, 0],
      ceil_mode: 1,
    }),
  ],
  AveragePool: [
    averagePool("windows that tile", [2, 2, 4, 6], { kernel_shape: [2, 3], strides: [2, 3] }),
    averagePool("rows left out", [1, 2, 5, 7], { kernel_shape: [2, 2], strides: [2, 2] }),
    averagePool("overlapping, padding not counted", [1, 2, 5, 6], {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    }),
    averagePool("overlapping, padding counted", [1, 2, 5, 6], {
      kernel_shape: [3, 2],
      strides: [2, 1],
      pads: [1, 0, 1, 1],
      count_include_pad: 1,
    }),
    averagePool("hanging over", [1, 2, 5, 6], { kernel_shape: [2, 4], strides: [2, 4], ceil_mode: 1 }),
    averagePool("hanging over, padding counted", [1, 2, 6, 6], {
      kernel_shape: [3, 3],
      strides: [3, 2],
      pads: [1, 1, 0, 0],
      ceil_mode: 1,
      count_include_pad: 1,
    }),
    averagePool("dilated", [1, 2, 7, 7], { kernel_shape: [2, 3], dilations: [3, 2], strides: [2, 1] }),
    averagePool("dilated, padding not counted", [1, 2, 7, 6], {
      kernel_shape: [3, 2],
      dilations: [2, 2],
      pads: [2, 1, 2, 1],
    }),
    averagePool("padded to the same size", [1, 2, 5, 4], { kernel_shape: [2, 3], auto_pad: "SAME_UPPER" }),
    averagePool("1-D, tiles", [2, 3, 6], { kernel_shape: [3], strides: [3] }),
    averagePool("1-D, overlapping", [2, 3, 8], { kernel_shape: [3], strides: [2], pads: [1, 1] }),
    averagePool("3-D, tiles", [1, 2, 4, 2, 6], { kernel_shape: [2, 1, 3], strides: [2, 1, 3] }),
    averagePool("3-D, overlapping, padding counted", [1, 2, 5, 4, 5], {
      kernel_shape: [3, 2, 2],
      strides: [2, 1, 2],
      pads: [1, 0, 1, 1, 1, 0],
      count_include_pad: 1,
    }),
  ],
  LpPool: [
    lpPool("2-norm, overlapping", [1, 2, 5, 6], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }),
    lpPool("1-norm", [2, 1, 5, 4], { kernel_shape: [2, 2], strides: [2, 2], p: 1 }),
    lpPool("3-norm, dilated", [1, 2, 7, 5], { kernel_shape: [2, 2], dilations: [2, 3], p: 3 }),
    lpPool("1-D", [1, 2, 7], { kernel_shape: [3] }),
    lpPool("3-D, tiles", [1, 2, 4, 2, 4], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }),
  ],
  GlobalAveragePool: [
    node("2-D", "GlobalAveragePool", [random(2, 3, 4, 2)], {}, "float32"),
    node("1-D", "GlobalAveragePool", [random(2, 3, 5)], {}, "float32"),
    node("3-D", "GlobalAveragePool", [random(2, 3, 2, 3, 2)], {}, "float32"),
  ],
  GlobalMaxPool: [
    node("2-D", "GlobalMaxPool", [distinct(2, 3, 4, 2)], {}, "float32"),
    node("1-D", "GlobalMaxPool", [distinct(2, 3, 5)], {}, "float32"),
    node("3-D", "GlobalMaxPool", [distinct(2, 3, 2, 3, 2)], {}, "float32"),
  ],
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
