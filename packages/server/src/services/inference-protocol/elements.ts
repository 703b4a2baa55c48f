/** @file One table: how each element type is read from JSON and from bytes, and written to both. */
import type { Dtype, Tensor, TensorArrays, TensorData } from "@gristmill/onnx";
import { emptyArray } from "@gristmill/onnx";

/** A value in a request that is not of its declared datatype. The reader adds the tensor's name. */
export class ElementError extends Error {
  override readonly name = "ElementError";
}

/** JSON of an integer that a double cannot hold: `JSON.rawJSON`, which TypeScript's library does not know yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

interface Elements<D extends Dtype> {
  fromJson(value: unknown, into: TensorArrays[D], index: number): void;
  toJson(data: TensorArrays[D]): unknown[];
}

function integers<D extends "int8" | "int16" | "int32" | "uint8" | "uint16" | "uint32">(
  low: number,
  high: number,
): Elements<D> {
  return {
    fromJson(value, into, index) {
      if (!Number.isInteger(value) || (value as number) < low || (value as number) > high)
        throw new ElementError(
          `element ${index}: expected an integer from ${low} to ${high}, received ${JSON.stringify(value)}`,
        );
      into[index] = value as number;
    },
    toJson: (data) => Array.from(data as Int32Array),
  };
}

function bigIntegers<D extends "int64" | "uint64">(signed: boolean): Elements<D> {
  return {
    fromJson(value, into, index) {
      // JSON.parse has already rounded what lies beyond 2^53: refusing beats computing with another number.
      if (!Number.isSafeInteger(value) || (!signed && (value as number) < 0))
        throw new ElementError(
          `element ${index}: expected ${signed ? "an" : "a non-negative"} integer of at most 2^53 - 1 (send larger ones as binary data), received ${JSON.stringify(value)}`,
        );
      into[index] = BigInt(value as number);
    },
    toJson: (data) =>
      Array.from(data as BigInt64Array, (value) =>
        Number.isSafeInteger(Number(value)) ? Number(value) : rawJson(String(value)),
      ),
  };
}

function floats<D extends "float32" | "float64">(): Elements<D> {
  return {
    fromJson(value, into, index) {
      if (typeof value !== "number")
        throw new ElementError(`element ${index}: expected a number, received ${JSON.stringify(value)}`);
      into[index] = value;
    },
    toJson: (data) => Array.from(data as Float32Array),
  };
}

const elements: { readonly [D in Dtype]: Elements<D> } = {
  float32: floats(),
  float64: floats(),
  float16: {
    fromJson(value, into, index) {
      if (typeof value !== "number")
        throw new ElementError(`element ${index}: expected a number, received ${JSON.stringify(value)}`);
      new Float16Array(into.buffer, into.byteOffset, into.length)[index] = value;
    },
    toJson: (data) => Array.from(new Float16Array(data.buffer, data.byteOffset, data.length)),
  },
  int8: integers(-128, 127),
  int16: integers(-32_768, 32_767),
  int32: integers(-2_147_483_648, 2_147_483_647),
  uint8: integers(0, 255),
  uint16: integers(0, 65_535),
  uint32: integers(0, 4_294_967_295),
  int64: bigIntegers(true),
  uint64: bigIntegers(false),
  bool: {
    fromJson(value, into, index) {
      if (typeof value !== "boolean" && value !== 0 && value !== 1)
        throw new ElementError(`element ${index}: expected true or false, received ${JSON.stringify(value)}`);
      into[index] = Number(value);
    },
    toJson: (data) => Array.from(data, (value) => value !== 0),
  },
  string: {
    fromJson(value, into, index) {
      if (typeof value !== "string")
        throw new ElementError(`element ${index}: expected a string, received ${JSON.stringify(value)}`);
      into[index] = value;
    },
    toJson: (data) => [...data],
  },
};

/**
 * Elements of a flat or nested JSON array, row-major.
 * @throws ElementError when a nesting or an element does not fit.
 */
export function elementsFromJson(dtype: Dtype, shape: readonly number[], data: unknown): TensorData {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Array.isArray(data))
    throw new ElementError(`expected "data" as an array, received ${data === undefined ? "none" : typeof data}`);
  const flat = Array.isArray(data[0]) ? flatten(data, shape, 0) : data;
  if (flat.length !== count)
    throw new ElementError(`shape [${shape.join(", ")}] holds ${count} elements, received ${flat.length}`);
  const read = elements[dtype].fromJson as (value: unknown, into: TensorData, index: number) => void;
  const into = emptyArray(dtype, count);
  for (let index = 0; index < count; index++) read(flat[index], into, index);
  return into;
}

function flatten(data: readonly unknown[], shape: readonly number[], axis: number): readonly unknown[] {
  if (data.length !== shape[axis])
    throw new ElementError(`axis ${axis}: expected ${shape[axis] ?? "no"} entries, received ${data.length}`);
  if (axis === shape.length - 1) return data;
  return data.flatMap((inner) => {
    if (!Array.isArray(inner))
      throw new ElementError(`axis ${axis + 1}: expected an array, received ${JSON.stringify(inner)}`);
    return flatten(inner, shape, axis + 1);
  });
}

/** A tensor's elements as a flat JSON array. NaN and infinities have no JSON and become null: ask for binary data to see them. */
export function elementsToJson(tensor: Tensor): unknown[] {
  return (elements[tensor.dtype].toJson as (data: TensorData) => unknown[])(tensor.data);
}

/**
 * Elements of the binary tensor extension: little-endian, row-major; each string behind its length as 4 bytes.
 * @throws ElementError when the bytes don't hold exactly `shape`.
 */
export function elementsFromBytes(dtype: Dtype, shape: readonly number[], bytes: Uint8Array): TensorData {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === "string") return stringsFromBytes(count, bytes);
  const into = emptyArray(dtype, 0);
  const width = (into as Uint8Array).BYTES_PER_ELEMENT;
  if (bytes.byteLength !== count * width)
    throw new ElementError(`shape [${shape.join(", ")}] takes ${count * width} bytes, received ${bytes.byteLength}`);
  // A copy, because a view must begin at a multiple of its element's width (and a Buffer's own slice() copies nothing).
  const Elements = into.constructor as new (buffer: ArrayBuffer) => Exclude<TensorData, string[]>;
  return new Elements(new Uint8Array(bytes).buffer);
}

function stringsFromBytes(count: number, bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count) {
    if (at + 4 > bytes.byteLength)
      throw new ElementError(`expected ${count} strings, the bytes end after ${texts.length}`);
    const length = view.getUint32(at, true);
    if (at + 4 + length > bytes.byteLength)
      throw new ElementError(`string ${texts.length} is ${length} bytes long, but the data ends before`);
    texts.push(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  if (at !== bytes.byteLength)
    throw new ElementError(`${bytes.byteLength - at} bytes follow the last of ${count} strings`);
  return texts;
}

/** A tensor's elements as the binary tensor extension sends them. */
export function elementsToBytes(tensor: Tensor): Uint8Array {
  if (tensor.dtype !== "string")
    return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  return Buffer.concat(
    tensor.data.flatMap((text) => {
      const bytes = Buffer.from(text, "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
