/** @file Metadata values of GGUF. Source: ggml's docs/gguf.md, `gguf_metadata_value_type`. */
import type { ElementArrays } from "../elements.ts";

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

/** Several values of one kind; bools are 0 and 1. */
export type GgufArray =
  | { readonly [T in GgufNumberType]: { readonly of: T; readonly values: ElementArrays[T] } }[GgufNumberType]
  | { readonly of: "string"; readonly values: readonly string[] }
  | { readonly of: "array"; readonly values: readonly GgufArray[] };

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
