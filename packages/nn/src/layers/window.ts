/** @file Windows that slide over an image: sizes and padding, as Keras counts them, for convolutions and pools. */
import { ShapeError } from "@gristmill/onnx";
import { imageShape } from "./layer.ts";
import { formatSample, type SampleShape } from "./shape.ts";

/** "valid" stays inside the image; "same" pads so that stride 1 keeps the size. */
export type Padding = "valid" | "same";

/** A window and how it moves, each as [height, width]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: Padding;
}

/** Steps of a window along one axis, and the padding before and after it. */
function along(size: number, window: number, stride: number, padding: Padding): readonly [number, number, number] {
  if (padding === "valid") return [Math.floor((size - window) / stride) + 1, 0, 0];
  const steps = Math.ceil(size / stride);
  // TensorFlow's rule: the odd row or column of padding comes after
  const padded = Math.max((steps - 1) * stride + window - size, 0);
  return [steps, Math.floor(padded / 2), Math.ceil(padded / 2)];
}

/** Where a window stops on an image: the map's [height, width], and ONNX's pads [top, left, bottom, right]. */
export interface Sliding {
  readonly map: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** @throws ShapeError when samples are not images, or smaller than the window. */
export function slide(input: SampleShape, window: Window, where: string): Sliding {
  const [height, width] = imageShape(input, where);
  const [tall, wide] = [0, 1].map((i) => ((window.size[i] ?? 1) - 1) * (window.dilations[i] ?? 1) + 1);
  if (window.padding === "valid" && (height < (tall ?? 1) || width < (wide ?? 1)))
    throw new ShapeError(
      where,
      `expected an image of at least [${tall}, ${wide}] for its window, received ${formatSample(input)}; use padding "same", a smaller window, or fewer layers that shrink the image`,
    );
  const [rows, top, bottom] = along(height, tall ?? 1, window.strides[0], window.padding);
  const [columns, left, right] = along(width, wide ?? 1, window.strides[1], window.padding);
  return { map: [rows, columns], pads: [top, left, bottom, right] };
}
