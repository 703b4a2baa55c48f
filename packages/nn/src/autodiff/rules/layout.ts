/** @file Gradients of operators that move elements: each gradient moves back. */
import { tensor, type Value } from "@gristmill/onnx";
import { countElements, type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { backAlongAxis, unitMatrix } from "../along-axis.ts";
import { sumTo } from "../broadcast.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { isTurn, turned } from "../turned.ts";

/** The elements stay in order: only the sizes come back. */
const resized = (call: GradientCall): Value[] => [call.math.reshape(call.dy, sizesOf(call.input(0)))];

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The part of a value from `start` up to `end` on one axis. */
const part = (math: GraphMath, value: Value, axis: number, start: number, end: number): Value =>
  math.slice(value, [axis], [start], [end]);

/** Start, step and count of a Slice on one axis of a size, after ONNX's clamping. */
function sliceRange(size: number, start: number, end: number, step: number): { start: number; count: number } {
  const clamp = (at: number, low: number, high: number): number =>
    Math.min(high, Math.max(low, at < 0 ? at + size : at));
  const [from, to] =
    step > 0 ? [clamp(start, 0, size), clamp(end, 0, size)] : [clamp(start, 0, size - 1), clamp(end, -1, size - 1)];
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)) };
}

/** dy goes to the places that were cut out; all other places get 0. */
function unslice(call: GradientCall<"Slice">): (Value | undefined)[] {
  const { math, dy, node } = call;
  const sizes = sizesOf(call.input(0));
  const starts = call.ints(1);
  const ends = call.ints(2);
  const axes = node.inputs[3] === undefined ? starts.map((_, i) => i) : call.ints(3);
  const steps = node.inputs[4] === undefined ? starts.map(() => 1) : call.ints(4);
  const ranges = sizes.map((size, axis) => {
    const at = axes.findIndex((a) => axisOf(a, sizes.length) === axis);
    if (at < 0) return { start: 0, count: size, step: 1 };
    const step = steps[at] ?? 1;
    return { ...sliceRange(size, starts[at] ?? 0, ends[at] ?? size, step), step };
  });
  if (ranges.every(({ step }) => step === 1)) {
    const before = ranges.map(({ start }) => start);
    const after = ranges.map(({ start, count }, i) => (sizes[i] ?? 1) - start - count);
    return [math.builder.op("Pad", [dy, math.builder.ints(...before, ...after)])];
  }
  // steps: the place of each element, counted out here, since all sizes are known
  let places = [0];
  ranges.forEach(({ start, count, step }, axis) => {
    const stride = sizes.slice(axis + 1).reduce((product, size) => product * size, 1);
    places = places.flatMap((place) => Array.from({ length: count }, (_, i) => place + (start + i * step) * stride));
  });
  const indices = math.builder.constant(tensor("int64", [places.length], BigInt64Array.from(places, BigInt)));
  const zeros = math.filled([countElements(call.input(0))], 0, dy.dtype);
  const flat = math.builder.op("ScatterElements", [zeros, indices, math.reshape(dy, [places.length])], { axis: 0 });
  return [math.reshape(flat, sizes)];
}

/** Padding that repeats elements of x ("edge", "reflect", "wrap"): each of them gets what its copies got. */
function padByOthers(call: GradientCall<"Pad">): Value {
  const { math } = call;
  const sizes = sizesOf(call.input(0));
  const pads = call.ints(1);
  const axes = call.node.inputs[3] === undefined ? sizes.map((_, axis) => axis) : call.ints(3);
  return axes.reduce((dy, named, i) => {
    const [before = 0, after = 0] = [pads[i], pads[i + axes.length]];
    const axis = axisOf(named, sizes.length);
    if (before === 0 && after === 0) return dy;
    const unit = unitMatrix(math, sizes[axis] ?? 1, dy);
    const weights = math.builder.op("Pad", [unit, math.builder.ints(0, before, 0, after)], {
      mode: call.settings.mode,
    });
    return backAlongAxis(math, dy, axis, weights);
  }, call.dy);
}

/** [batch, channels, blocks, ...] → [batch, channels blocks, ...], the way back of DepthToSpace with channels first. */
function spaceToDepthByColumn(call: GradientCall<"DepthToSpace">): Value {
  const { math, dy } = call;
  const size = call.settings.blocksize;
  const [batch = 1, channels = 1, height = 1, width = 1] = sizesOf(dy);
  const split = math.reshape(dy, [batch, channels, height / size, size, width / size, size]);
  return math.reshape(math.transpose(split, [0, 1, 3, 5, 2, 4]), sizesOf(call.input(0)));
}

/** Rules of reordering. */
export const layoutRules = {
  Reshape: resized,
  Flatten: resized,
  Squeeze: resized,
  Unsqueeze: resized,
  Transpose: ({ math, dy, settings, input }) => {
    const rank = input(0).shape.length;
    const order = settings.perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    if (isTurn(order)) return [turned(math, dy)];
    return [
      math.transpose(
        dy,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
  Concat: (call) => {
    const axis = axisOf(call.settings.axis, call.dy.shape.length);
    let end = 0;
    return call.node.inputs.map((input, i) => {
      if (input === undefined) return undefined;
      const start = end;
      end += sizesOf(input)[axis] ?? 0;
      return call.needs(i) ? part(call.math, call.dy, axis, start, end) : undefined;
    });
  },
  Split: (call) => {
    const { math, node } = call;
    const parts = node.outputs.map((output, i) => {
      if (output === undefined) throw call.unsupported("an output of Split is missing");
      return call.gradient(i) ?? math.filled(sizesOf(output), 0, output.dtype);
    });
    return [math.concat(parts, call.settings.axis)];
  },
  Expand: ({ math, dy, input }) => [sumTo(math, dy, input(0))],
  // [a, b] tiled [r, s] times is [r, a, s, b] read as [r a, s b]: sum over the repeats
  Tile: (call) => {
    const { math, dy } = call;
    const sizes = sizesOf(call.input(0));
    const repeats = call.ints(1);
    const split = math.reshape(
      dy,
      sizes.flatMap((size, i) => [repeats[i] ?? 1, size]),
    );
    const summed = math.sum(
      split,
      sizes.map((_, i) => 2 * i),
    );
    return [math.reshape(summed, sizes)];
  },
  Slice: unslice,
  Pad: (call) => {
    if (call.settings.mode !== "constant") return [padByOthers(call)];
    const pads = call.ints(1);
    const axes = call.node.inputs[3] === undefined ? undefined : call.ints(3);
    const { builder } = call.math;
    const back = builder.ints(...pads.map((pad) => (pad === 0 ? 0 : -pad))); // negative pads cut
    const inputs = axes === undefined ? [call.dy, back] : [call.dy, back, undefined, builder.ints(...axes)];
    return [builder.op("Pad", inputs)];
  },
  Trilu: (call) => {
    const k = call.node.inputs[1];
    const inputs = k === undefined ? [call.dy] : [call.dy, k];
    return [call.math.builder.op("Trilu", inputs, { upper: call.settings.upper })];
  },
  DepthToSpace: (call) => {
    if (call.settings.mode === "CRD") return [spaceToDepthByColumn(call)];
    return [call.math.builder.op("SpaceToDepth", [call.dy], { blocksize: call.settings.blocksize })];
  },
  SpaceToDepth: (call) => [
    call.math.builder.op("DepthToSpace", [call.dy], { blocksize: call.settings.blocksize, mode: "DCR" }),
  ],
  Shape: "nonDifferentiable",
  Size: "nonDifferentiable",
} satisfies Partial<GradientTable>;
