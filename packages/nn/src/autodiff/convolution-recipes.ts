/** @file The gradients of a convolution, each in several ways that differ in speed only. Shapes as in ConvolutionShape. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { type ConvolutionShape, type InputRecipe, type KernelRecipe, turnedAxis } from "./convolution-shape.ts";
import { leftOver, padsOf, spatialAxes, volume, type WindowAxis } from "./window.ts";

type Axes = readonly WindowAxis[];
const windows = (axes: Axes): number[] => axes.map(({ window }) => window);
const stops = (axes: Axes): number[] => axes.map((axis) => axis.stops);
const images = (axes: Axes): number[] => axes.map(({ size }) => size);
const strides = (axes: Axes): number[] => axes.map(({ stride }) => stride);
const dilations = (axes: Axes): number[] => axes.map(({ dilation }) => dilation);

/** dx from dy and the kernel. */
export const inputRecipes: {
  readonly [R in InputRecipe]: (math: GraphMath, dy: Value, w: Value, shape: ConvolutionShape) => Value;
} = {
  /** Each input element sums what it gave to: a convolution of dy with the kernel turned by half a circle. Stride 1. */
  turnedConvolution(math, dy, w, { axes, channels, filters, groups }) {
    return math.builder.op("Conv", [dy, exchanged(math, turned(math, w, axes), [filters, channels], groups)], {
      kernel_shape: windows(axes),
      pads: padsOf(axes.map(turnedAxis)),
      dilations: dilations(axes),
      group: groups,
    });
  },
  /** ConvTranspose takes Conv's own kernel; its output padding gives back the rows that the stride left out. */
  transposedConvolution(math, dy, w, { axes, groups }) {
    return math.builder.op("ConvTranspose", [dy, w], {
      kernel_shape: windows(axes),
      strides: strides(axes),
      // a window that hangs over the end (a pool's ceil_mode) is cut off by so much more padding
      pads: padsOf(axes.map((axis) => ({ ...axis, after: axis.after + Math.max(0, -leftOver(axis)) }))),
      dilations: dilations(axes),
      group: groups,
      output_padding: axes.map((axis) => Math.max(0, leftOver(axis))),
    });
  },
};

/** The kernel turned by half a circle: every spatial axis backwards. */
function turned(math: GraphMath, w: Value, axes: Axes): Value {
  const long = axes.flatMap(({ window }, i) => (window > 1 ? [{ window, at: i + 2 }] : []));
  if (long.length === 0) return w;
  const all = (value: number): number[] => long.map(() => value);
  const ends = long.map(({ window }) => -window - 1);
  return math.slice(
    w,
    long.map(({ at }) => at),
    all(-1),
    ends,
    all(-1),
  );
}

/** [filters, channels / groups, ...] → [channels, filters / groups, ...]: inputs and outputs change places within a group. */
function exchanged(math: GraphMath, w: Value, [filters, channels]: readonly [number, number], groups: number): Value {
  const kernel = w.shape.slice(2).map(Number);
  const rest = kernel.map((_, i) => i + 3);
  const grouped = math.reshape(w, [groups, filters / groups, channels / groups, ...kernel]);
  return math.reshape(math.transpose(grouped, [0, 2, 1, ...rest]), [channels, filters / groups, ...kernel]);
}

