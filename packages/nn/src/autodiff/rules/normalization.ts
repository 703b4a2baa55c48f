/** @file Gradients of softmax and of layer normalization. */
import { sizesOf } from "../../graph/graph-math.ts";
import { sumTo } from "../broadcast.ts";
import type { GradientTable } from "../rule.ts";

/** Rules of normalizations. */
export const normalizationRules = {
  // y = softmax(x): dx = y (dy - sum(dy y))
  Softmax: ({ math, dy, output, settings: { axis } }) => {
    const y = output(0);
    const weighted = math.mul(dy, y);
    return [math.sub(weighted, math.mul(y, math.sum(weighted, [axis], true)))];
  },
  // y = x - logsumexp(x): dx = dy - softmax(x) sum(dy), and softmax(x) = exp(y)
  LogSoftmax: ({ math, dy, output, settings: { axis } }) => [
    math.sub(dy, math.mul(math.exp(output(0)), math.sum(dy, [axis], true))),
  ],
  // h = (x - mean) s, y = h scale + bias, s = 1 / sqrt(variance + epsilon). With d = dy scale:
  // dx = s (d - mean(d) - h mean(d h)); the means over the normalized axes
  LayerNormalization: (call) => {
    const { math, dy } = call;
    const [x, scale] = [call.input(0), call.input(1)];
    const rank = sizesOf(x).length;
    const first = call.settings.axis < 0 ? call.settings.axis + rank : call.settings.axis;
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    const centred = math.sub(x, math.mean(x, axes, true));
    const variance = math.mean(math.mul(centred, centred), axes, true);
    const s = math.builder.op("Reciprocal", [math.sqrt(math.add(variance, call.settings.epsilon))]);
    const h = math.mul(centred, s);
    const d = math.mul(dy, scale);
    const pull = math.add(math.mean(d, axes, true), math.mul(h, math.mean(math.mul(d, h), axes, true)));
    return [
      call.needs(0) ? math.mul(s, math.sub(d, pull)) : undefined,
      call.needs(1) ? sumTo(math, math.mul(dy, h), scale) : undefined,
      call.needs(2) ? sumTo(math, dy, call.input(2)) : undefined,
    ];
  },
  BatchNormalization: "noRule",
  InstanceNormalization: "noRule",
  Hardmax: "nonDifferentiable",
  // its draws restart with each session; the dropout layer hashes a counter instead
  Dropout: "noRule",
} satisfies Partial<GradientTable>;
