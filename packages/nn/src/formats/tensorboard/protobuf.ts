/** @file The few parts of protobuf's wire format that events need. Source: protobuf.dev, "Encoding". */
import { joined } from "../byte-sink.ts";
import { bytesOf } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";

/** A whole number from 0 in groups of 7 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}

const tag = (field: number, wireType: number): Uint8Array => varint(field * 8 + wireType);

/** A whole number from 0; nothing for 0, which is the default. */
export const intField = (field: number, value: number): Uint8Array =>
  value === 0 ? new Uint8Array() : joined([tag(field, 0), varint(value)]);

/** A float64. */
export const doubleField = (field: number, value: number): Uint8Array =>
  joined([tag(field, 1), bytesOf("float64", Float64Array.of(value))]);

/** A float32; 0 too, as in a choice of fields the field itself says which one it is. */
export const floatField = (field: number, value: number): Uint8Array =>
  joined([tag(field, 5), bytesOf("float32", Float32Array.of(value))]);

/** Bytes, or a message's parts. */
export function bytesField(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = joined(parts);
  return joined([tag(field, 2), varint(content.length), content]);
}

/** A text. */
export const textField = (field: number, text: string): Uint8Array => bytesField(field, new TextEncoder().encode(text));

/** Several float64. */
export const doublesField = (field: number, values: Float64Array): Uint8Array =>
  bytesField(field, bytesOf("float64", values));

/** A field of a message: a number, or bytes for everything longer. */
export interface WireField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/** Fields of a message; float32 and float64 as numbers. @throws FileFormatError when the bytes are no message. */
export function* readFields(bytes: Uint8Array): Generator<WireField, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number): number => {
    if (length > bytes.length - at)
      throw new FileFormatError("protobuf", `expected ${length} bytes at ${at}, but the message has ${bytes.length}`);
    at += length;
    return at - length;
  };
  const number = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = view.getUint8(take(1));
      // beyond 2^53 digits are lost, which only negative numbers have: they are not written
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw new FileFormatError("protobuf", `expected a number of at most 10 bytes before ${at}`);
  };
  while (at < bytes.length) {
    const key = number();
    const field = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === 0) yield { field, value: number() };
    else if (wireType === 1) yield { field, value: view.getFloat64(take(8), true) };
    else if (wireType === 5) yield { field, value: view.getFloat32(take(4), true) };
    else if (wireType === 2) {
      const length = number();
      const start = take(length);
      yield { field, value: bytes.subarray(start, start + length) };
    } else throw new FileFormatError("protobuf", `wire type ${wireType} is not known`);
  }
}
