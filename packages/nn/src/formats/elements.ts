/** @file Tensors as files hold them: element types, and typed arrays from and to bytes with the low byte first. */
import type { TensorArrays } from "@gristmill/onnx";
import { FileFormatError } from "./format-error.ts";
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from "./short-floats.ts";

/** The array that holds each element type. float16 and bfloat16 travel as their raw bits, bool as 0 and 1. */
export type ElementArrays = Omit<TensorArrays, "string"> & { bfloat16: Uint16Array };

/** An element type that files may hold. */
export type ElementType = keyof ElementArrays;

/** Numbers with their sizes; row-major. */
export type StoredTensor = {
  [T in ElementType]: { readonly dtype: T; readonly shape: readonly number[]; readonly data: ElementArrays[T] };
}[ElementType];

type Maker<T extends ElementType> = new (buffer: ArrayBuffer, offset: number, length: number) => ElementArrays[T];
const table: { readonly [T in ElementType]: { readonly bytes: number; readonly view: Maker<T> } } = {
  float32: { bytes: 4, view: Float32Array },
  float64: { bytes: 8, view: Float64Array },
  float16: { bytes: 2, view: Uint16Array },
  bfloat16: { bytes: 2, view: Uint16Array },
  int8: { bytes: 1, view: Int8Array },
  int16: { bytes: 2, view: Int16Array },
  int32: { bytes: 4, view: Int32Array },
  int64: { bytes: 8, view: BigInt64Array },
  uint8: { bytes: 1, view: Uint8Array },
  uint16: { bytes: 2, view: Uint16Array },
  uint32: { bytes: 4, view: Uint32Array },
  uint64: { bytes: 8, view: BigUint64Array },
  bool: { bytes: 1, view: Uint8Array },
};

/** Bytes of one element. */
export const elementBytes = (dtype: ElementType): number => table[dtype].bytes;

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Elements of bytes as they lie in a file. They share the bytes' memory where the address and the machine's byte order
 * allow it, and are a copy elsewhere.
 * @throws FileFormatError for a bool that is neither 0 nor 1.
 */
export function elementsOf<T extends ElementType>(where: string, dtype: T, bytes: Uint8Array): ElementArrays[T] {
  const { bytes: size, view } = table[dtype];
  if (dtype === "bool" && bytes.some((byte) => byte > 1))
    throw new FileFormatError(where, "expected 0 or 1 for each bool, received another byte");
  const isShareable =
    bytes.buffer instanceof ArrayBuffer && bytes.byteOffset % size === 0 && (isLittleEndian || size === 1);
  const own = isShareable ? bytes : inOrder(Uint8Array.from(bytes), size);
  return new view(own.buffer as ArrayBuffer, own.byteOffset, bytes.length / size) as ElementArrays[T];
}

/** Bytes of elements as they lie in a file; they share the elements' memory where the machine's byte order allows it. */
export function bytesOf(dtype: ElementType, data: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const size = elementBytes(dtype);
  return isLittleEndian || size === 1 ? bytes : inOrder(Uint8Array.from(bytes), size);
}

/** Turns each element's bytes around on machines that keep the high byte first. */
function inOrder(bytes: Uint8Array, size: number): Uint8Array {
  if (!isLittleEndian && size > 1)
    for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}

/** The same numbers as float32, rounded where they have more digits; float32 itself is not copied. */
export function toFloat32({ dtype, data }: Pick<StoredTensor, "dtype" | "data">): Float32Array {
  if (dtype === "float32") return data as Float32Array;
  if (dtype === "float16") return eachOf(data as Uint16Array, float16Value);
  if (dtype === "bfloat16") return eachOf(data as Uint16Array, bfloat16Value);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

// not Float32Array.from with a function: writing F16 went from 17 to 106 MB of float32 a second by loops (Node 24, a busy machine)
function eachOf(bits: Uint16Array, toValue: (bits: number) => number): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = toValue(bits[i] ?? 0);
  return values;
}

/** float32 in fewer bits: the raw bits of float16 or bfloat16. */
export function toShortFloats(dtype: "float16" | "bfloat16", data: Float32Array): Uint16Array {
  const bitsOf = dtype === "float16" ? float16Bits : bfloat16Bits;
  const bits = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = bitsOf(data[i] ?? 0);
  return bits;
}
