/** @file Units that bend to a floor below 0 by an exponential, and the exponential itself. */
import { positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = x above 0, `alpha * (exp(x) - 1)` below; `alpha` 1. ONNX: Elu. Source: Clevert and others 2015, arXiv:1511.07289. */
export const elu = defineKind("elu", { alpha: positive(1) }, ({ alpha }) =>
  elementwise(({ builder }, x) => builder.op("Elu", [x], { alpha })),
);

/**
 * `scale * elu(x)` with the alpha and scale that keep mean 0 and variance 1 from layer to layer.
 * ONNX: Selu, with its own defaults for both. Source: Klambauer and others 2017, arXiv:1706.02515.
 */
export const selu = defineKind("selu", {}, () => elementwise(({ builder }, x) => builder.op("Selu", [x])));

/** y = x above 0, `alpha * (exp(x / alpha) - 1)` below; `alpha` 1. ONNX: Celu. Source: Barron 2017, arXiv:1704.07483. */
export const celu = defineKind("celu", { alpha: positive(1) }, ({ alpha }) =>
  elementwise(({ builder }, x) => builder.op("Celu", [x], { alpha })),
);

/** y = exp(x), infinite above 88 in float32. ONNX: Exp. */
export const exponential = defineKind("exponential", {}, () => elementwise((math, x) => math.exp(x)));
