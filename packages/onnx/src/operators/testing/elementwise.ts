/** @file Cases of element-wise operators. */
import { dtypeCode } from "../../dtype.ts";
import type { arithmetic } from "../arithmetic.ts";
import type { elementwise } from "../elementwise.ts";
import type { OperatorName } from "../table.ts";
import { type Case, type CasesOf, f, fed, fixed, of } from "./case.ts";

const unary: readonly [Case<never>, ...Case<never>[]] = [
  { note: "a matrix", inputs: [f(3, 4)] },
  { note: "a scalar", inputs: [f()] },
  { note: "an empty axis", inputs: [f(2, 0)] },
];
const integral: readonly [Case<never>, ...Case<never>[]] = [...unary, { note: "int32", inputs: [fed("int32", 3, 2)] }];
const one = <O extends OperatorName>(cases: readonly [Case<never>, ...Case<never>[]]) =>
  cases as unknown as readonly [Case<O>, ...Case<O>[]];

const both = (dtype: Parameters<typeof fed>[0]): readonly [Case<never>, ...Case<never>[]] => [
  { note: "equal shapes", inputs: [fed(dtype, 2, 3), fed(dtype, 2, 3)] },
  { note: "a stretched axis and a missing one", inputs: [fed(dtype, 4, 2, 1), fed(dtype, 3)] },
  { note: "both stretched", inputs: [fed(dtype, 2, 1), fed(dtype, 1, 5)], numbersOnly: "axis 0 of the second is 1" },
  { note: "a scalar", inputs: [fed(dtype, 2, 3), fixed(dtype, [], 1)] },
];
const logical = both("bool");
const bits = both("uint8");

/** Cases of `arithmetic.ts`. */
export const arithmeticCases: CasesOf<typeof arithmetic> = {
  Add: [...one<"Add">(both("float32")), { note: "float64", inputs: [fed("float64", 2), fed("float64", 2)] }],
  Sub: [...one<"Sub">(both("float32")), { note: "int64", inputs: [fed("int64", 2), fed("int64", 2)] }],
  Mul: one(both("float32")),
  Div: one(both("float32")),
  Mod: [
    { note: "integers", inputs: [of("int64", [3], 5, -5, 7), fixed("int64", [], 3)] },
    { note: "floats", inputs: [f(2, 3), f(3)], attributes: { fmod: 1 } },
  ],
  Max: [
    ...one<"Max">(both("float32")),
    { note: "three", inputs: [f(2, 3), f(3), f(2, 1)] },
    { note: "one", inputs: [f(2)] },
  ],
  Min: [...one<"Min">(both("float32")), { note: "three", inputs: [f(2, 3), f(3), f(2, 1)] }],
  Sum: one(both("float32")),
  Mean: one(both("float32")),
  Pow: [...one<"Pow">(both("float32")), { note: "whole exponent", inputs: [f(2, 3), fixed("int64", [], 2)] }],
  BitShift: [{ note: "left", inputs: [fed("uint8", 2, 3), fixed("uint8", [], 2)], attributes: { direction: "LEFT" } }],
  BitwiseAnd: one(bits),
  BitwiseOr: one(bits),
  BitwiseXor: one(bits),
  And: one(logical),
  Or: one(logical),
  Xor: one(logical),
  Greater: one(both("float32")),
  GreaterOrEqual: one(both("float32")),
  Less: one(both("float32")),
  LessOrEqual: one(both("int64")),
  Equal: [...one<"Equal">(both("int64")), { note: "strings", inputs: [fed("string", 3), fed("string", 3)] }],
  PRelu: [{ note: "a slope a channel", inputs: [f(2, 3, 4), fixed("float32", [3, 1], 0.1, 0.2, 0.3)] }],
  Where: [
    { note: "equal shapes", inputs: [fed("bool", 2, 3), f(2, 3), f(2, 3)] },
    { note: "all stretched", inputs: [fed("bool", 2, 1), f(3), fixed("float32", [], 0)] },
    { note: "int64", inputs: [fed("bool", 2), fed("int64", 2), fed("int64", 2)] },
  ],
};

