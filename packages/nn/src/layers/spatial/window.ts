/** @file Windows that slide over sequences, images and volumes: sizes and padding, as Keras counts them, for convolutions and pools. */
import { ShapeError } from "@gristmill/onnx";
import { formatSample, knownSize, type SampleShape, type Size } from "../shape.ts";

/** "valid" stays inside; "same" pads so that stride 1 keeps the size; "causal" pads in front only, so that no step sees a later one. */
export type Padding = "valid" | "same" | "causal";

/** Axes that a window slides over: steps, an image, a volume. */
export type Rank = 1 | 2 | 3;

const axes: { readonly [R in Rank]: string } = {
  1: "steps",
  2: "height, width",
  3: "depth, height, width",
};

/** "[height, width, channels]" */
const spatialWords = (rank: Rank): string => `[${axes[rank]}, channels]`;

/** Sizes of the axes that a window slides over, and the number of channels. */
export interface Spatial {
  readonly sizes: readonly Size[];
  readonly channels: number;
}

/** @throws ShapeError for anything but the axes and known channels. */
export function spatialShape(input: SampleShape, rank: Rank, where: string): Spatial {
  if (input.length !== rank + 1)
    throw new ShapeError(
      where,
      `expected samples of ${spatialWords(rank)}, received ${formatSample(input)}; put it before flatten(), or give the first layer an inputShape of ${["two", "three", "four"][rank - 1]} sizes`,
    );
  return { sizes: input.slice(0, -1), channels: knownSize(input, -1, where) };
}

/** A window and how it moves, a number for each axis. */
export interface Window {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
}

/** Where a window stops: the map's sizes, and ONNX's pads, those before every axis and then those behind. */
export interface Sliding {
  readonly map: readonly Size[];
  readonly pads: readonly number[];
}

/** Steps of a window that spans `span` along one axis, and the padding before and after it. */
function along(
  size: Size,
  span: number,
  stride: number,
  padding: Padding,
): readonly [Size, number, number] | undefined {
  if (padding === "valid") return [size === null ? null : Math.floor((size - span) / stride) + 1, 0, 0];
  if (padding === "causal") return [size === null ? null : Math.ceil(size / stride), span - 1, 0];
  // at stride 1 the padding is the same for every size
  if (size === null && stride > 1) return undefined;
  const steps = Math.ceil((size ?? 1) / stride);
  // TensorFlow's rule: the odd row or column of padding comes after
  const padded = Math.max((steps - 1) * stride + span - (size ?? 1), 0);
  return [size === null ? null : steps, Math.floor(padded / 2), Math.ceil(padded / 2)];
}

/** @throws ShapeError when samples have other axes, or are smaller than the window. */
export function slide(input: SampleShape, rank: Rank, window: Window, where: string): Sliding {
  const { sizes } = spatialShape(input, rank, where);
  const spans = window.size.map((size, axis) => (size - 1) * (window.dilations[axis] ?? 1) + 1);
  if (window.padding === "valid" && sizes.some((size, axis) => size !== null && size < (spans[axis] ?? 1)))
    throw new ShapeError(
      where,
      `expected ${rank === 2 ? "an image" : "samples"} of at least [${spans.join(", ")}] for its window, received ${formatSample(input)}; use padding "same", a smaller window, or fewer layers that shrink ${rank === 2 ? "the image" : "them"}`,
    );
  const ends = sizes.map((size, axis) => {
    const end = along(size, spans[axis] ?? 1, window.strides[axis] ?? 1, window.padding);
    if (end !== undefined) return end;
    throw new ShapeError(
      where,
      `expected known sizes for padding "same" with strides [${window.strides.join(", ")}], received ${formatSample(input)}; use padding "valid", or strides of 1`,
    );
  });
  return {
    map: ends.map(([steps]) => steps),
    pads: [...ends.map(([, before]) => before), ...ends.map(([, , after]) => after)],
  };
}
