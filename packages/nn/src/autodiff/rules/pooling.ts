/** @file Gradients of pools: to the element that won (max), or to all of the window (average, Lp). */
import { tensor, type Value } from "@gristmill/onnx";
import { countElements, type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { expandTo } from "../broadcast.ts";
import { inputRecipes } from "../convolution-recipes.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { leftOver, padsOf, reachOf, volume, type WindowAxis, windowAxes } from "../window.ts";

/** The axes of a pool node. */
function axesOf(call: GradientCall<"MaxPool"> | GradientCall<"AveragePool"> | GradientCall<"LpPool">): WindowAxis[] {
  const [, , ...image] = sizesOf(call.input(0));
  const [, , ...stops] = sizesOf(call.output(0));
  return windowAxes(call, call.settings, { image, window: call.settings.kernel_shape, stops });
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
  const zeros = math.filled([volume(sizes)], 0, dy.dtype);
  const flat = math.builder.op("ScatterElements", [zeros, math.reshape(places, [count]), math.reshape(dy, [count])], {
    axis: 0,
    reduction: areRepeated ? "add" : "none",
  });
  return math.reshape(flat, sizes);
}

/** How many elements each window of an axis averages: of the image, or of the image and its padding. */
function covered(axis: WindowAxis, isPaddingCounted: boolean): number[] {
  const [first, last] = isPaddingCounted ? [-axis.before, axis.size + axis.after] : [0, axis.size];
  return Array.from({ length: axis.stops }, (_, stop) => {
    const start = stop * axis.stride - axis.before;
    const places = Array.from({ length: axis.window }, (_place, i) => start + i * axis.dilation);
    return places.filter((place) => place >= first && place < last).length;
  });
}

/** dy divided by what each window averaged over. */
function shares(math: GraphMath, dy: Value, axes: readonly WindowAxis[], isPaddingCounted: boolean): Value {
  const counts = axes.map((axis) => covered(axis, isPaddingCounted));
  const full = volume(axes.map(({ window }) => window));
  const products = counts.reduce((all, list) => all.flatMap((a) => list.map((b) => a * b)), [1]);
  if (products.every((count) => count === full)) return math.mul(dy, 1 / full);
  const parts = tensor(
    "float32",
    [1, 1, ...axes.map(({ stops }) => stops)],
    Float32Array.from(products, (n) => 1 / n),
  );
  return math.mul(dy, math.cast(math.builder.constant(parts), dy.dtype));
}

/** Each element of an image gets the sum over the windows that cover it. */
function sumOfWindows(
  math: GraphMath,
  parts: Value,
  [batch, channels]: readonly number[],
  axes: readonly WindowAxis[],
) {
  const window = axes.map((axis) => axis.window);
  const doTile = axes.every(
    (axis) => reachOf(axis) === axis.window && axis.stride === axis.window && axis.stops * axis.stride === axis.size,
  );
  const sizes = [batch ?? 1, channels ?? 1, ...axes.map(({ size }) => size)];
  if (doTile && padsOf(axes).every((pad) => pad === 0)) {
    // each part repeated over its window
    const scales = math.builder.constant(tensor("float32", [sizes.length], Float32Array.of(1, 1, ...window)));
    const nearest = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
    return math.builder.op("Resize", [parts, undefined, scales], nearest);
  }
  // windows that overlap add up: a transposed convolution with ones, each channel an image of its own
  const ones = math.builder.constant(tensor("float32", [1, 1, ...window], new Float32Array(volume(window)).fill(1)));
  const images = (batch ?? 1) * (channels ?? 1);
  const alone = math.reshape(parts, [images, 1, ...axes.map(({ stops }) => stops)]);
  const shape = { batch: images, channels: 1, filters: 1, groups: 1, axes };
  return math.reshape(inputRecipes.transposedConvolution(math, alone, ones, shape), sizes);
}

/** Rules of poolings. */
export const poolingRules = {
  // Comparing x with its maximum would count ties several times; the indices name one winner.
  MaxPool: (call) => {
    const { math, dy } = call;
    const axes = axesOf(call);
    const sizes = sizesOf(call.input(0));
    const areApart = axes.every((axis) => axis.stride >= reachOf(axis));
    const isWhole = padsOf(axes).every((pad) => pad === 0) && axes.every((axis) => leftOver(axis) >= 0);
    const canUnpool = areApart && isWhole && dy.dtype === "float32";
    if (!canUnpool) return [scatter(call, winners(call), sizes, !areApart)];
    const inputs = [dy, winners(call), math.builder.ints(...sizes)];
    const attributes = { kernel_shape: axes.map(({ window }) => window), strides: axes.map(({ stride }) => stride) };
    return [math.builder.op("MaxUnpool", inputs, attributes)];
  },
  AveragePool: (call) => {
    const axes = axesOf(call);
    const parts = shares(call.math, call.dy, axes, call.settings.count_include_pad !== 0);
    return [sumOfWindows(call.math, parts, sizesOf(call.input(0)), axes)];
  },
  // y = (sum |x|^p)^(1/p): slope sign(x) |x|^(p-1) / y^(p-1), taken as 0 where a window is all 0
  LpPool: (call) => {
    const { math, dy } = call;
    const { p } = call.settings;
    const [x, y] = [call.input(0), call.output(0)];
    const to = (value: Value, power: number): Value =>
      power === 1 ? value : math.builder.op("Pow", [value, math.scalar(power, value)]);
    const safe = math.where(math.equal(y, 0), 1, y);
    const parts = p === 1 ? dy : math.div(dy, to(safe, p - 1));
    const spread = sumOfWindows(math, parts, sizesOf(x), axesOf(call));
    const size = to(math.builder.op("Abs", [x]), p - 1);
    const slope = p === 1 ? math.builder.op("Sign", [x]) : p === 2 ? x : math.mul(math.builder.op("Sign", [x]), size);
    return [math.mul(spread, slope)];
  },
  GlobalAveragePool: (call) => {
    const sizes = sizesOf(call.input(0));
    return [expandTo(call.math, call.math.mul(call.dy, 1 / volume(sizes.slice(2))), sizes)];
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
} satisfies Partial<GradientTable>;
