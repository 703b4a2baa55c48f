/** @file The grid that weights are rounded to: symmetric whole numbers, with one scale for each channel. In a graph, and in memory. */
import { type Tensor, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** Bits of a weight's numbers, and the axis of its channels, counted from the start. */
export interface Grid {
  readonly bits: number;
  readonly axis: number;
}

const largestNumber = ({ bits }: Grid): number => 2 ** (bits - 1) - 1;

/** Channels of zeros need a scale too. A power of 2 that `still` keeps. */
const leastScale = 2 ** -60;

// From 2^23 on a float32 is a whole number, which Round leaves as it is: sizes from 2^-37 to 2^67 come through unchanged.
const lift = 2 ** 60;

/** The same numbers, through which no gradient flows: the grid is taken as it is (Jacob and others 2018, arXiv:1712.05877). */
const still = (math: GraphMath, value: Value): Value =>
  math.mul(math.builder.op("Round", [math.mul(value, lift)]), 1 / lift);

/**
 * A weight's nearest numbers on the grid, whose scales are its channels' largest sizes / (2^(bits - 1) - 1). Gradients go
 * straight through the rounding.
 */
export function roundedInGraph(math: GraphMath, weight: Value, grid: Grid): Value {
  const { builder } = math;
  const others = weight.shape.flatMap((_, axis) => (axis === grid.axis ? [] : [axis]));
  const largest = builder.op("ReduceMax", [builder.op("Abs", [weight]), builder.ints(...others)], { keepdims: 0 });
  const scale = still(math, builder.op("Max", [math.div(largest, largestNumber(grid)), builder.scalar(leastScale)]));
  const numbers = builder.op("QuantizeLinear", [weight, scale], { axis: grid.axis, output_dtype: 3 });
  return builder.op("DequantizeLinear", [numbers, scale], { axis: grid.axis });
}

/** Halves go to the even neighbour, as ONNX rounds. */
function toEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (Math.abs(floor) % 2) : Math.round(value);
}

/** What `roundedInGraph` makes of a weight that is known. */
export function roundedInMemory(weight: Tensor<"float32">, grid: Grid): Tensor<"float32"> {
  const { shape, data } = weight;
  const most = largestNumber(grid);
  const channels = shape[grid.axis] ?? 1;
  const run = shape.slice(grid.axis + 1).reduce((product, size) => product * size, 1);
  const channelOf = (i: number): number => Math.floor(i / run) % channels;
  const scales = new Float32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const channel = channelOf(i);
    scales[channel] = Math.max(scales[channel] ?? 0, Math.abs(data[i] ?? 0));
  }
  for (let i = 0; i < channels; i++) {
    const scale = Math.max(Math.fround((scales[i] ?? 0) / most), leastScale);
    scales[i] = toEven(scale * lift) / lift;
  }
  const rounded = data.map((value, i) => {
    const scale = scales[channelOf(i)] ?? 1;
    // whole numbers have no -0
    return (toEven(Math.fround(value / scale)) + 0) * scale;
  });
  return tensor("float32", shape, rounded);
}

/**
 * Activations as dynamic quantization sees them: 8 bits from the least to the most of them all. Gradients go straight
 * through the rounding.
 */
export function roundedActivations({ builder }: GraphMath, value: Value): Value {
  const [, scale, zero] = builder.ops("DynamicQuantizeLinear", [value], {}, 3);
  // rounded again by an operator that has a gradient; the first one only tells the scale
  const numbers = builder.op("QuantizeLinear", [value, scale, zero]);
  return builder.op("DequantizeLinear", [numbers, scale, zero]);
}
