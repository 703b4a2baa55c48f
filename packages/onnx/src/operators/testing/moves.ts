/** @file Cases of operators that move, pick and make elements. */
import { tensor } from "../../tensor.ts";
import type { creation } from "../creation.ts";
import type { gathering } from "../gather.ts";
import type { layout } from "../layout.ts";
import type { resizing } from "../resize.ts";
import type { slicing } from "../slice.ts";
import { type CasesOf, f, fixed, ints, of } from "./case.ts";

/** Cases of `layout.ts`. */
export const layoutCases: CasesOf<typeof layout> = {
  Reshape: [
    { note: "keeps the batch, joins the rest", inputs: [f(2, 3, 4), ints(0, -1)] },
    { note: "joins the batch too", inputs: [f(2, 3, 4), ints(-1, 4)] },
    { note: "splits", inputs: [f(2, 12), ints(0, 3, 4)] },
    { note: "to a scalar", inputs: [f(1), ints()], numbersOnly: "a named axis may hold more than one element" },
    { note: "an empty axis", inputs: [f(2, 0), ints(0, 3)], attributes: { allowzero: 1 }, numbersOnly: "0 is meant" },
    {
      note: "a fed shape",
      open: 3,
      inputs: [f(2, 6), of("int64", [3], 2, 3, 2)],
      numbersOnly: "the shape's length must be known",
    },
  ],
  Flatten: [
    { note: "images", inputs: [f(2, 3, 4, 5)] },
    { note: "axis 0", inputs: [f(2, 3)], attributes: { axis: 0 } },
    { note: "last axis", inputs: [f(2, 3, 4)], attributes: { axis: -1 } },
    { note: "behind the last", inputs: [f(2, 3)], attributes: { axis: 2 } },
  ],
  Transpose: [
    { note: "given", inputs: [f(2, 3, 4)], attributes: { perm: [1, 2, 0] } },
    { note: "reversed", inputs: [f(2, 3, 4)] },
  ],
  Squeeze: [
    { note: "given", inputs: [f(2, 1, 3, 1), ints(1)] },
    { note: "from the end", inputs: [f(2, 1, 3, 1), ints(-1, 1)] },
    { note: "all", inputs: [f(2, 1, 3, 1)] },
    { note: "fed axes", open: 2, inputs: [f(2, 1, 3), of("int64", [1], 1)], numbersOnly: "one axis is meant" },
  ],
  Unsqueeze: [
    { note: "ends", inputs: [f(2, 3), ints(0, -1)] },
    { note: "middle", inputs: [f(2, 3), ints(1)] },
    { note: "fed axes", open: 4, inputs: [f(2, 3), of("int64", [2], 0, 3)], numbersOnly: "two axes are meant" },
  ],
  Concat: [
    { note: "columns", inputs: [f(2, 3), f(2, 4), f(2, 1)], attributes: { axis: 1 } },
    { note: "rows", inputs: [f(2, 3), f(4, 3)], attributes: { axis: 0 } },
    { note: "one", inputs: [f(2, 3)], attributes: { axis: -1 } },
  ],
  Split: [
    { note: "even", inputs: [f(2, 6)], attributes: { axis: 1, num_outputs: 3 }, outputs: 3 },
    { note: "uneven", inputs: [f(2, 7)], attributes: { axis: -1, num_outputs: 3 }, outputs: 3 },
    { note: "given", inputs: [f(2, 6), ints(1, 2, 3)], attributes: { axis: 1 }, outputs: 3 },
    { note: "even rows", inputs: [f(4, 2)], attributes: { num_outputs: 2 }, outputs: 2 },
  ],
  Expand: [
    { note: "rows", inputs: [f(2, 1), ints(2, 3)], numbersOnly: "2 is meant" },
    { note: "keeps", inputs: [f(2, 1), ints(1, 3)] },
    { note: "more axes", inputs: [f(2, 1), ints(4, 1, 3)] },
  ],
  Tile: [{ note: "both axes", inputs: [f(2, 3), ints(2, 3)] }],
  Pad: [
    { note: "all axes", inputs: [f(2, 3), ints(1, 0, 2, 3)] },
    { note: "some axes", inputs: [f(2, 3, 4), ints(1, 2), fixed("float32", [], 5), ints(-1)] },
    { note: "reflect", inputs: [f(2, 5), ints(0, 2, 0, 1)], attributes: { mode: "reflect" } },
    { note: "cut", inputs: [f(2, 5), ints(0, -1, 0, -2)] },
  ],
  Shape: [
    { note: "all", inputs: [f(2, 3, 4)] },
    { note: "a part", inputs: [f(2, 3, 4)], attributes: { start: -2, end: 2 } },
  ],
  DepthToSpace: [{ note: "blocks", inputs: [f(2, 8, 3, 4)], attributes: { blocksize: 2 } }],
  SpaceToDepth: [{ note: "blocks", inputs: [f(2, 3, 4, 6)], attributes: { blocksize: 2 } }],
};

