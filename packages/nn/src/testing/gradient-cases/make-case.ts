/** @file The words in which the cases of the gradient checks are written. */
import { type AttributesOf, type OperatorName, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";

/** A vector of these numbers. */
export const at = (...values: number[]): CheckedInput => ({ shape: [values.length], values });
/** Random normal numbers. */
export const random = (...shape: number[]): CheckedInput => ({ shape });
/** A constant int64 tensor. */
export const ints = (math: GraphMath, shape: readonly number[], ...values: number[]): Value =>
  math.builder.constant(tensor("int64", shape, BigInt64Array.from(values, BigInt)));
/** A constant mask. */
export const bools = (math: GraphMath, shape: readonly number[], ...values: number[]): Value =>
  math.builder.constant(tensor("bool", shape, Uint8Array.from(values)));

/** A case that is one node of the operator on all inputs. */
export const node = <O extends OperatorName>(
  name: string,
  operator: O,
  inputs: readonly CheckedInput[],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
  dtype?: GradientCase["dtype"],
): GradientCase => ({
  name,
  inputs,
  build: (math, ...values) => math.builder.op(operator, values, attributes),
  ...(dtype === undefined ? {} : { dtype }),
});

/** A node with constant inputs behind the checked ones. */
export const withConstants = <O extends OperatorName>(
  name: string,
  operator: O,
  inputs: readonly CheckedInput[],
  constants: (math: GraphMath, like: Value) => readonly (Value | undefined)[],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
  dtype?: GradientCase["dtype"],
): GradientCase => ({
  name,
  inputs,
  build: (math, ...values) => {
    const [like] = values;
    return math.builder.op(operator, [...values, ...(like === undefined ? [] : constants(math, like))], attributes);
  },
  ...(dtype === undefined ? {} : { dtype }),
});

/** One node on one input. */
export const unary = <O extends OperatorName>(
  operator: O,
  input: CheckedInput,
  dtype?: GradientCase["dtype"],
  attributes: AttributesOf<O> = {} as AttributesOf<O>,
): GradientCase[] => [node("a slope at each of four points", operator, [input], attributes, dtype)];

/** Distinct values, so that no window of a pool ties. */
export const distinct = (...shape: number[]): CheckedInput => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Array.from({ length: count }, (_, i) => (((i * 37) % count) - count / 2) / 4) };
};
