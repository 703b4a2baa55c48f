/** @file The gradients of a convolution, each in several ways that differ in speed only. Shapes as in ConvolutionShape. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { type ConvolutionShape, type InputRecipe, type KernelRecipe, turnedPads } from "./convolution-shape.ts";

/** dx from dy and the kernel. */
export const inputRecipes: {
  readonly [R in InputRecipe]: (math: GraphMath, dy: Value, w: Value, shape: ConvolutionShape) => Value;
} = {
  /** Each input element sums what it gave to: a convolution of dy with the kernel turned by half a circle. Stride 1. */
  turnedConvolution(math, dy, w, shape) {
    const [filters, perGroup, tall, wide] = shape.w;
    const { groups, dilations } = shape;
    const isPoint = tall * wide === 1;
    const turned = isPoint ? w : math.slice(w, [2, 3], [-1, -1], [-tall - 1, -wide - 1], [-1, -1]);
    const grouped = math.reshape(turned, [groups, filters / groups, perGroup, tall, wide]);
    const exchanged = math.transpose(grouped, [0, 2, 1, 3, 4]); // inputs and outputs change places within a group
    const kernel = math.reshape(exchanged, [groups * perGroup, filters / groups, tall, wide]);
    return math.builder.op("Conv", [dy, kernel], {
      kernel_shape: [tall, wide],
      pads: turnedPads(shape),
      dilations,
      group: groups,
    });
  },
  /** ConvTranspose takes Conv's own kernel; its output padding gives back the rows that the stride left out. */
  transposedConvolution(math, dy, w, shape) {
    const { x, map, strides, dilations, pads, groups } = shape;
    const [tall, wide] = [shape.w[2], shape.w[3]];
    const rows = (map[0] - 1) * strides[0] - pads[0] - pads[2] + dilations[0] * (tall - 1) + 1;
    const columns = (map[1] - 1) * strides[1] - pads[1] - pads[3] + dilations[1] * (wide - 1) + 1;
    return math.builder.op("ConvTranspose", [dy, w], {
      kernel_shape: [tall, wide],
      strides,
      pads,
      dilations,
      group: groups,
      output_padding: [x[2] - rows, x[3] - columns],
    });
  },
};

/** dw from x and dy. */
export const kernelRecipes: {
  readonly [R in KernelRecipe]: (math: GraphMath, x: Value, dy: Value, shape: ConvolutionShape) => Value;
} = {
  /** The batch becomes the channels and dy the kernel; stride and dilation change places. Any groups. */
  swappedConvolution(math, x, dy, shape) {
    const [batch, channels, height, width] = shape.x;
    const [, perGroup, tall, wide] = shape.w;
    const { groups, strides, dilations, pads, map } = shape;
    const grouped = math.transpose(math.reshape(x, [batch, groups, perGroup, height, width]), [2, 1, 0, 3, 4]);
    const images = math.reshape(grouped, [channels / groups, groups * batch, height, width]);
    // exactly as many results as the kernel has elements: pad the end, or cut what the stride left out
    const bottom = (tall - 1) * dilations[0] + strides[0] * (map[0] - 1) + 1 - height - pads[0];
    const right = (wide - 1) * dilations[1] + strides[1] * (map[1] - 1) + 1 - width - pads[1];
    const cut = [height + Math.min(0, bottom), width + Math.min(0, right)];
    const cutImages = bottom < 0 || right < 0 ? math.slice(images, [2, 3], [0, 0], cut) : images;
    const result = math.builder.op("Conv", [cutImages, math.transpose(dy, [1, 0, 2, 3])], {
      kernel_shape: map,
      strides: dilations,
      dilations: strides,
      pads: [pads[0], pads[1], Math.max(0, bottom), Math.max(0, right)],
      group: groups,
    }); // [channels / groups, filters, kernel height, kernel width]
    return math.reshape(math.transpose(result, [1, 0, 2, 3]), [shape.w[0], perGroup, tall, wide]);
  },
  /** One product per image over its windows, then the sum: nothing is transposed. For few channels. */
  perImage(math, x, dy, shape) {
    const [batch, channels] = shape.x;
    const [filters, , tall, wide] = shape.w;
    const places = shape.map[0] * shape.map[1];
    const windows = windowsOf(math, padded(math, x, shape), shape);
    const rows = windows.map((window) => math.reshape(window, [batch, channels, 1, places]));
    const columns = math.reshape(math.concat(rows, 2), [batch, channels * tall * wide, places]);
    const maps = math.reshape(dy, [batch, filters, places]);
    // [batch, filters, channels * window]; the runtime fuses the transposition into the product
    const products = math.builder.op("MatMul", [maps, math.transpose(columns, [0, 2, 1])]);
    return math.reshape(math.sum(products, [0]), shape.w);
  },
  /** All windows side by side as one matrix, and one product. */
  columns(math, x, dy, shape) {
    const [batch, channels] = shape.x;
    const [filters, , tall, wide] = shape.w;
    const places = batch * shape.map[0] * shape.map[1];
    const windows = windowsOf(math, padded(math, math.transpose(x, [1, 0, 2, 3]), shape), shape);
    const rows = windows.map((window) => math.reshape(window, [channels, 1, places]));
    const columns = math.reshape(math.concat(rows, 1), [channels * tall * wide, places]);
    const maps = math.reshape(math.transpose(dy, [1, 0, 2, 3]), [filters, places]);
    return math.reshape(math.product(maps, columns, { transB: true }), shape.w);
  },
  /** A product for each place of the window: no matrix of all windows, a ninth of its memory for 3 x 3. */
  shifted(math, x, dy, shape) {
    const [batch, channels] = shape.x;
    const places = batch * shape.map[0] * shape.map[1];
    const [filters] = shape.w;
    const maps = math.reshape(math.transpose(dy, [1, 0, 2, 3]), [filters, places]);
    const windows = windowsOf(math, padded(math, math.transpose(x, [1, 0, 2, 3]), shape), shape);
    const parts = windows.map((window) => {
      const part = math.product(maps, math.reshape(window, [channels, places]), { transB: true });
      return math.reshape(part, [filters, channels, 1]);
    });
    return math.reshape(math.concat(parts, 2), shape.w);
  },
};

const padded = (math: GraphMath, x: Value, { pads: [top, left, bottom, right] }: ConvolutionShape): Value =>
  top + left + bottom + right === 0
    ? x
    : math.builder.op("Pad", [x, math.builder.ints(0, 0, top, left, 0, 0, bottom, right)]);

/** For each place of the kernel, row by row, what stands there at every stop of the window. */
function windowsOf(math: GraphMath, x: Value, { w, map, strides, dilations }: ConvolutionShape): Value[] {
  const windows: Value[] = [];
  for (let i = 0; i < w[2]; i++)
    for (let j = 0; j < w[3]; j++) {
      const starts = [i * dilations[0], j * dilations[1]] as const;
      const ends = [starts[0] + (map[0] - 1) * strides[0] + 1, starts[1] + (map[1] - 1) * strides[1] + 1];
      windows.push(math.slice(x, [2, 3], starts, ends, strides));
    }
  return windows;
}
