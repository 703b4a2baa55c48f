/** @file One use of an operator, small enough to run: its inference is compared with what ONNX Runtime gives. */
import type { Dtype } from "../../dtype.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { toHalfBits } from "../../half.ts";
import { emptyArray, type Tensor, tensor } from "../../tensor.ts";
import type { AttributesOf, OperatorName } from "../table.ts";

/** An input that is fed when the case runs, or fixed in the graph. */
export interface Given {
  readonly tensor: Tensor;
  readonly fixed: boolean;
}

/** One use of operator O. */
export interface Case<O extends OperatorName = OperatorName> {
  readonly note: string;
  readonly inputs: readonly (Given | undefined)[];
  readonly attributes?:
    | AttributesOf<O>
    | ((builder: GraphBuilder, inputs: readonly (Value | undefined)[]) => AttributesOf<O>);
  /** How many outputs are asked for; 1 when not said. */
  readonly outputs?: number;
  /** Why the first axes of fed inputs cannot be named in this case; it then runs with known sizes only. */
  readonly numbersOnly?: string;
  /** Number of sizes that only the run tells; 0 when not said. With named first axes it may be another number. */
  readonly open?: number | { readonly numbers: number; readonly named: number };
}

/** Cases for each operator of a family: a missing operator does not compile. */
export type CasesOf<F> = { readonly [O in keyof F & OperatorName]: readonly [Case<O>, ...Case<O>[]] };

/** A fed input of numbers that depend on nothing but their place, from 0.05 to 1. */
export function fed(dtype: Dtype, ...shape: number[]): Given {
  const count = shape.reduce((a, b) => a * b, 1);
  const numbers = Array.from({ length: count }, (_, i) => (((i * 7919 + 13) % 19) + 1) / 20);
  return { tensor: tensorOf(dtype, shape, numbers), fixed: false };
}

/** A fed float32 input. */
export const f = (...shape: number[]): Given => fed("float32", ...shape);

/** A fed input of given numbers. */
export const of = (dtype: Dtype, shape: readonly number[], ...numbers: number[]): Given => ({
  tensor: tensorOf(dtype, shape, numbers),
  fixed: false,
});

/** A constant of given numbers. */
export const fixed = (dtype: Dtype, shape: readonly number[], ...numbers: number[]): Given => ({
  tensor: tensorOf(dtype, shape, numbers),
  fixed: true,
});

/** A constant int64 list. */
export const ints = (...numbers: number[]): Given => fixed("int64", [numbers.length], ...numbers);

function tensorOf(dtype: Dtype, shape: readonly number[], numbers: readonly number[]): Tensor {
  if (dtype === "float16") return tensor(dtype, shape, toHalfBits(numbers));
  const data = emptyArray(dtype, numbers.length);
  const whole = dtype !== "float32" && dtype !== "float64";
  for (const [i, number] of numbers.entries())
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.round(number));
    else if (Array.isArray(data)) data[i] = String(number);
    else data[i] = whole ? Math.round(number) : number;
  return tensor(dtype, shape, data as never);
}