/** dw from x and dy. */
export const kernelRecipes: {
  readonly [R in KernelRecipe]: (math: GraphMath, x: Value, dy: Value, shape: ConvolutionShape) => Value;
} = {
  /** The batch becomes the channels and dy the kernel; stride and dilation change places. Any groups. */
  swappedConvolution(math, x, dy, { batch, channels, filters, groups, axes }) {
    const perGroup = channels / groups;
    const rest = spatialAxes(axes, 3);
    const split = math.reshape(x, [batch, groups, perGroup, ...images(axes)]);
    const byChannel = math.reshape(math.transpose(split, [2, 1, 0, ...rest]), [
      perGroup,
      groups * batch,
      ...images(axes),
    ]);
    // exactly as many results as the kernel has elements: cut what the stride left out
    const unreached = axes.map((axis) => ({ ...axis, cut: Math.max(0, leftOver(axis) - axis.after) }));
    const ends = unreached.map(({ size, cut }) => size - cut);
    const starts = axes.map(() => 0);
    const isCut = unreached.some(({ cut }) => cut > 0);
    const cut = isCut ? math.slice(byChannel, spatialAxes(axes), starts, ends) : byChannel;
    const result = math.builder.op("Conv", [cut, math.transpose(dy, [1, 0, ...spatialAxes(axes)])], {
      kernel_shape: stops(axes),
      strides: dilations(axes),
      dilations: strides(axes),
      pads: padsOf(axes.map((axis) => ({ ...axis, after: Math.max(0, axis.after - leftOver(axis)) }))),
      group: groups,
    }); // [channels / groups, filters, ...kernel]
    return math.reshape(math.transpose(result, [1, 0, ...spatialAxes(axes)]), [filters, perGroup, ...windows(axes)]);
  },
  /** One product per image and group over its windows, then the sum: nothing is transposed. For few channels a group. */
  perImage(math, x, dy, { batch, channels, filters, groups, axes }) {
    const places = volume(stops(axes));
    const rows = windowsOf(math, padded(math, x, axes), axes).map((window) =>
      math.reshape(window, [batch, groups, channels / groups, 1, places]),
    );
    const columns = math.reshape(math.concat(rows, 3), [batch, groups, (channels / groups) * rows.length, places]);
    const maps = math.reshape(dy, [batch, groups, filters / groups, places]);
    // [batch, groups, filters / groups, channels / groups * window]; the runtime fuses the transposition into the product
    const products = math.builder.op("MatMul", [maps, math.transpose(columns, [0, 1, 3, 2])]);
    return math.reshape(math.sum(products, [0]), [filters, channels / groups, ...windows(axes)]);
  },
  /** All windows side by side as one matrix, and one product. */
  columns(math, x, dy, { batch, channels, filters, axes }) {
    const places = batch * volume(stops(axes));
    const rows = windowsOf(math, padded(math, batchInside(math, x), axes), axes).map((window) =>
      math.reshape(window, [channels, 1, places]),
    );
    const columns = math.reshape(math.concat(rows, 1), [channels * rows.length, places]);
    const maps = math.reshape(batchInside(math, dy), [filters, places]);
    return math.reshape(math.product(maps, columns, { transB: true }), [filters, channels, ...windows(axes)]);
  },
  /** A product for each place of the window: no matrix of all windows, a ninth of its memory for 3 x 3. */
  shifted(math, x, dy, { batch, channels, filters, axes }) {
    const places = batch * volume(stops(axes));
    const maps = math.reshape(batchInside(math, dy), [filters, places]);
    const parts = windowsOf(math, padded(math, batchInside(math, x), axes), axes).map((window) => {
      const part = math.product(maps, math.reshape(window, [channels, places]), { transB: true });
      return math.reshape(part, [filters, channels, 1]);
    });
    return math.reshape(math.concat(parts, 2), [filters, channels, ...windows(axes)]);
  },
};

/** [batch, channels, ...] → [channels, batch, ...] */
const batchInside = (math: GraphMath, x: Value): Value =>
  math.transpose(x, [1, 0, ...x.shape.map((_, i) => i).slice(2)]);

/** The image with its padding of zeros. */
export const padded = (math: GraphMath, x: Value, axes: Axes): Value => {
  const at = (side: "before" | "after"): number[] => [0, 0, ...axes.map((axis) => axis[side])];
  const pads = [...at("before"), ...at("after")];
  return pads.every((pad) => pad === 0) ? x : math.builder.op("Pad", [x, math.builder.ints(...pads)]);
};

/** For each place of the kernel, in row-major order, what stands there at every stop of the window. */
export function windowsOf(math: GraphMath, x: Value, axes: Axes): Value[] {
  const places = axes.reduce<number[][]>(
    (heads, { window }) => heads.flatMap((head) => Array.from({ length: window }, (_, i) => [...head, i])),
    [[]],
  );
  return places.map((place) => {
    const starts = axes.map(({ dilation }, i) => (place[i] ?? 0) * dilation);
    const ends = axes.map((axis, i) => (starts[i] ?? 0) + (axis.stops - 1) * axis.stride + 1);
    return math.slice(x, spatialAxes(axes), starts, ends, strides(axes));
  });
}
