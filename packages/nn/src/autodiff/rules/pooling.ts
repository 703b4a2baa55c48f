/** @file Gradients of pools: to the element that won (max), or to all of the window (average). */
import { tensor, type Value } from "@gristmill/onnx";
import { countElements, sizesOf } from "../../graph/graph-math.ts";
import type { GradientCall, GradientTable } from "../rule.ts";

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Window, strides and pads of a pool node on two spatial axes, with ONNX's defaults. */
function windowOf(call: GradientCall<"MaxPool"> | GradientCall<"AveragePool">) {
  const { kernel_shape, strides, pads, dilations, auto_pad, ceil_mode } = call.settings;
  if (auto_pad !== "NOTSET" && auto_pad !== "VALID")
    throw call.unsupported(`auto_pad "${auto_pad}" has no rule: write out the pads`);
  const rank = kernel_shape?.length ?? 2;
  const window = kernel_shape ?? [1, 1];
  return {
    window,
    strides: strides ?? window.map(() => 1),
    pads: pads ?? [...window, ...window].map(() => 0),
    isDilated: (dilations ?? []).some((step) => step > 1),
    isCeil: ceil_mode === 1,
    rank,
  };
}

/** The places that won, as MaxPool's second output says them: flat indices into x. Asked for again where the node has none. */
function winners(call: GradientCall<"MaxPool">): Value {
  const [, indices] = call.node.outputs;
  if (indices !== undefined) return indices;
  const again = call.math.builder.ops("MaxPool", [call.input(0)], call.settings, 2)[1];
  if (again === undefined) throw call.unsupported("its second output is missing");
  return again;
}

/** dy at flat places of a value of these sizes, 0 elsewhere; places that come twice add up. */
function scatter(call: GradientCall<"MaxPool">, places: Value, sizes: readonly number[], areRepeated: boolean): Value {
  const { math, dy } = call;
  const count = countElements(dy);
  const zeros = math.filled([product(sizes)], 0, dy.dtype);
  const flat = math.builder.op("ScatterElements", [zeros, math.reshape(places, [count]), math.reshape(dy, [count])], {
    axis: 0,
    reduction: areRepeated ? "add" : "none",
  });
  return math.reshape(flat, sizes);
}

/** How many elements of x each window really covers: padding is not counted. */
function covered(size: number, steps: number, window: number, stride: number, before: number): number[] {
  return Array.from({ length: steps }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + window, size) - Math.max(start, 0);
  });
}

/** Rules of poolings. */
export const poolingRules = {
  // Comparing x with its maximum would count ties several times; the indices name one winner.
  MaxPool: (call) => {
    const { math, dy } = call;
    const { window, strides, pads } = windowOf(call);
    const sizes = sizesOf(call.input(0));
    const isApart = window.every((size, i) => (strides[i] ?? 1) >= size);
    const canUnpool = isApart && window.length === 2 && dy.dtype === "float32" && pads.every((pad) => pad === 0);
    if (!canUnpool) return [scatter(call, winners(call), sizes, !isApart)];
    const inputs = [dy, winners(call), math.builder.ints(...sizes)];
    return [math.builder.op("MaxUnpool", inputs, { kernel_shape: window, strides })];
  },
  AveragePool: (call) => {
    const { math, dy } = call;
    const { window, strides, pads, isDilated, isCeil, rank } = windowOf(call);
    if (rank !== 2 || isDilated || isCeil)
      throw call.unsupported("only two spatial axes without dilations and ceil_mode have a rule");
    const sizes = sizesOf(call.input(0));
    const maps = sizesOf(dy);
    const [tall = 1, wide = 1] = window;
    const [height = 1, width = 1] = sizes.slice(2);
    const [rows = 1, columns = 1] = maps.slice(2);
    const [top = 0, left = 0, bottom = 0, right = 0] = pads;
    const [down = 1, across = 1] = strides;
    const isPadded = top + left + bottom + right > 0 && call.settings.count_include_pad === 0;
    let share = math.mul(dy, 1 / (tall * wide));
    if (isPadded) {
      const inRow = covered(height, rows, tall, down, top);
      const inColumn = covered(width, columns, wide, across, left);
      const parts = inRow.flatMap((a) => inColumn.map((b) => 1 / (a * b)));
      share = math.mul(dy, math.builder.constant(tensor("float32", [1, 1, rows, columns], Float32Array.from(parts))));
    }
    const doesTile = tall === down && wide === across && rows * tall === height && columns * wide === width;
    if (doesTile) {
      // each share repeated over its window: [.., rows, 1, columns, 1] → [.., rows, tall, columns, wide]
      const scales = math.builder.constant(tensor("float32", [4], Float32Array.of(1, 1, tall, wide)));
      const nearest = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
      return [math.builder.op("Resize", [share, undefined, scales], nearest)];
    }
    // windows that overlap add up: a transposed convolution with ones, channel by channel
    const channels = sizes[1] ?? 1;
    const ones = new Float32Array(channels * tall * wide).fill(1);
    const kernel = math.builder.constant(tensor("float32", [channels, 1, tall, wide], ones));
    const lost = [
      height - ((rows - 1) * down - top - bottom + tall),
      width - ((columns - 1) * across - left - right + wide),
    ];
    return [
      math.builder.op("ConvTranspose", [share, kernel], {
        kernel_shape: [tall, wide],
        strides: [down, across],
        pads: [top, left, bottom, right],
        group: channels,
        output_padding: lost,
      }),
    ];
  },
  GlobalAveragePool: (call) => {
    const { math, dy } = call;
    const sizes = sizesOf(call.input(0));
    const share = math.mul(dy, 1 / product(sizes.slice(2)));
    return [math.builder.op("Expand", [share, math.builder.ints(...sizes)])];
  },
  // the largest elements share evenly, as in ReduceMax
  GlobalMaxPool: (call) => {
    const { math, dy } = call;
    const x = call.input(0);
    const axes = x.shape.slice(2).map((_, i) => i + 2);
    const hit = math.cast(math.equal(x, call.output(0)), x.dtype);
    return [math.mul(hit, math.div(dy, math.sum(hit, axes, true)))];
  },
  // y[place] = x: dx is dy at those places
  MaxUnpool: (call) => {
    const { math, dy } = call;
    const count = countElements(call.input(0));
    const flat = math.reshape(dy, [countElements(dy)]);
    const taken = math.builder.op("GatherElements", [flat, math.reshape(call.input(1), [count])], { axis: 0 });
    return [math.reshape(taken, sizesOf(call.input(0))), undefined];
  },
  LpPool: "noRule",
} satisfies Partial<GradientTable>;
