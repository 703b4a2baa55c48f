/** @file Losses that grow as a square near the target and as a distance far from it. */
import { positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { distance, elementLoss } from "./element-loss.ts";

/**
 * `e² / 2` for `e = |output - target|` up to `delta`, else `delta * (e - delta / 2)`; mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]. Defaults: `delta` 1.
 * - ONNX: Sub, Abs, Min, Mul, ReduceMean: with m = min(e, delta) it is m (e - m / 2), one formula for both sides.
 * - Source: Huber 1964.
 */
export const huber = defineKind("huber", { delta: positive(1) }, ({ delta }) =>
  elementLoss((math, output, target) => {
    const e = distance(math, output, target);
    const m = math.builder.op("Min", [e, math.scalar(delta, e)]);
    return math.mul(m, math.sub(e, math.mul(m, 0.5)));
  }),
);

/**
 * `log(cosh(output - target))`, mean over the outputs.
 *
 * - Shapes: output and target [batch, ...].
 * - ONNX: `e + softplus(-2 e) - log(2)` for e = output - target: no overflow far out.
 */
export const logCosh = defineKind("logCosh", {}, () =>
  elementLoss((math, output, target) => {
    const e = math.sub(output, target);
    return math.sub(math.add(e, math.builder.op("Softplus", [math.mul(e, -2)])), Math.LN2);
  }),
);
