/** @file Activations from -1 to 1, and what tanh takes off x. */
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = tanh(x). ONNX: Tanh. */
export const tanh = defineKind("tanh", {}, () => elementwise(({ builder }, x) => builder.op("Tanh", [x])));

/** y = x kept from -1 to 1. ONNX: Clip. */
export const hardTanh = defineKind("hardTanh", {}, () =>
  elementwise((math, x) => math.builder.op("Clip", [x, math.scalar(-1, x), math.scalar(1, x)])),
);

/** y = x - tanh(x). ONNX: Tanh, Sub. */
export const tanhShrink = defineKind("tanhShrink", {}, () =>
  elementwise((math, x) => math.sub(x, math.builder.op("Tanh", [x]))),
);

/** y = x / (1 + |x|). ONNX: Softsign. */
export const softsign = defineKind("softsign", {}, () => elementwise(({ builder }, x) => builder.op("Softsign", [x])));