/** Cases of `elementwise.ts`. */
export const elementwiseCases: CasesOf<typeof elementwise> = {
  Neg: one(integral),
  Abs: one(integral),
  Sign: one(integral),
  Sqrt: one(unary),
  Exp: one(unary),
  Log: one(unary),
  Erf: one(unary),
  Reciprocal: one(unary),
  Floor: one(unary),
  Ceil: one(unary),
  Round: one(unary),
  Sin: one(unary),
  Cos: one(unary),
  Tan: one(unary),
  Asin: one(unary),
  Acos: one(unary),
  Atan: one(unary),
  Sinh: one(unary),
  Cosh: one(unary),
  Asinh: one(unary),
  Acosh: one(unary),
  Atanh: one(unary),
  Not: [{ note: "a matrix", inputs: [fed("bool", 2, 3)] }],
  BitwiseNot: [{ note: "a matrix", inputs: [fed("uint8", 2, 3)] }],
  Relu: one(integral),
  Sigmoid: one(unary),
  Tanh: one(unary),
  Softplus: one(unary),
  Softsign: one(unary),
  HardSwish: one(unary),
  Mish: one(unary),
  Swish: one(unary),
  Shrink: [...one<"Shrink">(unary), { note: "soft", inputs: [f(2)], attributes: { bias: 1, lambd: 1 } }],
  LeakyRelu: [...one<"LeakyRelu">(unary), { note: "alpha 1", inputs: [f(2)], attributes: { alpha: 1 } }],
  Elu: [...one<"Elu">(unary), { note: "alpha 2", inputs: [f(2)], attributes: { alpha: 2 } }],
  Celu: one(unary),
  ThresholdedRelu: one(unary),
  HardSigmoid: [{ note: "all settings", inputs: [f(2, 3)], attributes: { alpha: 1, beta: 0 } }],
  Selu: [{ note: "all settings", inputs: [f(2, 3)], attributes: { alpha: 1, gamma: 2 } }],
  Gelu: [...one<"Gelu">(unary), { note: "tanh", inputs: [f(2)], attributes: { approximate: "tanh" } }],
  IsNaN: one(unary),
  IsInf: [...one<"IsInf">(unary), { note: "one side", inputs: [f(2)], attributes: { detect_negative: 0 } }],
  Identity: [...one<"Identity">(unary), { note: "strings", inputs: [fed("string", 2)] }],
  Clip: [
    { note: "both bounds", inputs: [f(2, 3), fixed("float32", [], 0), fixed("float32", [], 1)] },
    { note: "upper bound only", inputs: [f(2, 3), undefined, fixed("float32", [], 1)] },
    { note: "no bounds", inputs: [f(2, 3)] },
  ],
  Cast: [
    { note: "to int64", inputs: [f(2, 3)], attributes: { to: dtypeCode("int64") } },
    { note: "to float16", inputs: [f(2, 3)], attributes: { to: dtypeCode("float16") } },
    { note: "to bool", inputs: [fed("int32", 2)], attributes: { to: dtypeCode("bool") } },
    { note: "to string", inputs: [fed("int64", 2)], attributes: { to: dtypeCode("string") } },
  ],
  CastLike: [{ note: "to float64", inputs: [f(2, 3), fed("float64", 1)] }],
  CumSum: [
    { note: "rows", inputs: [f(2, 3), fixed("int64", [], 1)] },
    { note: "backwards", inputs: [f(2, 3), fixed("int32", [], 0)], attributes: { exclusive: 1, reverse: 1 } },
  ],
  Trilu: [
    { note: "upper", inputs: [f(3, 3)] },
    { note: "lower, shifted, in a batch", inputs: [f(2, 3, 4), fixed("int64", [], -1)], attributes: { upper: 0 } },
  ],
  EyeLike: [
    { note: "the input's type", inputs: [f(3, 4)] },
    { note: "another type", inputs: [f(2, 2)], attributes: { dtype: dtypeCode("int64"), k: 1 } },
  ],
};
