/** @file Whole numbers in place of fractions: quantization, and products and convolutions of 8-bit numbers. */
import { type Dtype, dtypeOfCode } from "../dtype.ts";
import type { Value } from "../graph/graph.ts";
import { elementCount, formatShape } from "../shape.ts";
import { preset } from "./attribute.ts";
import { convolved, windowAttributes } from "./convolution.ts";
import { multiplied } from "./matrix.ts";
import { type Call, operator } from "./operator.ts";
import { axisOf, floats, sameDtype, take } from "./rules.ts";

const bytes: readonly Dtype[] = ["int8", "uint8"];
const steps: readonly Dtype[] = [...bytes, "int16", "uint16"];

/** Checks that scales are one for all, one for each position of an axis, or blocks along it. */
function checkScale(call: Call, x: Value, scale: Value, settings: { axis: number; block_size: number }): void {
  const count = elementCount(scale.shape);
  if (count === 1 && scale.shape.length < 2) return;
  const axis = axisOf(call, settings.axis, x.shape.length);
  const size = x.shape[axis];
  const alongAxis = settings.block_size === 0 && scale.shape.length === 1;
  if (settings.block_size === 0 ? !alongAxis : scale.shape.length !== x.shape.length)
    throw call.shapeError("one scale, or one for each position of the axis", formatShape(scale.shape));
  if (alongAxis && typeof size === "number" && typeof scale.shape[0] === "number" && scale.shape[0] !== size)
    throw call.shapeError(`${size} scales, as axis ${axis} of "${x.name}" has positions`, formatShape(scale.shape));
}

/** The type that quantization gives: the zero point's, else the attribute's, else uint8. */
function quantizedType(call: Call, zero: Value | undefined, code: number): Dtype {
  if (zero !== undefined) return zero.dtype;
  const dtype = code === 0 ? "uint8" : dtypeOfCode(code);
  if (dtype === undefined || !steps.includes(dtype))
    throw call.dtypeError(`one of ${steps.join(", ")}`, `type ${code}`);
  return dtype;
}

/** Checks that zero points have the type of what they belong to. */
function zeroPoint(call: Call, index: number, of: Value): void {
  sameDtype(call, index, of);
}

/** Quantization and its products. */
export const quantization = {
  /** Inputs: x, scale, zero point. `round(x / scale) + zero`, kept within the type. */
  QuantizeLinear: operator({
    since: 21,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: {
      axis: preset("int", 1),
      block_size: preset("int", 0),
      output_dtype: preset("int", 0),
      precision: preset("int", 0),
      saturate: preset("int", 1),
    },
    infer: (call) => {
      const x = take(call, 0, [...floats, "int32"]);
      checkScale(call, x, take(call, 1, floats), call.attributes);
      const zero = call.inputs[2] === undefined ? undefined : take(call, 2, steps);
      return [{ dtype: quantizedType(call, zero, call.attributes.output_dtype), shape: x.shape }];
    },
  }),
  /** Inputs: x, scale, zero point. `(x - zero) * scale`. */
  DequantizeLinear: operator({
    since: 21,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { axis: preset("int", 1), block_size: preset("int", 0), output_dtype: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, [...steps, "int32"]);
      const scale = take(call, 1, floats);
      checkScale(call, x, scale, call.attributes);
      zeroPoint(call, 2, x);
      const { output_dtype } = call.attributes;
      const dtype = output_dtype === 0 ? scale.dtype : dtypeOfCode(output_dtype);
      if (dtype === undefined) throw call.dtypeError("a supported element type", `type ${output_dtype}`);
      return [{ dtype, shape: x.shape }];
    },
  }),
  /** Outputs: x as uint8, with the scale and the zero point (scalars) that its own least and most give. */
  DynamicQuantizeLinear: operator({
    since: 11,
    inputs: [1, 1],
    outputs: [3, 3],
    attributes: {},
    infer: (call) => [
      { dtype: "uint8", shape: take(call, 0, ["float32"]).shape },
      { dtype: "float32", shape: [] },
      { dtype: "uint8", shape: [] },
    ],
  }),
  /** Inputs: a, b, their zero points. The product in int32. */
  MatMulInteger: operator({
    since: 10,
    inputs: [2, 4],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const [a, b] = [take(call, 0, bytes), take(call, 1, bytes)];
      zeroPoint(call, 2, a);
      zeroPoint(call, 3, b);
      return [{ dtype: "int32", shape: multiplied(call, a, b) }];
    },
  }),
  /** Inputs: x, weights, their zero points. The convolution in int32. */
  ConvInteger: operator({
    since: 10,
    inputs: [2, 4],
    outputs: [1, 1],
    attributes: windowAttributes,
    infer: (call) => {
      const [x, w] = [take(call, 0, bytes), take(call, 1, bytes)];
      zeroPoint(call, 2, x);
      zeroPoint(call, 3, w);
      return [{ dtype: "int32", shape: convolved(call, x, w) }];
    },
  }),
  /** Inputs: a, b and y as triples: (a, scale, zero), (b, scale, zero), (scale, zero) of the output. */
  QLinearMatMul: operator({
    since: 10,
    inputs: [8, 8],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const [a, b, zero] = [take(call, 0, bytes), take(call, 3, bytes), take(call, 7, bytes)];
      zeroPoint(call, 2, a);
      zeroPoint(call, 5, b);
      for (const index of [1, 4, 6]) take(call, index, floats);
      return [{ dtype: zero.dtype, shape: multiplied(call, a, b) }];
    },
  }),
  /** Inputs: (x, scale, zero), (weights, scale, zero), (scale, zero) of the output, bias (int32 [maps]). */
  QLinearConv: operator({
    since: 10,
    inputs: [8, 9],
    outputs: [1, 1],
    attributes: windowAttributes,
    infer: (call) => {
      const [x, w, zero] = [take(call, 0, bytes), take(call, 3, bytes), take(call, 7, bytes)];
      zeroPoint(call, 2, x);
      zeroPoint(call, 5, w);
      for (const index of [1, 4, 6]) take(call, index, ["float32"]);
      if (call.inputs[8] !== undefined) take(call, 8, ["int32"]);
      return [{ dtype: zero.dtype, shape: convolved(call, x, w) }];
    },
  }),
};
