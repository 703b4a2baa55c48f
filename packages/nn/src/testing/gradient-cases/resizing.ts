/** @file Resize: every mode and every way to place the new elements. */
import { type AttributesOf, tensor } from "@gristmill/onnx";
import type { GradientCase } from "../gradient-check.ts";
import { random, withConstants } from "./make-case.ts";

type Attributes = AttributesOf<"Resize">;

const toSizes = (name: string, x: readonly number[], sizes: readonly number[], attributes: Attributes): GradientCase =>
  withConstants(
    name,
    "Resize",
    [random(...x)],
    (math) => [undefined, undefined, math.builder.ints(...sizes)],
    attributes,
    "float32",
  );

const byScales = (
  name: string,
  x: readonly number[],
  scales: readonly number[],
  attributes: Attributes,
  region?: readonly number[],
): GradientCase =>
  withConstants(
    name,
    "Resize",
    [random(...x)],
    (math) =>
      [region, scales].map(
        (list) => list && math.builder.constant(tensor("float32", [list.length], Float32Array.from(list))),
      ),
    attributes,
    "float32",
  );

const places = ["half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"];

/** Resize: every mode and every way to place the new elements. */
export const resizingCases = {
  Resize: [
    ...places.map((place) =>
      toSizes(`linear, ${place}`, [1, 2, 3, 4], [1, 2, 5, 6], {
        mode: "linear",
        coordinate_transformation_mode: place,
      }),
    ),
    ...places.map((place) =>
      byScales(`nearest, ${place}`, [1, 2, 3, 4], [1, 1, 1.7, 0.6], {
        mode: "nearest",
        coordinate_transformation_mode: place,
      }),
    ),
    ...["floor", "ceil", "round_prefer_ceil"].map((rounding) =>
      toSizes(`nearest, ${rounding}`, [1, 2, 3, 4], [1, 2, 6, 7], { mode: "nearest", nearest_mode: rounding }),
    ),
    ...["half_pixel", "align_corners"].map((place) =>
      toSizes(`cubic, ${place}`, [1, 2, 4, 5], [1, 2, 7, 3], { mode: "cubic", coordinate_transformation_mode: place }),
    ),
    toSizes("cubic, the outside left out", [1, 1, 4, 5], [1, 1, 6, 8], {
      mode: "cubic",
      exclude_outside: 1,
      cubic_coeff_a: -0.5,
    }),
    toSizes("linear, antialiased", [1, 2, 6, 7], [1, 2, 3, 4], { mode: "linear", antialias: 1 }),
    toSizes("cubic, antialiased", [1, 2, 6, 7], [1, 2, 3, 4], { mode: "cubic", antialias: 1 }),
    byScales("a whole number of times", [1, 2, 3, 2], [1, 1, 2, 3], { mode: "nearest" }),
    byScales("a whole number of times, 1-D", [2, 2, 4], [1, 1, 3], {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    }),
    byScales("a whole number of times, a matrix", [2, 3], [2, 2], { mode: "nearest" }),
    byScales("a scale that keeps the size", [1, 1, 3, 4], [1, 1, 1.2, 1.1], { mode: "linear" }),
    toSizes("named axes", [2, 3, 4], [7, 2], { mode: "nearest", axes: [-1, 1] }),
    toSizes("linear, 1-D", [2, 3, 4], [2, 3, 7], { mode: "linear" }),
    toSizes("linear, 3-D", [1, 2, 2, 3, 4], [1, 2, 4, 2, 5], { mode: "linear" }),
    byScales(
      "cut out, with numbers from outside",
      [1, 1, 5, 6],
      [1, 1, 0.8, 0.9],
      { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize", extrapolation_value: 3 },
      [0, 0, 0.3, -0.2, 1, 1, 0.9, 0.8],
    ),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
