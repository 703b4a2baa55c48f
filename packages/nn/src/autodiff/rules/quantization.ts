/** @file Rounding to a grid and back. Rounding has no slope: gradients go straight through it, and stop where numbers are cut off. */
import type { Value } from "@gristmill/onnx";
import { sumTo } from "../broadcast.ts";
import type { GradientCall, GradientTable } from "../rule.ts";

/** Least and most number of each type that numbers are rounded to. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** Scales or zero points as they broadcast over x: one for all, or one for each position of the axis. */
function spread(call: GradientCall<"QuantizeLinear" | "DequantizeLinear">, index: number, like: Value): Value {
  const { math, settings } = call;
  if (settings.block_size !== 0) throw call.unsupported("scales of blocks have no gradient here");
  const given = math.cast(call.input(index), like.dtype);
  const { shape } = call.input(0);
  const [count] = given.shape;
  if (given.shape.length === 0 || shape.length === 0 || count === undefined) return given;
  const axis = settings.axis < 0 ? settings.axis + shape.length : settings.axis;
  return math.reshape(
    given,
    shape.map((_, place) => (place === axis ? Number(count) : 1)),
  );
}

/** The sum over all numbers that a scale belongs to, of the scale's own shape. */
function summed(call: GradientCall<"QuantizeLinear" | "DequantizeLinear">, slopes: Value, spreadScale: Value): Value {
  const scale = call.input(1);
  return call.math.cast(call.math.reshape(sumTo(call.math, slopes, spreadScale), scale.shape.map(Number)), scale.dtype);
}

/** Rules of quantization; sources: arXiv:1308.3432 (straight through), arXiv:1902.08153 (the slope along the scale). */
export const quantizationRules = {
  /** y = round(x / s) + z: dx = dy / s and ds = -sum(dy * x / s^2) where y is within its type; 0 where it is cut off. */
  QuantizeLinear(call) {
    const { math, dy } = call;
    const x = math.cast(call.input(0), dy.dtype);
    const scale = spread(call, 1, dy);
    const [least, most] = ranges[call.output(0).dtype] ?? [];
    if (least === undefined || most === undefined) throw call.unsupported(`it rounds to ${call.output(0).dtype}`);
    const ratio = math.div(x, scale);
    const place = call.node.inputs[2] === undefined ? ratio : math.add(ratio, spread(call, 2, dy));
    // half a step beyond the ends still rounds to them: the largest weight of a channel, off by one bit, is not cut off
    const within = math.builder.op("And", [math.greater(place, least - 0.5), math.less(place, most + 0.5)]);
    const dx = math.where(within, math.div(dy, scale), 0);
    return [dx, call.needs(1) ? summed(call, math.neg(math.mul(dx, ratio)), scale) : undefined, undefined];
  },
  /** y = (x - z) * s: dx = dy * s, for the x that rounding made; ds = sum(dy * (x - z)). */
  DequantizeLinear(call) {
    const { math, dy } = call;
    const scale = spread(call, 1, dy);
    const dx = call.needs(0) ? math.mul(dy, scale) : undefined;
    if (!call.needs(1)) return [dx, undefined, undefined];
    const numbers = math.cast(call.input(0), dy.dtype);
    const shifted = call.node.inputs[2] === undefined ? numbers : math.sub(numbers, spread(call, 2, dy));
    return [dx, summed(call, math.mul(dy, shifted), scale), undefined];
  },
} satisfies Partial<GradientTable>;
