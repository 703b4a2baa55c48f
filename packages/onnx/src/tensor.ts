/** @file A tensor is its element type, its sizes and its elements in row-major order; it owns nothing else. */
import type { Dtype } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { elementCount, formatShape } from "./shape.ts";

/** The array that holds each element type. float16 travels as its raw bits, bool as 0 and 1. */
export type TensorArrays = {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
  string: string[];
};

/** Elements of some type. */
export type TensorData = TensorArrays[Dtype];

/** Numbers or strings with sizes; row-major. */
export type Tensor<D extends Dtype = Dtype> = {
  [K in D]: { readonly dtype: K; readonly shape: readonly number[]; readonly data: TensorArrays[K] };
}[D];

/**
 * A tensor over the given elements, which are not copied.
 * @throws ShapeError when the number of elements is not the product of the sizes.
 */
export function tensor<D extends Dtype>(dtype: D, shape: readonly number[], data: TensorArrays[D]): Tensor<D> {
  const expected = elementCount(shape);
  if (data.length !== expected)
    throw new ShapeError(
      "tensor",
      `shape ${formatShape(shape)} holds ${expected} elements, received ${data.length}; change the shape or the data`,
    );
  return { dtype, shape, data } as Tensor<D>;
}

/** An array of `length` zeros (empty strings) for an element type. */
export function emptyArray<D extends Dtype>(dtype: D, length: number): TensorArrays[D] {
  return makers[dtype](length) as TensorArrays[D];
}

const makers: { readonly [D in Dtype]: (length: number) => TensorArrays[D] } = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  float16: (length) => new Uint16Array(length),
  int8: (length) => new Int8Array(length),
  int16: (length) => new Int16Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
  uint8: (length) => new Uint8Array(length),
  uint16: (length) => new Uint16Array(length),
  uint32: (length) => new Uint32Array(length),
  uint64: (length) => new BigUint64Array(length),
  bool: (length) => new Uint8Array(length),
  string: (length) => Array.from({ length }, () => ""),
};
