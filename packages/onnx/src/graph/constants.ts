/** @file Small constants: made from plain numbers, and recognized when they come again. */
import { type Dtype, isFloating } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import { toHalfBits } from "../half.ts";
import { emptyArray, type Tensor, tensor } from "../tensor.ts";

/** Longest constant that is compared with earlier ones; longer ones are weights, which rarely repeat. */
const longestShared = 64;

/** A text that equal small tensors, and only those, have in common; undefined for long ones. */
export function constantKey(value: Tensor): string | undefined {
  if (value.data.length > longestShared) return undefined;
  const elements =
    value.dtype === "string"
      ? JSON.stringify(value.data)
      : // bits, so that -0 and 0, and different NaNs, stay apart
        Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength).toString("base64");
  return `${value.dtype}[${value.shape.join()}]${elements}`;
}

/**
 * A tensor without axes. For float16 the number is rounded to the nearest.
 * @throws DtypeError for strings, for fractions with a type of whole numbers, and for large bigints with a small type.
 */
export function scalarTensor(value: number | bigint | boolean, dtype: Dtype): Tensor {
  const data = emptyArray(dtype, 1);
  if (dtype === "string" || Array.isArray(data))
    throw new DtypeError("scalar", `expected a type of numbers or bool for ${value}, received string`);
  const number = Number(value);
  if (typeof value === "number" && !isFloating(dtype) && dtype !== "bool" && !Number.isSafeInteger(value))
    throw new DtypeError("scalar", `expected a whole number for ${dtype}, received ${value}`);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[0] = BigInt(value);
  else if (typeof value === "bigint" && !Number.isSafeInteger(number))
    throw new DtypeError("scalar", `expected int64 or uint64 for ${value}, received ${dtype}`);
  else if (dtype === "float16") data.set(toHalfBits([number]));
  else data[0] = dtype === "bool" ? Number(number !== 0) : number;
  return tensor(dtype, [], data);
}
