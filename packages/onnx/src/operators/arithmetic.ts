/** @file Operators on two or more tensors, element by element, with broadcasting. */
import { addDims, exactQuotient, maxDims, minDims, multiplyDims, subtractDims } from "../dim.ts";
import type { Dtype } from "../dtype.ts";
import type { Dim } from "../shape.ts";
import { preset, required } from "./attribute.ts";
import { combineContents, fitting } from "./contents.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import {
  bools,
  broadcast,
  broadcasting,
  floats,
  integers,
  numeric,
  take,
  takeSame,
  unsignedIntegers,
} from "./rules.ts";

/** Broadcasting arithmetic that also works on sizes. */
const onSizes =
  (combine: (a: Dim, b: Dim) => Dim | undefined, allowed: readonly Dtype[] = numeric) =>
  (call: Call): readonly Inferred[] =>
    broadcasting(allowed)(call).map((output) => ({
      ...output,
      contents: call.inputs.length === 2 ? fitting(output.shape, combineContents(call, combine)) : undefined,
    }));

/** Integer division of ONNX rounds toward zero; sizes are divided only where nothing is left over. */
const quotient = (a: Dim, b: Dim): Dim | undefined => {
  if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : Math.trunc(a / b);
  return exactQuotient(a, b);
};

const remainder = (a: Dim, b: Dim): Dim | undefined =>
  typeof a === "number" && typeof b === "number" && a >= 0 && b > 0 ? a % b : undefined;

const two = { inputs: [2, 2], outputs: [1, 1], attributes: {} } as const;
const several = { inputs: [1, Number.POSITIVE_INFINITY], outputs: [1, 1], attributes: {} } as const;

/** Sums, products and comparisons of two or more values, which broadcast. */
export const arithmetic = {
  Add: operator({ since: 14, ...two, infer: onSizes(addDims) }),
  Sub: operator({ since: 14, ...two, infer: onSizes(subtractDims) }),
  Mul: operator({ since: 14, ...two, infer: onSizes((a, b) => multiplyDims(a, b)) }),
  Div: operator({ since: 14, ...two, infer: onSizes(quotient) }),
  Mod: operator({ since: 13, ...two, attributes: { fmod: preset("int", 0) }, infer: onSizes(remainder) }),
  Max: operator({ since: 13, ...several, infer: onSizes(maxDims) }),
  Min: operator({ since: 13, ...several, infer: onSizes(minDims) }),
  Sum: operator({ since: 13, ...several, infer: broadcasting(floats) }),
  Mean: operator({ since: 13, ...several, infer: broadcasting(floats) }),
  /** The exponent may have another type; the result has the base's. */
  Pow: operator({
    since: 15,
    ...two,
    infer: (call) => {
      const base = take(call, 0, [...floats, "int32", "int64"]);
      const exponent = take(call, 1, numeric);
      return [{ dtype: base.dtype, shape: broadcast(call, base.shape, exponent.shape) }];
    },
  }),
  BitShift: operator({
    since: 11,
    ...two,
    attributes: { direction: required("string") },
    infer: (call) => {
      if (call.attributes.direction !== "LEFT" && call.attributes.direction !== "RIGHT")
        throw call.shapeError('attribute direction "LEFT" or "RIGHT"', call.attributes.direction);
      return broadcasting(unsignedIntegers)(call);
    },
  }),
  BitwiseAnd: operator({ since: 18, ...two, infer: broadcasting(integers) }),
  BitwiseOr: operator({ since: 18, ...two, infer: broadcasting(integers) }),
  BitwiseXor: operator({ since: 18, ...two, infer: broadcasting(integers) }),
  And: operator({ since: 7, ...two, infer: broadcasting(bools, "bool") }),
  Or: operator({ since: 7, ...two, infer: broadcasting(bools, "bool") }),
  Xor: operator({ since: 7, ...two, infer: broadcasting(bools, "bool") }),
  Greater: operator({ since: 13, ...two, infer: broadcasting(numeric, "bool") }),
  GreaterOrEqual: operator({ since: 16, ...two, infer: broadcasting(numeric, "bool") }),
  Less: operator({ since: 13, ...two, infer: broadcasting(numeric, "bool") }),
  LessOrEqual: operator({ since: 16, ...two, infer: broadcasting(numeric, "bool") }),
  Equal: operator({ since: 19, ...two, infer: broadcasting([...numeric, "bool", "string"], "bool") }),
  PRelu: operator({ since: 16, ...two, infer: broadcasting(floats) }),
  Where: operator({
    since: 16,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const condition = take(call, 0, bools);
      const [a, b] = takeSame(call, [...numeric, "bool", "string"], 3, 1);
      const shape = broadcast(call, condition.shape, ...[a, b].map((value) => value?.shape ?? []));
      return [{ dtype: call.input(1).dtype, shape }];
    },
  }),
};
