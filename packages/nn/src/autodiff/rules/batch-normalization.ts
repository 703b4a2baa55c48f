/** @file Gradients of batch normalization: by statistics that are given, or by those of the batch, which move with x. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { inverseDeviation, throughNormalized } from "../normalizing.ts";
import type { GradientCall, GradientRule } from "../rule.ts";
import { volume } from "../window.ts";

type Call = GradientCall<"BatchNormalization">;

/** All axes but the channels' are folded. */
const foldedAxes = (call: Call): number[] => call.dy.shape.map((_, axis) => axis).filter((axis) => axis !== 1);

/** A value with one number a channel, as it is broadcast: [channels, 1...]. */
const perChannel = (call: Call, value: Value): Value => {
  const [, channels = 1, ...image] = sizesOf(call.input(0));
  return call.math.reshape(value, [channels, ...image.map(() => 1)]);
};

/** Rule of BatchNormalization. */
export const batchNormalization: GradientRule<"BatchNormalization"> = (call) =>
  call.settings.training_mode === 0 ? byGivenStatistics(call) : byBatchStatistics(call);

/** y = (x - mean) s scale + bias, s = 1 / sqrt(variance + epsilon): mean and variance are inputs like others. */
function byGivenStatistics(call: Call): (Value | undefined)[] {
  const { math, dy } = call;
  const s = inverseDeviation(math, call.input(4), call.settings.epsilon); // [channels]
  const factor = math.mul(call.input(1), s);
  const sum = call.needs(2) || call.needs(3) ? math.sum(dy, foldedAxes(call)) : undefined;
  const pull = (): Value => {
    const centred = math.sub(call.input(0), perChannel(call, call.input(3)));
    return math.mul(math.sum(math.mul(dy, centred), foldedAxes(call)), s); // sum(dy h)
  };
  const pulled = call.needs(1) || call.needs(4) ? pull() : undefined;
  return [
    call.needs(0) ? math.mul(dy, perChannel(call, factor)) : undefined,
    call.needs(1) ? pulled : undefined,
    call.needs(2) ? sum : undefined,
    call.needs(3) && sum ? math.neg(math.mul(sum, factor)) : undefined,
    // dy/dvariance = -h s scale s / 2
    call.needs(4) && pulled ? math.mul(math.mul(math.mul(pulled, factor), s), -0.5) : undefined,
  ];
}

/** The same with the mean and variance of this batch. What is given of them only moves the running ones. */
function byBatchStatistics(call: Call): (Value | undefined)[] {
  const { math, dy } = call;
  const { epsilon, momentum } = call.settings;
  const x = call.input(0);
  const axes = foldedAxes(call);
  const count = volume(axes.map((axis) => sizesOf(x)[axis] ?? 1));
  const mean = math.mean(x, axes, true);
  const centred = math.sub(x, mean);
  const s = inverseDeviation(math, math.mean(math.mul(centred, centred), axes, true), epsilon); // [1, channels, 1...]
  const h = math.mul(centred, s);
  const [sum, pull] = [math.sum(dy, axes, true), math.sum(math.mul(dy, h), axes, true)];
  const flat = (value: Value): Value => math.reshape(value, [sizesOf(x)[1] ?? 1]);
  const share = (value: Value): Value => math.mul(value, 1 / count);

  const dx = (): Value => {
    const scaled = { h, s: math.mul(s, perChannel(call, call.input(1))) };
    const own = throughNormalized(math, scaled, dy, { share: share(sum), pull: share(pull) });
    // running = given momentum + batch (1 - momentum): of the mean each x has a share, of the variance 2 (x - mean)
    const [ofMean, ofVariance] = [call.gradient(1), call.gradient(2)];
    const late = (gradient: Value, factor: number): Value =>
      perChannel(call, math.cast(math.mul(gradient, (factor * (1 - momentum)) / count), x.dtype));
    const withMean = ofMean === undefined ? own : math.add(own, late(ofMean, 1));
    return ofVariance === undefined ? withMean : math.add(withMean, math.mul(centred, late(ofVariance, 2)));
  };
  const given = (output: number): Value | undefined => {
    const gradient = call.gradient(output);
    return gradient && math.mul(gradient, momentum);
  };
  return [
    call.needs(0) ? dx() : undefined,
    call.needs(1) ? flat(pull) : undefined,
    call.needs(2) ? flat(sum) : undefined,
    given(1),
    given(2),
  ];
}
