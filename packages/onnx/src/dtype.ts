/** @file Element types: ONNX's names, their numbers on the wire, and the typed array that holds each. */

const table = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  uint16: { code: 4, bytes: 2 },
  int16: { code: 5, bytes: 2 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  string: { code: 8, bytes: 0 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
  uint32: { code: 12, bytes: 4 },
  uint64: { code: 13, bytes: 8 },
} as const;

/** An element type that tensors of this package may have. */
export type Dtype = keyof typeof table;

/** Every element type, in ONNX's order. */
export const dtypes = Object.keys(table) as readonly Dtype[];

/** `TensorProto.DataType` of an element type. */
export const dtypeCode = (dtype: Dtype): number => table[dtype].code;

/** Bytes of one element; 0 for strings, whose size varies. */
export const dtypeBytes = (dtype: Dtype): number => table[dtype].bytes;

/** The element type of a `TensorProto.DataType`; undefined for those without support (bfloat16, complex, float8, int4). */
export const dtypeOfCode = (code: number): Dtype | undefined => dtypes.find((dtype) => table[dtype].code === code);

const unsupported: ReadonlyMap<number, string> = new Map(
  Object.entries({
    bfloat16: 16,
    complex64: 14,
    complex128: 15,
    float4e2m1: 23,
    float8e4m3fn: 17,
    float8e4m3fnuz: 18,
    float8e5m2: 19,
    float8e5m2fnuz: 20,
    int4: 22,
    uint4: 21,
  }).map(([name, code]) => [code, name]),
);

/** What is said of a number that `dtypeOfCode` has no element type for. */
export function refusedDtype(code: number): string {
  const name = unsupported.get(code);
  if (name === undefined)
    return `expected the number of an element type of ONNX, received ${code}; is the file damaged?`;
  return `element type ${code} (${name}) is not supported; export the model with float32`;
}

/** True for types with a fraction, the only ones that gradients flow through. */
export const isFloating = (dtype: Dtype): boolean => dtype === "float32" || dtype === "float64" || dtype === "float16";
