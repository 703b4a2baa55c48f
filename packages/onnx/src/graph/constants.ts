/** @file Small constants: made from plain numbers, and recognized when they come again. */
import { type Dtype, dtypes } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import { toHalfBits } from "../half.ts";
import { type Tensor, tensor } from "../tensor.ts";

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
 * @throws DtypeError for strings, and for a bigint with a type that is not int64 or uint64.
 */
export function scalarTensor(value: number | bigint | boolean, dtype: Dtype): Tensor {
  const number = Number(value);
  if (dtype === "int64") return tensor(dtype, [], BigInt64Array.of(BigInt(value)));
  if (dtype === "uint64") return tensor(dtype, [], BigUint64Array.of(BigInt(value)));
  if (typeof value === "bigint" && !Number.isSafeInteger(number))
    throw new DtypeError("scalar", `expected int64 or uint64 for ${value}, received ${dtype}`);
  switch (dtype) {
    case "float32":
      return tensor(dtype, [], Float32Array.of(number));
    case "float64":
      return tensor(dtype, [], Float64Array.of(number));
    case "float16":
      return tensor(dtype, [], toHalfBits(number));
    case "int8":
      return tensor(dtype, [], Int8Array.of(number));
    case "int16":
      return tensor(dtype, [], Int16Array.of(number));
    case "int32":
      return tensor(dtype, [], Int32Array.of(number));
    case "uint8":
      return tensor(dtype, [], Uint8Array.of(number));
    case "uint16":
      return tensor(dtype, [], Uint16Array.of(number));
    case "uint32":
      return tensor(dtype, [], Uint32Array.of(number));
    case "bool":
      return tensor(dtype, [], Uint8Array.of(value ? 1 : 0));
    case "string":
      throw new DtypeError("scalar", `expected an element type of ${dtypes.filter((d) => d !== "string").join(", ")}`);
  }
}
