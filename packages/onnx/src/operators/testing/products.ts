/** @file Cases of matrix products, convolutions, poolings, normalizations. */
import type { convolution } from "../convolution.ts";
import type { matrix } from "../matrix.ts";
import type { normalization } from "../normalization.ts";
import type { pooling } from "../pooling.ts";
import { type CasesOf, f, fed, fixed, ints, of } from "./case.ts";

/** Cases of `matrix.ts`. */
export const matrixCases: CasesOf<typeof matrix> = {
  MatMul: [
    { note: "matrices", inputs: [f(2, 3), f(3, 4)] },
    { note: "a batch and a matrix", inputs: [f(5, 2, 3), f(3, 4)] },
    { note: "batches that stretch", inputs: [f(5, 1, 2, 3), f(7, 3, 4)] },
    { note: "a vector on the left", inputs: [f(3), f(3, 4)] },
    { note: "a vector on the right", inputs: [f(5, 2, 3), f(3)] },
    { note: "two vectors", inputs: [f(3), f(3)] },
  ],
  Gemm: [
    { note: "with bias", inputs: [f(2, 3), f(3, 4), f(4)], attributes: { alpha: 1, beta: 2 } },
    { note: "both turned, no bias", inputs: [f(3, 2), f(4, 3)], attributes: { transA: 1, transB: 1, alpha: 0.5 } },
    { note: "a bias column", inputs: [f(2, 3), f(3, 4), f(2, 1)] },
    { note: "a scalar bias", inputs: [f(2, 3), f(3, 4), fixed("float32", [], 1)] },
    { note: "float64", inputs: [fed("float64", 2, 3), fed("float64", 3, 4)] },
  ],
  Einsum: [
    { note: "a product", inputs: [f(2, 3), f(3, 4)], attributes: { equation: "ij,jk->ik" } },
    { note: "dots", inputs: [f(5, 2, 3), f(5, 3, 4)], attributes: { equation: "...ij, ...jk -> ...ik" } },
    { note: "no arrow", inputs: [f(3, 2)], attributes: { equation: "ba" } },
    { note: "a full sum", inputs: [f(2, 3), f(2, 3)], attributes: { equation: "ij,ij->" } },
    {
      note: "a diagonal",
      inputs: [f(3, 3)],
      attributes: { equation: "ii->i" },
      numbersOnly: "both axes have one letter",
    },
  ],
  Det: [{ note: "a batch", inputs: [f(2, 3, 3)] }],
};

const w = (...shape: number[]) => ({ ...f(...shape), fixed: true });

/** Cases of `convolution.ts`. */
export const convolutionCases: CasesOf<typeof convolution> = {
  Conv: [
    { note: "valid", inputs: [f(2, 3, 8, 9), w(4, 3, 3, 2), w(4)] },
    {
      note: "strides and pads",
      inputs: [f(2, 3, 8, 9), w(4, 3, 3, 3)],
      attributes: { strides: [2, 3], pads: [1, 0, 2, 1] },
    },
    {
      note: "same, strides 2",
      inputs: [f(2, 3, 7, 8), w(4, 3, 3, 3)],
      attributes: { auto_pad: "SAME_UPPER", strides: [2, 2] },
    },
    { note: "same lower", inputs: [f(1, 1, 7, 7), w(1, 1, 2, 2)], attributes: { auto_pad: "SAME_LOWER" } },
    { note: "named valid", inputs: [f(1, 1, 7, 7), w(1, 1, 2, 2)], attributes: { auto_pad: "VALID", strides: [2, 2] } },
    { note: "dilated groups", inputs: [f(2, 4, 9, 9), w(6, 2, 3, 3)], attributes: { group: 2, dilations: [2, 3] } },
    { note: "depthwise", inputs: [f(2, 4, 5, 5), w(4, 1, 3, 3)], attributes: { group: 4, kernel_shape: [3, 3] } },
    { note: "one axis", inputs: [f(2, 3, 8), w(4, 3, 3)], attributes: { pads: [1, 1] } },
    { note: "three axes", inputs: [f(1, 2, 4, 5, 6), w(3, 2, 2, 2, 2)] },
    { note: "weights fed", inputs: [f(2, 3, 8, 9), f(4, 3, 3, 2)] },
  ],
  ConvTranspose: [
    { note: "plain", inputs: [f(2, 3, 4, 5), w(3, 4, 3, 2), w(4)] },
    {
      note: "strides, pads, extra",
      inputs: [f(2, 3, 4, 5), w(3, 4, 3, 3)],
      attributes: { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 2] },
    },
    { note: "dilated groups", inputs: [f(2, 4, 4, 4), w(4, 3, 3, 3)], attributes: { group: 2, dilations: [2, 2] } },
    { note: "same", inputs: [f(1, 2, 4, 4), w(2, 1, 3, 3)], attributes: { auto_pad: "SAME_UPPER", strides: [2, 2] } },
    {
      note: "a wanted size",
      inputs: [f(1, 2, 4, 4), w(2, 1, 3, 3)],
      attributes: { output_shape: [8, 9], strides: [2, 2] },
    },
  ],
  Col2Im: [
    { note: "plain", inputs: [f(2, 18, 20), ints(6, 7), ints(3, 3)] },
    {
      note: "strides and pads",
      inputs: [f(2, 4, 16), ints(6, 6), ints(2, 2)],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
    },
    { note: "dilated", inputs: [f(1, 4, 25), ints(7, 7), ints(2, 2)], attributes: { dilations: [2, 2] } },
    {
      note: "fed sizes",
      open: 3,
      inputs: [f(1, 4, 25), of("int64", [2], 6, 6), of("int64", [2], 2, 2)],
      numbersOnly: "two axes are meant",
    },
  ],
};

