/** @file Layers that add zeros at the ends of axes, or take what is there away. */
import { ShapeError } from "@gristmill/onnx";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { toChannelsFirst } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";
import { margins } from "../spatial/fields.ts";
import { type Rank, spatialShape } from "../spatial/window.ts";

/** How much at the ends: a number for all, one for each axis, or [before, after] for each. */
export type Margins = number | readonly (number | readonly [number, number])[];

type Pairs = readonly (readonly [number, number])[];

/** Sizes after adding so much to each axis. */
function changed(input: SampleShape, rank: Rank, added: (axis: number) => number, where: string): SampleShape {
  const { sizes, channels } = spatialShape(input, rank, where);
  const map = sizes.map((size, axis) => (size === null ? null : size + added(axis)));
  if (map.some((size) => size !== null && size < 1))
    throw new ShapeError(
      where,
      `expected something to be left of ${formatSample(input)}, received croppings that leave ${formatSample(map)}; crop less`,
    );
  return [...map, channels];
}

const sumOf = (pairs: Pairs, axis: number): number => (pairs[axis]?.[0] ?? 0) + (pairs[axis]?.[1] ?? 0);

const definePadding = (rank: Rank): DefinedLayer =>
  defineLayer({
    type: `zeroPadding${rank}d`,
    fields: { padding: margins(rank, 1) },
    outputShape: ({ padding }, input, where) => changed(input, rank, (axis) => sumOf(padding, axis), where),
    build({ padding }, { math, path }, input) {
      const pads = [0, 0, ...padding.map(([before]) => before), 0, 0, ...padding.map(([, after]) => after)];
      const value = math.builder.op("Pad", [toChannelsFirst(math, input), math.builder.ints(...pads)]);
      const shape = changed(input.shape, rank, (axis) => sumOf(padding, axis), path);
      return { value, shape, layout: { kind: "channelsFirst" } };
    },
  });

// "to the end", for axes whose size only the run knows
const toEnd = 2 ** 31 - 1;

const defineCropping = (rank: Rank): DefinedLayer =>
  defineLayer({
    type: `cropping${rank}d`,
    fields: { cropping: margins(rank, rank === 2 ? 0 : 1) },
    outputShape: ({ cropping }, input, where) => changed(input, rank, (axis) => -sumOf(cropping, axis), where),
    build({ cropping }, { math, path }, input) {
      const axes = cropping.map((_, axis) => axis + 2);
      const starts = cropping.map(([before]) => before);
      const ends = cropping.map(([, after]) => (after === 0 ? toEnd : -after));
      const value = math.slice(toChannelsFirst(math, input), axes, starts, ends);
      const shape = changed(input.shape, rank, (axis) => -sumOf(cropping, axis), path);
      return { value, shape, layout: { kind: "channelsFirst" } };
    },
  });

/** The table's entry of `zeroPadding1d`. */
export const zeroPadding1dKind = definePadding(1);
/** The table's entry of `zeroPadding2d`. */
export const zeroPadding2dKind = definePadding(2);
/** The table's entry of `zeroPadding3d`. */
export const zeroPadding3dKind = definePadding(3);
/** The table's entry of `cropping1d`. */
export const cropping1dKind = defineCropping(1);
/** The table's entry of `cropping2d`. */
export const cropping2dKind = defineCropping(2);
/** The table's entry of `cropping3d`. */
export const cropping3dKind = defineCropping(3);

/** Zeros before and after a sequence [batch, steps, channels]; `padding` 1, or [before, after]. ONNX: Pad. */
export const zeroPadding1d = (padding: number | readonly [number, number] = 1, options: CommonOptions = {}): Layer =>
  zeroPadding1dKind.make({ padding, ...options });
/** Zeros around an image [batch, height, width, channels]; `padding` 1, [rows, columns], or [[top, bottom], [left, right]]. ONNX: Pad. */
export const zeroPadding2d = (padding: Margins = 1, options: CommonOptions = {}): Layer =>
  zeroPadding2dKind.make({ padding, ...options });
/** Zeros around a volume [batch, depth, height, width, channels]; `padding` 1, or as for images. ONNX: Pad. */
export const zeroPadding3d = (padding: Margins = 1, options: CommonOptions = {}): Layer =>
  zeroPadding3dKind.make({ padding, ...options });
/** Takes steps away at the ends of a sequence; `cropping` 1, or [before, after]. ONNX: Slice. @throws SpecError when nothing is left */
export const cropping1d = (cropping: number | readonly [number, number] = 1, options: CommonOptions = {}): Layer =>
  cropping1dKind.make({ cropping, ...options });
/** Takes rows and columns away at the edges of an image; `cropping` 0, [rows, columns], or [[top, bottom], [left, right]]. ONNX: Slice. @throws SpecError when nothing is left */
export const cropping2d = (cropping: Margins = 0, options: CommonOptions = {}): Layer =>
  cropping2dKind.make({ cropping, ...options });
/** Takes slices away at the ends of a volume; `cropping` 1 as in Keras, or as for images. ONNX: Slice. @throws SpecError when nothing is left */
export const cropping3d = (cropping: Margins = 1, options: CommonOptions = {}): Layer =>
  cropping3dKind.make({ cropping, ...options });
