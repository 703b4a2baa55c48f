/** @file The gradient of Resize: each result is a weighted sum of elements, axis by axis, whatever the mode. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { backAlongAxis, unitMatrix } from "../along-axis.ts";
import type { GradientCall, GradientTable } from "../rule.ts";

/** One axis that is drawn larger or smaller. */
interface ResizedAxis {
  readonly axis: number;
  readonly inputs: number;
  readonly outputs: number;
  /** As the node gives it; undefined where it gives the size. */
  readonly scale: number | undefined;
  /** Start and end of the region, as shares of the size; undefined for all of it. */
  readonly region: readonly [number, number] | undefined;
}

type Call = GradientCall<"Resize">;

/** Numbers of a constant float input; undefined when the node has none. */
function floats(call: Call, index: number): readonly number[] | undefined {
  if (call.node.inputs[index] === undefined) return undefined;
  const given = call.constant(index);
  if (given?.dtype !== "float32" && given?.dtype !== "float64")
    throw call.unsupported(`input ${index} must be a constant of floats`);
  return given.data.length === 0 ? undefined : Array.from(given.data);
}

/** The axes that the node changes. Sizes by keep_aspect_ratio_policy are known to the run only, so they never come here. */
function resizedAxes(call: Call): ResizedAxis[] {
  const { axes: named, coordinate_transformation_mode } = call.settings;
  const [from, to] = [sizesOf(call.input(0)), sizesOf(call.output(0))];
  const axes = (named ?? from.map((_, axis) => axis)).map((axis) => (axis < 0 ? axis + from.length : axis));
  const scales = floats(call, 2);
  const regions = coordinate_transformation_mode === "tf_crop_and_resize" ? floats(call, 1) : undefined;
  return axes.flatMap((axis, i) => {
    const [inputs = 1, outputs = 1, scale] = [from[axis], to[axis], scales?.[i]];
    const region = regions && ([regions[i] ?? 0, regions[i + axes.length] ?? 1] as const);
    const isWhole = region === undefined || (region[0] === 0 && region[1] === 1);
    const isSame = inputs === outputs && (scale ?? 1) === 1 && isWhole;
    return isSame ? [] : [{ axis, inputs, outputs, scale, region }];
  });
}

/** The weights [inputs, outputs] of an axis: what the same operator makes of the unit matrix. */
function weightsOf(call: Call, { inputs, outputs, scale, region }: ResizedAxis): Value {
  const { builder } = call.math;
  const list = (values: readonly number[]): Value =>
    builder.constant({ dtype: "float32", shape: [values.length], data: Float32Array.from(values) });
  const roi = region && list([0, region[0], 1, region[1]]);
  const size = scale === undefined ? [undefined, builder.ints(inputs, outputs)] : [list([1, scale])];
  const attributes = { ...call.settings, axes: undefined, extrapolation_value: 0 };
  return builder.op("Resize", [unitMatrix(call.math, inputs, call.dy), roi, ...size], attributes);
}

/** True where each element is repeated a whole number of times on every axis. */
function doesRepeat(call: Call, axes: readonly ResizedAxis[]): boolean {
  const { mode, coordinate_transformation_mode: place, nearest_mode: rounding } = call.settings;
  const isCentred = place.endsWith("half_pixel") && rounding.startsWith("round");
  const isFromStart = place === "asymmetric" && rounding === "floor";
  const isWhole = axes.every(
    ({ inputs, outputs, scale }) => outputs === inputs * (scale ?? Math.floor(outputs / inputs)),
  );
  return mode === "nearest" && (isCentred || isFromStart) && isWhole;
}

/** Sum over the repeats of each element. */
function sumOfRepeats(call: Call, axes: readonly ResizedAxis[]): Value {
  const { math, dy } = call;
  const sizes = sizesOf(call.input(0));
  const times = sizes.map((size, axis) => (sizesOf(dy)[axis] ?? 1) / size);
  const isImage = sizes.length >= 3 && sizes.length <= 5 && axes.every(({ axis }) => axis >= 2);
  if (isImage && dy.dtype === "float32") {
    // a pool reads its windows faster than a sum over axes that are split
    const window = times.slice(2);
    const mean = math.builder.op("AveragePool", [dy], { kernel_shape: window, strides: window });
    return math.mul(
      mean,
      window.reduce((all, time) => all * time, 1),
    );
  }
  const split = math.reshape(
    dy,
    sizes.flatMap((size, axis) => [size, times[axis] ?? 1]),
  );
  return math.sum(
    split,
    sizes.map((_, axis) => 2 * axis + 1),
  );
}

/** Rules of drawing larger and smaller. */
export const resizingRules = {
  Resize: (call) => {
    const axes = resizedAxes(call);
    if (doesRepeat(call, axes)) return [sumOfRepeats(call, axes)];
    return [axes.reduce((dy, one) => backAlongAxis(call.math, dy, one.axis, weightsOf(call, one)), call.dy)];
  },
} satisfies Partial<GradientTable>;
