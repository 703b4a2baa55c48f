/** @file Operators on images and boxes: sampling, regions of interest, suppression. */
import { multiplyDims } from "../dim.ts";
import { type Dim, formatShape } from "../shape.ts";
import { optional, preset, required } from "./attribute.ts";
import { convolved, windowAttributes } from "./convolution.ts";
import { operator } from "./operator.ts";
import { anything, axesOf, floats, freshAxes, sameDtype, take, takeRank, takeSame, unify } from "./rules.ts";

const { auto_pad: _, ...deformable } = windowAttributes;

/** Images and boxes. */
export const vision = {
  /** Inputs: x [N, C, ...sizes], grid [N, ...positions, axes] of places from -1 to 1. Output [N, C, ...positions]. */
  GridSample: operator({
    since: 20,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {
      align_corners: preset("int", 0),
      mode: preset("string", "linear"),
      padding_mode: preset("string", "zeros"),
    },
    infer: (call) => {
      const x = take(call, 0, [...floats, "int64", "int32", "uint8", "int8", "bool"]);
      const grid = take(call, 1, floats);
      const [batch = 1, channels = 1, ...sizes] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
      const [batches = 1, ...places] = takeRank(call, grid, x.shape.length);
      unify(call, batch, batches, `"${grid.name}" to have a batch of`);
      unify(call, sizes.length, places.at(-1) ?? 1, `"${grid.name}" to end in an axis of`);
      return [{ dtype: x.dtype, shape: [batch, channels, ...places.slice(0, -1)] }];
    },
  }),
  /** Inputs: matrices [N, axes, axes + 1], size [N, C, ...sizes]. Output [N, ...sizes, axes]: a grid for GridSample. */
  AffineGrid: operator({
    since: 20,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { align_corners: preset("int", 0) },
    infer: (call) => {
      const theta = take(call, 0, floats);
      take(call, 1, ["int64"]);
      const [batch = 1, axes = 1] = takeRank(call, theta, 3);
      if (axes !== 2 && axes !== 3) throw call.shapeError("matrices for 2 or 3 axes", formatShape(theta.shape));
      const sizes = call.contents(1)?.slice(2) ?? freshAxes(call, axes);
      unify(call, axes, sizes.length, "sizes of axes:");
      return [{ dtype: theta.dtype, shape: [batch, ...sizes, axes] }];
    },
  }),
  /** Inputs: x [N, C, H, W], boxes [count, 4], their images (int64 [count]). Output [count, C, height, width]. */
  RoiAlign: operator({
    since: 16,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: {
      coordinate_transformation_mode: preset("string", "half_pixel"),
      mode: preset("string", "avg"),
      output_height: preset("int", 1),
      output_width: preset("int", 1),
      sampling_ratio: preset("int", 0),
      spatial_scale: preset("float", 1),
    },
    infer: (call) => {
      const [x, boxes] = takeSame(call, floats, 2);
      if (x === undefined || boxes === undefined) return [];
      const [, channels = 1] = takeRank(call, x, 4);
      const [count = 1, corners = 4] = takeRank(call, boxes, 2);
      unify(call, 4, corners, "corners of a box:");
      const [images = 1] = takeRank(call, take(call, 2, ["int64"]), 1);
      const { output_height, output_width } = call.attributes;
      return [{ dtype: x.dtype, shape: [unify(call, count, images, "boxes:"), channels, output_height, output_width] }];
    },
  }),
  /** Inputs: x [N, C, H, W], boxes [count, 5] (image, corners). */
  MaxRoiPool: operator({
    since: 1,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { pooled_shape: required("ints"), spatial_scale: preset("float", 1) },
    infer: (call) => {
      const [x, boxes] = takeSame(call, floats, 2);
      if (x === undefined || boxes === undefined) return [];
      const [, channels = 1] = takeRank(call, x, 4);
      const [count = 1] = takeRank(call, boxes, 2);
      const { pooled_shape } = call.attributes;
      if (pooled_shape.length !== 2) throw call.shapeError("2 numbers in pooled_shape", formatShape(pooled_shape));
      return [{ dtype: x.dtype, shape: [count, channels, ...pooled_shape] }];
    },
  }),
  /** Inputs: boxes [N, boxes, 4], scores [N, classes, boxes], limits (scalars). Output: triples (image, class, box). */
  NonMaxSuppression: operator({
    since: 11,
    inputs: [2, 5],
    outputs: [1, 1],
    attributes: { center_point_box: preset("int", 0) },
    infer: (call) => {
      const [boxes, scores] = [take(call, 0, ["float32"]), take(call, 1, ["float32"])];
      const [images = 1, count = 1, corners = 4] = takeRank(call, boxes, 3);
      const [batch = 1, , scored = 1] = takeRank(call, scores, 3);
      unify(call, 4, corners, "corners of a box:");
      unify(call, images, batch, "scores for images:");
      unify(call, count, scored, "scores for boxes:");
      if (call.inputs[2] !== undefined) take(call, 2, ["int64"]);
      return [{ dtype: "int64", shape: [call.fresh("selected"), 3] }];
    },
  }),
  /** Inputs: x [N, C, ...], weights, offsets [N, groups * kernel * axes, ...], bias, mask. A Conv that looks where offsets say. */
  DeformConv: operator({
    since: 19,
    inputs: [3, 5],
    outputs: [1, 1],
    attributes: { ...deformable, offset_group: preset("int", 1) },
    infer: (call) => {
      const [x, w] = takeSame(call, floats, 3);
      if (x === undefined || w === undefined) return [];
      const shape = convolved({ ...call, attributes: { ...call.attributes, auto_pad: "NOTSET" } }, x, w);
      const offsets = takeRank(call, call.input(2), x.shape.length);
      const kernel = multiplyDims(...w.shape.slice(2));
      const axes = x.shape.length - 2;
      const expected = multiplyDims(call.attributes.offset_group * axes, kernel);
      unify(call, expected, offsets[1] ?? 1, `"${call.input(2).name}" to have channels:`);
      sameDtype(call, 3, x);
      sameDtype(call, 4, x);
      return [{ dtype: x.dtype, shape }];
    },
  }),
  /** Inputs: x, sizes of `axes`. Cut or padded with 0, evenly on both sides. */
  CenterCropPad: operator({
    since: 18,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axes: optional("ints") },
    infer: (call) => {
      const x = take(call, 0, anything);
      const axes = axesOf(call, call.attributes.axes ?? x.shape.map((_, i) => i), x.shape.length);
      const sizes = call.contents(1);
      if (sizes !== undefined && sizes.length !== axes.length)
        throw call.shapeError(`${axes.length} sizes`, formatShape(sizes));
      const size = (axis: number): Dim => sizes?.[axes.indexOf(axis)] ?? call.fresh(`axis${axis}`);
      return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (axes.includes(i) ? size(i) : dim)) }];
    },
  }),
};
