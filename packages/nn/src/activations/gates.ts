/** @file Activations that let x through by a share of itself: x * gate(x). */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { toPlain } from "../layers/features.ts";
import { knownSize, type SampleShape } from "../layers/shape.ts";
import { flag } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { type Activation, elementwise } from "./activation.ts";

/**
 * y = x P(x), P the normal distribution; with `approximate` (false) P by a tanh.
 * ONNX: Gelu (opset 20). Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
 */
export const gelu = defineKind("gelu", { approximate: flag(false) }, ({ approximate }) =>
  elementwise(({ builder }, x) => builder.op("Gelu", [x], approximate ? { approximate: "tanh" } : {})),
);

/** y = x sigmoid(x), also called swish. ONNX: Sigmoid, Mul. Source: Elfwing and others 2017, arXiv:1702.03118. */
export const silu = defineKind("silu", {}, () =>
  elementwise((math, x) => math.mul(x, math.builder.op("Sigmoid", [x]))),
);

/** y = x hardSigmoid(x), also called hard swish. ONNX: HardSwish. Source: Howard and others 2019, arXiv:1905.02244. */
export const hardSilu = defineKind("hardSilu", {}, () => elementwise(({ builder }, x) => builder.op("HardSwish", [x])));

/** y = x tanh(softplus(x)). ONNX: Mish. Source: Misra 2019, arXiv:1908.08681. */
export const mish = defineKind("mish", {}, () => elementwise(({ builder }, x) => builder.op("Mish", [x])));

const half = (shape: SampleShape): SampleShape => {
  const channels = knownSize(shape, -1, "glu");
  if (channels % 2 !== 0)
    throw new ShapeError("glu", `expected an even number of channels, one half for the gates, received ${channels}`);
  return [...shape.slice(0, -1), channels / 2];
};

const gated = (math: GraphMath, value: Value, channels: number): Value => {
  const last = value.shape.length - 1;
  const part = (start: number): Value => math.slice(value, [last], [start], [start + channels]);
  return math.mul(part(0), math.builder.op("Sigmoid", [part(channels)]));
};

/**
 * y = a sigmoid(b), a and b the halves of the last axis, so that y has half as many channels.
 *
 * - Shapes: [batch, ..., 2 channels] → [batch, ..., channels]. For the `activation` layer alone: other layers say how many outputs they have.
 * - ONNX: Slice, Sigmoid, Mul. Source: Dauphin and others 2016, arXiv:1612.08083.
 */
export const glu = defineKind(
  "glu",
  {},
  (): Activation =>
    Object.assign(
      ((math, input) => {
        const features = toPlain(math, input);
        const shape = half(features.shape);
        return { ...features, shape, value: gated(math, features.value, shape.at(-1) ?? 0) };
      }) satisfies Activation,
      { outputShape: half },
    ),
);
