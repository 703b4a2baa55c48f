/** @file Smooth rectifiers: near 0 far below 0, near x far above. */
import { positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = log(1 + exp(x)), without overflow. ONNX: Softplus. */
export const softplus = defineKind("softplus", {}, () => elementwise(({ builder }, x) => builder.op("Softplus", [x])));

/** y = (x + sqrt(x² + b)) / 2, `b` 4. ONNX: Mul, Add, Sqrt. Source: Barron 2021, arXiv:2112.11687. */
export const squareplus = defineKind("squareplus", { b: positive(4) }, ({ b }) =>
  elementwise((math, x) => math.mul(math.add(x, math.sqrt(math.add(math.mul(x, x), b))), 0.5)),
);

/**
 * y = 0 up to -1, (x + 1)² / 4 up to 1, x from there on. Written as y = u² + (x - 1 above 1), u = (x + 1) / 2 kept from
 * 0 to 1, so that no branch is chosen. ONNX: HardSigmoid, Mul, Relu, Add.
 */
export const sparsePlus = defineKind("sparsePlus", {}, () =>
  elementwise((math, x) => {
    const u = math.builder.op("HardSigmoid", [x], { alpha: 0.5, beta: 0.5 });
    return math.add(math.mul(u, u), math.builder.op("Relu", [math.sub(x, 1)]));
  }),
);