/** Cases of `slice.ts`. */
export const slicingCases: CasesOf<typeof slicing> = {
  Slice: [
    { note: "first axes", inputs: [f(5, 6), ints(1, 2), ints(4, 100)], numbersOnly: "a named axis may be shorter" },
    { note: "one axis", inputs: [f(5, 6), ints(1), ints(-1), ints(1)] },
    { note: "steps", inputs: [f(5, 7), ints(0), ints(7), ints(1), ints(3)] },
    { note: "backwards", inputs: [f(5, 7), ints(-1), ints(-1000), ints(-1), ints(-2)] },
    { note: "named axis from 1", inputs: [f(5, 7), ints(1), ints(2 ** 40), ints(0)] },
    { note: "named axis without the last", inputs: [f(5, 7), ints(0), ints(-1), ints(0)] },
    { note: "named axis backwards", inputs: [f(5, 7), ints(-1), ints(-(2 ** 40)), ints(0), ints(-1)] },
    {
      note: "named axis, the last one",
      open: { numbers: 0, named: 1 },
      inputs: [f(5, 7), ints(-1), ints(2 ** 40), ints(0)],
    },
    { note: "nothing left", inputs: [f(5, 7), ints(5), ints(3), ints(1)] },
    { note: "fed bounds", open: 1, inputs: [f(5, 7), of("int64", [1], 1), of("int64", [1], 3), ints(1)] },
  ],
};

/** Cases of `resize.ts`. */
export const resizingCases: CasesOf<typeof resizing> = {
  Resize: [
    { note: "scales", inputs: [f(2, 3, 4, 5), undefined, fixed("float32", [4], 1, 1, 2, 2)] },
    { note: "broken scales", inputs: [f(2, 3, 4, 5), undefined, fixed("float32", [4], 1, 1, 1.3, 0.7)] },
    { note: "sizes", inputs: [f(1, 3, 4, 5), undefined, undefined, ints(1, 3, 8, 9)], attributes: { mode: "linear" } },
    { note: "some axes", inputs: [f(2, 3, 4, 5), undefined, undefined, ints(8, 9)], attributes: { axes: [2, 3] } },
  ],
};

/** Cases of `gather.ts`. */
export const gatheringCases: CasesOf<typeof gathering> = {
  Gather: [
    { note: "rows", inputs: [f(5, 3), of("int64", [2, 2], 0, 4, 1, 1)] },
    { note: "columns", inputs: [f(5, 3), of("int32", [2], 0, 2)], attributes: { axis: 1 } },
    { note: "one row", inputs: [f(5, 3), fixed("int64", [], -1)] },
  ],
  GatherElements: [{ note: "columns", inputs: [f(2, 3), of("int64", [2, 2], 0, 2, 1, 1)], attributes: { axis: 1 } }],
  GatherND: [
    { note: "elements", inputs: [f(2, 3), of("int64", [4, 2], 0, 0, 1, 2, 1, 1, 0, 1)] },
    { note: "rows", inputs: [f(2, 3), of("int64", [4, 1], 0, 1, 1, 0)] },
    { note: "in a batch", inputs: [f(2, 3, 4), of("int64", [2, 1], 0, 2)], attributes: { batch_dims: 1 } },
  ],
  ScatterElements: [
    { note: "replace", inputs: [f(2, 3), of("int64", [2, 1], 0, 2), f(2, 1)], attributes: { axis: 1 } },
    {
      note: "add",
      inputs: [f(2, 3), of("int64", [2, 2], 0, 0, 1, 1), f(2, 2)],
      attributes: { axis: 1, reduction: "add" },
    },
  ],
  ScatterND: [
    { note: "add rows", inputs: [f(5, 3), of("int64", [2, 1], 1, 1), f(2, 3)], attributes: { reduction: "add" } },
  ],
  OneHot: [
    { note: "last axis", inputs: [of("int64", [3], 0, 2, 1), fixed("int64", [], 4), fixed("float32", [2], 0, 1)] },
    {
      note: "first axis",
      inputs: [of("int32", [3], 0, 2, 1), fixed("int32", [1], 4), fixed("float32", [2], 0, 1)],
      attributes: { axis: 0 },
    },
    {
      note: "all floats",
      inputs: [of("float32", [2, 2], 0, 2, 1, 0), fixed("float32", [], 3), fixed("float32", [2], 0, 1)],
    },
  ],
};

/** Cases of `creation.ts`. */
export const creationCases: CasesOf<typeof creation> = {
  Constant: [
    { note: "a tensor", inputs: [], attributes: { value: tensor("int32", [2, 1], Int32Array.of(1, 2)) } },
    { note: "a float", inputs: [], attributes: { value_float: 1 } },
    { note: "floats", inputs: [], attributes: { value_floats: [1, 2] } },
    { note: "an int", inputs: [], attributes: { value_int: 1 } },
    { note: "ints", inputs: [], attributes: { value_ints: [1, 2, 3] } },
    { note: "a string", inputs: [], attributes: { value_string: "a" } },
    { note: "strings", inputs: [], attributes: { value_strings: ["a", "b"] } },
  ],
  ConstantOfShape: [
    { note: "zeros", inputs: [ints(2, 3)] },
    { note: "int64 ones", inputs: [ints(2)], attributes: { value: tensor("int64", [1], BigInt64Array.of(1n)) } },
    { note: "a scalar", inputs: [ints()] },
    { note: "a fed shape", open: 2, inputs: [of("int64", [2], 2, 3)], numbersOnly: "the shape's length must be known" },
  ],
  Range: [
    { note: "whole", inputs: [fixed("int64", [], 1), fixed("int64", [], 8), fixed("int64", [], 3)] },
    { note: "float", inputs: [fixed("float32", [], 0), fixed("float32", [], 1), fixed("float32", [], 0.25)] },
    { note: "down", inputs: [fixed("int64", [], 5), fixed("int64", [], 0), fixed("int64", [], -2)] },
    { note: "empty", inputs: [fixed("int64", [], 5), fixed("int64", [], 0), fixed("int64", [], 2)] },
    { note: "fed", open: 1, inputs: [of("int64", [], 1), of("int64", [], 8), of("int64", [], 3)] },
  ],
};
