/** @file Element types of the Open Inference Protocol, as arrays of JavaScript. */
import type { OipDatatype } from "@gristmill/contract";

/** Values of a tensor, row-major. FP16 are raw bits, BOOL one byte each, BYTES text. */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly string[];

/** Makes a typed array of little-endian bytes that begin at an aligned offset, or of a length. */
interface NumericDatatype {
  readonly size: number;
  readonly fromBytes: (buffer: ArrayBuffer) => Exclude<TensorData, readonly string[]>;
  /** JSON's numbers or booleans. */
  readonly fromJson: (values: readonly unknown[]) => Exclude<TensorData, readonly string[]>;
}

/** JSON values are checked by the typed array's own conversion: what is no number becomes NaN or throws, never something else. */
const numbers = (values: readonly unknown[]): number[] => values.map(Number);
const bigints = (values: readonly unknown[]): bigint[] => values.map((value) => BigInt(value as number | string));

/** Every datatype but BYTES. */
export const numericDatatypes: Readonly<Record<Exclude<OipDatatype, "BYTES">, NumericDatatype>> = {
  BOOL: { size: 1, fromBytes: (b) => new Uint8Array(b), fromJson: (v) => Uint8Array.from(numbers(v)) },
  UINT8: { size: 1, fromBytes: (b) => new Uint8Array(b), fromJson: (v) => Uint8Array.from(numbers(v)) },
  UINT16: { size: 2, fromBytes: (b) => new Uint16Array(b), fromJson: (v) => Uint16Array.from(numbers(v)) },
  UINT32: { size: 4, fromBytes: (b) => new Uint32Array(b), fromJson: (v) => Uint32Array.from(numbers(v)) },
  UINT64: { size: 8, fromBytes: (b) => new BigUint64Array(b), fromJson: (v) => BigUint64Array.from(bigints(v)) },
  INT8: { size: 1, fromBytes: (b) => new Int8Array(b), fromJson: (v) => Int8Array.from(numbers(v)) },
  INT16: { size: 2, fromBytes: (b) => new Int16Array(b), fromJson: (v) => Int16Array.from(numbers(v)) },
  INT32: { size: 4, fromBytes: (b) => new Int32Array(b), fromJson: (v) => Int32Array.from(numbers(v)) },
  INT64: { size: 8, fromBytes: (b) => new BigInt64Array(b), fromJson: (v) => BigInt64Array.from(bigints(v)) },
  FP16: { size: 2, fromBytes: (b) => new Uint16Array(b), fromJson: (v) => Uint16Array.from(numbers(v)) },
  FP32: { size: 4, fromBytes: (b) => new Float32Array(b), fromJson: (v) => Float32Array.from(numbers(v)) },
  FP64: { size: 8, fromBytes: (b) => new Float64Array(b), fromJson: (v) => Float64Array.from(numbers(v)) },
};

/** Text of BYTES elements as the binary extension writes them: a 32-bit little-endian length, then that many bytes. */
export function bytesOfText(values: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = values.map((value) => new TextEncoder().encode(value));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  return bytes;
}

/** The reverse of `bytesOfText`. @throws RangeError when a length points past the end. */
export function textOfBytes(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new RangeError(`BYTES: expected a length of 4 bytes at ${at} of ${bytes.length}`);
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) throw new RangeError(`BYTES: expected bytes up to ${end}, received ${bytes.length}`);
    values.push(new TextDecoder().decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return values;
}
