/** @file Activations that are 0 around 0. */
import { numberWhere } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

const width = () => numberWhere("a number from 0", (value) => value >= 0, 0.5);

/** y = x where |x| > `threshold` (0.5), else 0. ONNX: Abs, LessOrEqual, Where. */
export const hardShrink = defineKind("hardShrink", { threshold: width() }, ({ threshold }) =>
  elementwise((math, x) => {
    const size = math.builder.op("Abs", [x]);
    return math.where(math.builder.op("LessOrEqual", [size, math.scalar(threshold, x)]), 0, x); // NaN stays NaN
  }),
);

/** y = x moved by `threshold` (0.5) toward 0, and 0 within it: x less x kept within ±threshold. ONNX: Clip, Sub. */
export const softShrink = defineKind("softShrink", { threshold: width() }, ({ threshold }) =>
  elementwise((math, x) =>
    math.sub(x, math.builder.op("Clip", [x, math.scalar(-threshold, x), math.scalar(threshold, x)])),
  ),
);
