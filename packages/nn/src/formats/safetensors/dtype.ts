import type { ElementType } from "../elements.ts";

/** Element types of safetensors that are read and written. The order is that of the format: wider elements come first in a file. */
const read = {
  BOOL: "bool",
  U8: "uint8",
  I8: "int8",
  I16: "int16",
  U16: "uint16",
  F16: "float16",
  BF16: "bfloat16",
  I32: "int32",
  U32: "uint32",
  F32: "float32",
  F64: "float64",
  I64: "int64",
  U64: "uint64",
} as const satisfies Record<string, ElementType>;

/** Those that the format has and this package does not. */
const refused: readonly string[] = [
  "F4",
  "F6_E2M3",
  "F6_E3M2",
  "F8_E5M2",
  "F8_E4M3",
  "F8_E8M0",
  "F8_E4M3FNUZ",
  "F8_E5M2FNUZ",
  "C64",
];

const names = Object.keys(read) as readonly (keyof typeof read)[];

/** Names of the element types that are read. */
export const dtypeNames: readonly string[] = names;

/** Our element type; undefined for others. */
export const dtypeOf = (name: string): ElementType | undefined =>
  names.find((known) => known === name) && read[name as keyof typeof read];

/** True for an element type of the format that this package does not read. */
export const isRefused = (name: string): boolean => refused.includes(name);

/** The format's name of an element type. */
export function nameOf(dtype: ElementType): string {
  return names.find((name) => read[name] === dtype) ?? dtype; // the table is whole: dtype.test.ts
}

/** Place of an element type in the format's order, in which the reference writer sorts tensors. */
export const rankOf = (dtype: ElementType): number => names.findIndex((name) => read[name] === dtype);
