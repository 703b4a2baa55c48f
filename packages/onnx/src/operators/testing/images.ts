/** @file Cases of operators on images and boxes, of chosen elements, and of attention. */
import type { attention } from "../attention.ts";
import type { selection } from "../selection.ts";
import type { vision } from "../vision.ts";
import { type CasesOf, f, fed, fixed, ints, of } from "./case.ts";

const theta = of("float32", [2, 2, 3], 1, 0, 0, 0, 1, 0, 0.5, 0, 0.1, 0, 0.5, 0);
const boxes = of("float32", [3, 4], 0, 0, 4, 4, 1, 1, 5, 5, 2, 0, 6, 3);
const batches = "the batch of both inputs is one size";

/** Cases of `vision.ts`. */
export const visionCases: CasesOf<typeof vision> = {
  GridSample: [
    { note: "images", inputs: [f(2, 3, 4, 5), f(2, 6, 7, 2)] },
    { note: "volumes, nearest", inputs: [f(1, 2, 3, 4, 5), f(1, 2, 3, 4, 3)], attributes: { mode: "nearest" } },
  ],
  AffineGrid: [
    { note: "a constant size", inputs: [theta, ints(2, 3, 4, 5)] },
    { note: "a fed size", open: 2, inputs: [theta, of("int64", [4], 2, 3, 4, 5)], numbersOnly: "4 sizes are meant" },
  ],
  RoiAlign: [
    {
      note: "three boxes",
      inputs: [f(1, 2, 8, 8), boxes, of("int64", [3], 0, 0, 0)],
      attributes: { output_height: 2, output_width: 3 },
    },
  ],
  MaxRoiPool: [
    {
      note: "two boxes",
      inputs: [f(1, 2, 8, 8), of("float32", [2, 5], 0, 0, 0, 4, 4, 0, 1, 1, 5, 5)],
      attributes: { pooled_shape: [2, 3] },
    },
  ],
  NonMaxSuppression: [
    {
      note: "boxes that overlap",
      open: 1,
      inputs: [
        of("float32", [1, 3, 4], 0, 0, 1, 1, 0, 0, 1, 1.1, 2, 2, 3, 3),
        of("float32", [1, 1, 3], 0.9, 0.8, 0.7),
        fixed("int64", [1], 3),
        fixed("float32", [1], 0.5),
      ],
    },
  ],
  DeformConv: [
    { note: "2 by 2", inputs: [f(1, 1, 3, 3), { ...f(1, 1, 2, 2), fixed: true }, f(1, 8, 2, 2)], numbersOnly: batches },
  ],
  CenterCropPad: [
    { note: "all axes", inputs: [f(5, 4), ints(3, 7)], numbersOnly: "3 is meant" },
    { note: "one axis", inputs: [f(5, 4), ints(6)], attributes: { axes: [-1] } },
    { note: "fed sizes", open: 2, inputs: [f(5, 4), of("int64", [2], 3, 7)], numbersOnly: "2 sizes are meant" },
  ],
};

/** Cases of `selection.ts`. */
export const selectionCases: CasesOf<typeof selection> = {
  Compress: [
    { note: "rows", open: 1, inputs: [f(3, 2), of("bool", [3], 1, 0, 1)], attributes: { axis: 0 } },
    { note: "elements", open: 1, inputs: [f(3, 2), of("bool", [5], 1, 0, 1, 0, 1)] },
  ],
  Unique: [
    { note: "elements", open: 3, inputs: [of("float32", [2, 3], 3, 1, 1, 2, 3, 4)], outputs: 4 },
    {
      note: "rows",
      open: 3,
      inputs: [of("float32", [3, 2], 1, 0, 1, 0, 2, 3)],
      attributes: { axis: 0, sorted: 0 },
      outputs: 4,
    },
  ],
  TensorScatter: [
    { note: "one step", inputs: [f(2, 3, 5, 4), f(2, 3, 1, 4), of("int64", [2], 1, 4)] },
    { note: "from the start", inputs: [f(2, 5, 4), f(2, 2, 4)] },
  ],
  ReverseSequence: [
    { note: "steps first", inputs: [f(4, 3), of("int64", [3], 1, 4, 2)] },
    {
      note: "batch first",
      inputs: [f(3, 4, 2), of("int64", [3], 1, 4, 2)],
      attributes: { batch_axis: 0, time_axis: 1 },
    },
  ],
};

/** Cases of `attention.ts`. */
export const attentionCases: CasesOf<typeof attention> = {
  Attention: [
    { note: "four axes", inputs: [f(2, 3, 4, 8), f(2, 3, 6, 8), f(2, 3, 6, 5)] },
    {
      note: "three axes, grouped",
      inputs: [f(2, 4, 24), f(2, 6, 8), f(2, 6, 8)],
      attributes: { q_num_heads: 6, kv_num_heads: 2 },
    },
    {
      note: "with a past, all outputs",
      inputs: [f(2, 3, 4, 8), f(2, 3, 6, 8), f(2, 3, 6, 8), undefined, f(2, 3, 5, 8), f(2, 3, 5, 8)],
      attributes: { is_causal: 1 },
      outputs: 4,
    },
    { note: "a mask", inputs: [f(1, 2, 3, 4), f(1, 2, 3, 4), f(1, 2, 3, 4), fed("bool", 3, 3)], numbersOnly: batches },
  ],
  RotaryEmbedding: [
    { note: "four axes", inputs: [f(2, 3, 4, 8), f(2, 4, 4), f(2, 4, 4)] },
    {
      note: "three axes, positions",
      inputs: [f(1, 4, 16), f(50, 4), f(50, 4), of("int64", [1, 4], 0, 1, 2, 3)],
      attributes: { num_heads: 2 },
    },
  ],
};
