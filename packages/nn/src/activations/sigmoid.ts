/** @file Sigmoids: from 0 to 1, smooth or in straight pieces; and the logarithm of one. */
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = 1 / (1 + exp(-x)). ONNX: Sigmoid. */
export const sigmoid = defineKind("sigmoid", {}, () => elementwise(({ builder }, x) => builder.op("Sigmoid", [x])));

/** y = x / 6 + 1 / 2, kept from 0 to 1. ONNX: HardSigmoid. */
export const hardSigmoid = defineKind("hardSigmoid", {}, () =>
  elementwise(({ builder }, x) => builder.op("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })),
);

/** y = (x + 1) / 2, kept from 0 to 1: the slope of sparsePlus. ONNX: HardSigmoid. */
export const sparseSigmoid = defineKind("sparseSigmoid", {}, () =>
  elementwise(({ builder }, x) => builder.op("HardSigmoid", [x], { alpha: 0.5, beta: 0.5 })),
);

/** y = log(sigmoid(x)) = -softplus(-x), finite for any finite x. ONNX: Neg, Softplus. */
export const logSigmoid = defineKind("logSigmoid", {}, () =>
  elementwise((math, x) => math.neg(math.builder.op("Softplus", [math.neg(x)]))),
);
