/** @file Operators on one tensor, element by element. */
import { multiplyDims } from "../dim.ts";
import type { Dtype } from "../dtype.ts";
import { dtypeOfCode, isFloating } from "../dtype.ts";
import { optional, preset, required } from "./attribute.ts";
import { fitting } from "./contents.ts";
import { operator } from "./operator.ts";
import { anything, bools, floats, indices, integers, likeInput, numeric, sameDtype, signed, take } from "./rules.ts";

const one = { inputs: [1, 1], outputs: [1, 1], attributes: {} } as const;

const unary = (since: number, allowed: readonly Dtype[]) => operator({ since, ...one, infer: likeInput(allowed) });

const withAlpha = (since: number, alpha: number) =>
  operator({ since, ...one, attributes: { alpha: preset("float", alpha) }, infer: likeInput(floats) });

/** Operators that work on each element by itself. */
export const elementwise = {
  Neg: operator({
    since: 13,
    ...one,
    infer: (call) =>
      likeInput(signed)(call).map((output) => ({
        ...output,
        contents: call.contents(0)?.map((size) => multiplyDims(size, -1)),
      })),
  }),
  Abs: unary(13, numeric),
  Sign: unary(13, numeric),
  Sqrt: unary(13, floats),
  Exp: unary(13, floats),
  Log: unary(13, floats),
  Erf: unary(13, numeric),
  Reciprocal: unary(13, floats),
  Floor: unary(13, floats),
  Ceil: unary(13, floats),
  Round: unary(11, floats),
  Sin: unary(7, floats),
  Cos: unary(7, floats),
  Tan: unary(7, floats),
  Asin: unary(7, floats),
  Acos: unary(7, floats),
  Atan: unary(7, floats),
  Sinh: unary(9, floats),
  Cosh: unary(9, floats),
  Asinh: unary(9, floats),
  Acosh: unary(9, floats),
  Atanh: unary(9, floats),
  Not: unary(1, bools),
  BitwiseNot: unary(18, integers),
  Relu: unary(14, signed),
  Sigmoid: unary(13, floats),
  Tanh: unary(13, floats),
  Softplus: unary(1, floats),
  Softsign: unary(1, floats),
  HardSwish: unary(14, floats),
  Mish: unary(18, floats),
  LeakyRelu: withAlpha(16, 0.01),
  Elu: withAlpha(6, 1),
  Celu: withAlpha(12, 1),
  ThresholdedRelu: withAlpha(10, 1),
  /** `x * sigmoid(alpha * x)`. */
  Swish: withAlpha(24, 1),
  /** Moves x by `bias` toward 0, and to 0 within `lambd` of it. */
  Shrink: operator({
    since: 9,
    ...one,
    attributes: { bias: preset("float", 0), lambd: preset("float", 0.5) },
    infer: likeInput(numeric),
  }),
  HardSigmoid: operator({
    since: 6,
    ...one,
    attributes: { alpha: preset("float", 0.2), beta: preset("float", 0.5) },
    infer: likeInput(floats),
  }),
  Selu: operator({
    since: 6,
    ...one,
    attributes: {
      alpha: preset("float", 1.6732631921768188),
      gamma: preset("float", 1.0507010221481323),
    },
    infer: likeInput(floats),
  }),
  /** `approximate`: "none" (by Erf) or "tanh". */
  Gelu: operator({
    since: 20,
    ...one,
    attributes: { approximate: preset("string", "none") },
    infer: likeInput(floats),
  }),
  IsNaN: operator({
    since: 13,
    ...one,
    infer: (call) => [{ dtype: "bool", shape: take(call, 0, floats).shape }],
  }),
  IsInf: operator({
    since: 10,
    ...one,
    attributes: { detect_negative: preset("int", 1), detect_positive: preset("int", 1) },
    infer: (call) => [{ dtype: "bool", shape: take(call, 0, floats).shape }],
  }),
  Identity: operator({
    since: 16,
    ...one,
    infer: (call) => {
      const { dtype, shape } = take(call, 0, anything);
      return [{ dtype, shape, contents: call.contents(0) }];
    },
  }),
  /** Inputs: x, least, most; a missing bound does not bind. */
  Clip: operator({
    since: 13,
    inputs: [1, 3],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, numeric);
      for (const index of [1, 2]) {
        const bound = sameDtype(call, index, x);
        if (bound !== undefined && bound.shape.length !== 0)
          throw call.shapeError(`a scalar for "${bound.name}"`, `${bound.shape.length} axes`);
      }
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** `to` is a `TensorProto.DataType`: see `dtypeCode`. */
  Cast: operator({
    since: 19,
    ...one,
    attributes: { to: required("int"), saturate: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, anything);
      const dtype = dtypeOfCode(call.attributes.to);
      if (dtype === undefined)
        throw call.dtypeError("a supported element type for attribute to", `${call.attributes.to}`);
      const keepsSizes = indices.includes(dtype) && !isFloating(x.dtype);
      return [{ dtype, shape: x.shape, contents: keepsSizes ? fitting(x.shape, call.contents(0)) : undefined }];
    },
  }),
  CastLike: operator({
    since: 19,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { saturate: preset("int", 1) },
    infer: (call) => [{ dtype: take(call, 1, anything).dtype, shape: take(call, 0, anything).shape }],
  }),
  CumSum: operator({
    since: 14,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { exclusive: preset("int", 0), reverse: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, [...floats, "int32", "int64", "uint32", "uint64"]);
      take(call, 1, indices);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** Inputs: matrices, diagonal (scalar int64). `upper` 1 keeps the upper triangle. */
  Trilu: operator({
    since: 14,
    inputs: [1, 2],
    outputs: [1, 1],
    attributes: { upper: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, anything);
      if (x.shape.length < 2) throw call.shapeError(`at least 2 axes for "${x.name}"`, `${x.shape.length}`);
      if (call.inputs[1] !== undefined) take(call, 1, ["int64"]);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  EyeLike: operator({
    since: 9,
    ...one,
    attributes: { dtype: optional("int"), k: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, anything);
      const dtype = call.attributes.dtype === undefined ? x.dtype : dtypeOfCode(call.attributes.dtype);
      if (dtype === undefined) throw call.dtypeError("a supported element type", `${call.attributes.dtype}`);
      if (x.shape.length !== 2) throw call.shapeError(`2 axes for "${x.name}"`, `${x.shape.length}`);
      return [{ dtype, shape: x.shape }];
    },
  }),
};
