/** @file Convolutions and what undoes them, on one to four axes: every recipe, every attribute. */
import type { AttributesOf } from "@gristmill/onnx";
import type { GradientCase } from "../gradient-check.ts";
import { node, random, withConstants } from "./make-case.ts";

const convolution = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: AttributesOf<"Conv"> = {},
  hasBias = false,
): GradientCase =>
  node(name, "Conv", [random(...x), random(...w), ...(hasBias ? [random(w[0] ?? 1)] : [])], attributes, "float32");

const transposed = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: AttributesOf<"ConvTranspose"> = {},
  biases = 0,
): GradientCase =>
  node(
    name,
    "ConvTranspose",
    [random(...x), random(...w), ...(biases > 0 ? [random(biases)] : [])],
    attributes,
    "float32",
  );

const columns = (
  name: string,
  x: readonly number[],
  image: readonly number[],
  block: readonly number[],
  attributes: AttributesOf<"Col2Im"> = {},
): GradientCase =>
  withConstants(
    name,
    "Col2Im",
    [random(...x)],
    (math) => [math.builder.ints(...image), math.builder.ints(...block)],
    attributes,
    "float32",
  );

/** Convolutions and what undoes them, on one to four axes: every recipe, every attribute. */
export const convolutionCases = {
  Conv: [
    convolution("one channel: per image", [2, 1, 6, 5], [3, 1, 3, 3], { kernel_shape: [3, 3] }, true),
    convolution("many channels: turned, columns", [2, 6, 6, 5], [3, 6, 3, 2], { pads: [1, 0, 1, 1] }, true),
    convolution("wide maps: shifted", [1, 16, 18, 18], [2, 16, 3, 3], {}),
    convolution("strides that leave rows out", [2, 5, 8, 7], [3, 5, 3, 3], { strides: [2, 3] }),
    convolution("dilations", [2, 5, 8, 7], [3, 5, 3, 2], { dilations: [2, 3], pads: [2, 1, 2, 1] }),
    convolution("groups", [2, 4, 6, 6], [6, 2, 3, 3], { group: 2, strides: [2, 1], pads: [1, 1, 0, 0] }, true),
    convolution("groups of many channels: turned", [1, 10, 5, 5], [4, 5, 3, 2], { group: 2, dilations: [1, 2] }),
    convolution("groups of many channels: per image", [2, 32, 4, 5], [4, 16, 3, 3], { group: 2, pads: [1, 0, 0, 1] }),
    convolution("depthwise, many channels: turned", [2, 6, 5, 5], [6, 1, 3, 3], { group: 6, pads: [1, 1, 1, 1] }),
    convolution("depthwise, two maps a channel", [2, 3, 6, 6], [6, 1, 3, 3], { group: 3 }),
    convolution("a point, stride 2", [2, 40, 5, 5], [3, 40, 1, 1], { strides: [2, 2] }),
    convolution("more padding than window", [1, 5, 4, 4], [2, 5, 2, 2], { pads: [2, 2, 1, 2] }),
    convolution("padded to the same size, odd", [1, 5, 5, 4], [2, 5, 2, 3], {
      auto_pad: "SAME_UPPER",
      strides: [2, 1],
    }),
    convolution("padded to the same size, lower", [1, 2, 5, 4], [2, 2, 2, 4], { auto_pad: "SAME_LOWER" }),
    convolution("1-D, one channel", [2, 1, 9], [4, 1, 3], { pads: [1, 1] }, true),
    convolution("1-D, many channels", [2, 12, 9], [3, 12, 3], { pads: [2, 0], dilations: [2] }, true),
    convolution("1-D, long: shifted", [1, 16, 260], [2, 16, 3]),
    convolution("1-D, strides and groups", [2, 6, 11], [4, 3, 4], { strides: [3], group: 2, pads: [1, 2] }),
    convolution("1-D, a batch of one, one stop", [1, 2, 3], [2, 2, 3]),
    convolution("3-D, one channel", [2, 1, 4, 5, 3], [2, 1, 2, 3, 2], { pads: [1, 0, 1, 0, 1, 0] }, true),
    convolution("3-D, many channels", [1, 5, 4, 5, 4], [3, 5, 3, 2, 2], { pads: [1, 1, 1, 1, 0, 1] }),
    convolution("3-D, wide: shifted", [1, 16, 8, 7, 8], [2, 16, 2, 1, 2]),
    convolution("3-D, strides, dilations, groups", [1, 4, 6, 5, 7], [4, 2, 2, 2, 3], {
      strides: [2, 1, 2],
      dilations: [1, 2, 2],
      group: 2,
    }),
    convolution("4-D", [1, 2, 3, 3, 3, 3], [2, 2, 2, 2, 2, 2], { strides: [1, 2, 1, 1] }),
  ],
  ConvTranspose: [
    transposed("a window at every element", [2, 3, 4, 3], [3, 2, 3, 3], {}, 2),
    transposed(
      "strides with output padding",
      [2, 3, 4, 3],
      [3, 2, 3, 2],
      { strides: [2, 3], output_padding: [1, 2] },
      2,
    ),
    transposed("pads, dilations", [1, 5, 4, 5], [5, 2, 3, 3], { dilations: [2, 1], pads: [1, 2, 0, 1] }),
    transposed("groups", [2, 4, 3, 3], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }, 6),
    transposed("depthwise", [1, 3, 4, 4], [3, 1, 4, 4], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }),
    transposed("the same size times the stride", [1, 2, 3, 4], [2, 2, 3, 3], {
      auto_pad: "SAME_UPPER",
      strides: [2, 2],
    }),
    transposed("the same, lower", [1, 2, 3, 4], [2, 2, 3, 3], { auto_pad: "SAME_LOWER", strides: [2, 2] }),
    transposed("a size that was asked for", [1, 2, 3, 3], [2, 2, 3, 3], { output_shape: [6, 5], strides: [2, 2] }),
    transposed("wide images: shifted", [1, 2, 17, 18], [2, 16, 3, 3]),
    transposed("1-D", [2, 3, 5], [3, 4, 4], { strides: [2], pads: [1, 1] }, 4),
    transposed("3-D", [1, 2, 3, 2, 3], [2, 2, 2, 3, 2], { strides: [2, 1, 2], output_padding: [1, 0, 1] }, 2),
  ],
  Col2Im: [
    columns("overlapping blocks", [2, 18, 12], [5, 6], [3, 3]),
    columns("strides, pads, dilations", [1, 8, 12], [6, 7], [2, 2], {
      strides: [2, 2],
      dilations: [2, 1],
      pads: [1, 0, 1, 1],
    }),
    columns("1-D", [1, 6, 4], [6], [3]),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
