/** @file Gradients of further normalizations: by group, by root mean square, and those that only imported models have. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { sumTo } from "../broadcast.ts";
import { inverseDeviation, normalized, throughNormalized } from "../normalizing.ts";
import type { GradientTable } from "../rule.ts";
import { writtenOut } from "../written-out.ts";

/** Rules of normalizations that scale by something else than a layer, a batch or an image. */
export const scalingRules = {
  // each group of channels of each image by itself; scale and bias by channel
  GroupNormalization: (call) => {
    const { math, dy } = call;
    const x = call.input(0);
    const [batch = 1, channels = 1, ...image] = sizesOf(x);
    const perChannel = [channels, ...image.map(() => 1)];
    const grouped = (value: Value): Value => math.reshape(value, [batch, call.settings.num_groups, -1]);
    const group = normalized(math, grouped(x), [2], call.settings.epsilon);
    const folded = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
    const dx = (): Value => {
      const dh = grouped(math.mul(dy, math.reshape(call.input(1), perChannel)));
      const [share, pull] = [math.mean(dh, [2], true), math.mean(math.mul(dh, group.h), [2], true)];
      return math.reshape(throughNormalized(math, group, dh, { share, pull }), sizesOf(x));
    };
    return [
      call.needs(0) ? dx() : undefined,
      call.needs(1) ? math.sum(math.mul(dy, math.reshape(group.h, sizesOf(x))), folded) : undefined,
      call.needs(2) ? math.sum(dy, folded) : undefined,
    ];
  },
  // y = h scale, h = x s, s = 1 / sqrt(mean(x²) + epsilon): dx = s (dh - h mean(dh h))
  RMSNormalization: (call) => {
    const { math, dy } = call;
    const [x, scale] = [call.input(0), call.input(1)];
    const { axis, epsilon } = call.settings;
    const axes = x.shape.map((_, i) => i).slice(axis);
    const s = inverseDeviation(math, math.mean(math.mul(x, x), axes, true), epsilon);
    const h = math.mul(x, s);
    const dx = (): Value => {
      const dh = math.mul(dy, scale);
      return math.mul(math.sub(dh, math.mul(h, math.mean(math.mul(dh, h), axes, true))), s);
    };
    return [call.needs(0) ? dx() : undefined, call.needs(1) ? sumTo(math, math.mul(dy, h), scale) : undefined];
  },
  // x over its norm; a vector of zeros stays one
  LpNormalization: writtenOut((call) => {
    const { math } = call;
    const x = call.input(0);
    const axes = math.builder.ints(call.settings.axis);
    const norm = math.builder.op(call.settings.p === 1 ? "ReduceL1" : "ReduceL2", [x, axes]);
    return [math.div(x, math.where(math.equal(norm, 0), 1, norm))];
  }),
  // the 1e-9 is the operator's own
  MeanVarianceNormalization: writtenOut((call) => {
    const { math } = call;
    const { axes } = call.settings;
    const centred = math.sub(call.input(0), math.mean(call.input(0), axes, true));
    const deviation = math.sqrt(math.mean(math.mul(centred, centred), axes, true));
    return [math.div(centred, math.add(deviation, 1e-9))];
  }),
  // y = x / (bias + alpha mean(x²))^beta, the mean over `size` channels around each
  LRN: writtenOut((call) => {
    const { math } = call;
    const { alpha, beta, bias, size } = call.settings;
    const x = call.input(0);
    const [batch = 1, channels = 1] = sizesOf(x);
    const squares = math.reshape(math.mul(x, x), [batch, 1, channels, -1]); // channels as rows of one image
    const [above, below] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
    const window = { kernel_shape: [size, 1], pads: [above, 0, below, 0], count_include_pad: 1 };
    const means = math.reshape(math.builder.op("AveragePool", [squares], window), sizesOf(x));
    const power = math.add(math.mul(means, alpha), bias);
    return [math.mul(x, math.builder.op("Pow", [power, math.scalar(-beta, x)]))];
  }),
  // (sum |x|^p)^(1/p) over all positions
  GlobalLpPool: writtenOut((call) => {
    const { math } = call;
    const { p } = call.settings;
    const x = call.input(0);
    const axes = x.shape.map((_, axis) => axis).slice(2);
    const named = p === 1 ? ("ReduceL1" as const) : p === 2 ? ("ReduceL2" as const) : undefined;
    if (named !== undefined) return [math.builder.op(named, [x, math.builder.ints(...axes)])];
    const powers = math.builder.op("Pow", [math.builder.op("Abs", [x]), math.scalar(p, x)]);
    return [math.builder.op("Pow", [math.sum(powers, axes, true), math.scalar(1 / p, x)])];
  }),
} satisfies Partial<GradientTable>;