/** Cases of `pooling.ts`. */
export const poolingCases: CasesOf<typeof pooling> = {
  MaxPool: [
    { note: "tiles", inputs: [f(2, 3, 6, 6)], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    {
      note: "with positions",
      inputs: [f(2, 3, 7, 7)],
      attributes: { kernel_shape: [3, 3], strides: [2, 2] },
      outputs: 2,
    },
    {
      note: "rounded up",
      inputs: [f(1, 1, 7, 8)],
      attributes: { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 },
    },
    {
      note: "rounded up, last window all padding",
      inputs: [f(1, 1, 3, 3)],
      attributes: { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 },
    },
    {
      note: "rounded up with pads",
      inputs: [f(1, 1, 6, 6)],
      attributes: { kernel_shape: [3, 3], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 },
    },
    {
      note: "dilated and padded",
      inputs: [f(1, 2, 9, 9)],
      attributes: { kernel_shape: [3, 3], dilations: [2, 2], pads: [1, 1, 1, 1] },
    },
    {
      note: "same",
      inputs: [f(1, 2, 5, 5)],
      attributes: { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" },
    },
    { note: "one axis", inputs: [f(2, 3, 7)], attributes: { kernel_shape: [2] } },
  ],
  AveragePool: [
    { note: "tiles", inputs: [f(2, 3, 6, 6)], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    {
      note: "pads counted",
      inputs: [f(2, 3, 6, 6)],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
    },
    {
      note: "rounded up",
      inputs: [f(1, 1, 7, 8)],
      attributes: { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 },
    },
    { note: "same", inputs: [f(1, 2, 5, 5)], attributes: { kernel_shape: [3, 3], auto_pad: "SAME_UPPER" } },
  ],
  LpPool: [{ note: "tiles", inputs: [f(2, 3, 6, 6)], attributes: { kernel_shape: [2, 2], strides: [2, 2], p: 2 } }],
  MaxUnpool: [
    {
      note: "tiles",
      inputs: [f(1, 1, 2, 2), of("int64", [1, 1, 2, 2], 0, 3, 8, 15)],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    {
      note: "a wanted size",
      inputs: [f(1, 1, 2, 2), of("int64", [1, 1, 2, 2], 0, 3, 8, 15), ints(1, 1, 5, 5)],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
  ],
  GlobalAveragePool: [{ note: "planes", inputs: [f(2, 3, 4, 5)] }],
  GlobalLpPool: [{ note: "planes", inputs: [f(2, 3, 4, 5)], attributes: { p: 1 } }],
  GlobalMaxPool: [{ note: "planes", inputs: [f(2, 3, 4, 5)] }],
};

/** Cases of `normalization.ts`. */
export const normalizationCases: CasesOf<typeof normalization> = {
  Softmax: [
    { note: "last axis", inputs: [f(2, 3)] },
    { note: "first axis", inputs: [f(2, 3)], attributes: { axis: 0 } },
  ],
  LogSoftmax: [{ note: "last axis", inputs: [f(2, 3, 4)] }],
  Hardmax: [{ note: "last axis", inputs: [f(2, 3)] }],
  LayerNormalization: [
    { note: "all outputs", inputs: [f(2, 3, 4), w(4), w(4)], outputs: 3 },
    { note: "two axes, no bias", inputs: [f(2, 3, 4), w(3, 4)], attributes: { axis: 1, epsilon: 1 }, outputs: 3 },
    { note: "one output", inputs: [f(2, 4), w(4), w(4)] },
  ],
  BatchNormalization: [
    { note: "inference", inputs: [f(2, 3, 4), w(3), w(3), w(3), w(3)] },
    { note: "training", inputs: [f(2, 3, 4, 4), w(3), w(3), w(3), w(3)], attributes: { training_mode: 1 }, outputs: 3 },
  ],
  InstanceNormalization: [{ note: "planes", inputs: [f(2, 3, 4, 4), w(3), w(3)] }],
  GroupNormalization: [{ note: "two groups", inputs: [f(2, 4, 3, 3), w(4), w(4)], attributes: { num_groups: 2 } }],
  RMSNormalization: [
    { note: "last axis", inputs: [f(2, 3, 4), w(4)] },
    { note: "two axes", inputs: [f(2, 3, 4), w(3, 4)], attributes: { axis: 1 } },
  ],
  LRN: [{ note: "planes", inputs: [f(2, 5, 3, 3)], attributes: { size: 3 } }],
  LpNormalization: [
    { note: "rows", inputs: [f(2, 3)] },
    { note: "columns, absolute", inputs: [f(2, 3)], attributes: { axis: 0, p: 1 } },
  ],
  MeanVarianceNormalization: [{ note: "planes", inputs: [f(2, 3, 4, 4)] }],
  Dropout: [
    { note: "inference", inputs: [f(2, 3)], outputs: 2 },
    {
      note: "training",
      inputs: [f(2, 3), fixed("float32", [], 0.5), fixed("bool", [], 1)],
      attributes: { seed: 1 },
      outputs: 2,
    },
  ],
};
