/** @file Metadata values of GGUF. Source: ggml's docs/gguf.md, `gguf_metadata_value_type`. */

/** Kinds of value by their numbers on the wire. */
const codes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** A kind of metadata value. */
export type GgufValueType = keyof typeof codes;
type Small = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "float32" | "float64";
type Large = "uint64" | "int64";
/** Kinds whose values all have the same number of bytes. */
export type GgufNumberType = Small | Large | "bool";

/** The array that holds several values of a kind; bools are 0 and 1. */
export interface GgufNumberArrays {
  readonly uint8: Uint8Array;
  readonly int8: Int8Array;
  readonly uint16: Uint16Array;
  readonly int16: Int16Array;
  readonly uint32: Uint32Array;
  readonly int32: Int32Array;
  readonly float32: Float32Array;
  readonly bool: Uint8Array;
  readonly uint64: BigUint64Array;
  readonly int64: BigInt64Array;
  readonly float64: Float64Array;
}

/** Several values of one kind. Lists inside lists are in the format, but ggml's own reader refuses them. */
export type GgufArray =
  | { readonly [T in GgufNumberType]: { readonly of: T; readonly values: GgufNumberArrays[T] } }[GgufNumberType]
  | { readonly of: "string"; readonly values: readonly string[] };

/** A metadata value with its kind. */
export type GgufValue =
  | { readonly type: Small; readonly value: number }
  | { readonly type: Large; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly value: GgufArray };

const types = Object.keys(codes) as readonly GgufValueType[];

/** Kind behind a number on the wire; undefined for others. */
export const valueTypeOf = (code: number): GgufValueType | undefined => types.find((type) => codes[type] === code);

/** Number of a kind on the wire. */
export const valueCode = (type: GgufValueType): number => codes[type];

interface View<T extends GgufNumberType> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): GgufNumberArrays[T];
}
const views: { readonly [T in GgufNumberType]: View<T> } = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  bool: Uint8Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
};

/** Bytes of one value. */
export const numberBytes = (type: GgufNumberType): number => views[type].BYTES_PER_ELEMENT;

/** Values of bytes as they lie in a file; a copy. */
export const numbersOf = <T extends GgufNumberType>(type: T, bytes: Uint8Array): GgufNumberArrays[T] =>
  new views[type](inOrder(bytes, numberBytes(type)).buffer);

/** Bytes of values as they lie in a file; a copy. */
export const bytesOf = (type: GgufNumberType, { buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  inOrder(new Uint8Array(buffer, byteOffset, byteLength), numberBytes(type));

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A copy, in which machines that keep the high byte first have each value's bytes turned around. */
function inOrder(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  if (!isLittleEndian && size > 1)
    for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}
