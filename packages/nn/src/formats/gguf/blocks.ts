/**
 * @file Blocks of 32 numbers that share a scale (float16). Q8_0: the scale, then 32 int8. Q4_0: the scale, then 16 bytes;
 * byte i holds number i in its low half and number i + 16 in its high half, each plus 8.
 * Source: `quantize_row_q8_0_ref`, `quantize_row_q4_0_ref` and `dequantize_row_*` of ggml-quants.c. Every product and
 * quotient is rounded to float32 as there, so that the bytes are the same.
 */
import { float16Bits, float16Value } from "../short-floats.ts";

/** Numbers in a block. */
export const blockLength = 32;

const single = Math.fround;

/** 1 / scale in float32; 0 where that is no number: the scale's float16 is zero then anyway. */
function inverse(scale: number): number {
  const result = single(1 / scale);
  return Number.isFinite(result) ? result : 0;
}

/** Writes 32 numbers from `from` as 34 bytes to `to`; gives the scale. */
export function packQ8(numbers: Float32Array, from: number, bytes: DataView, to: number): number {
  let largest = 0;
  for (let i = 0; i < blockLength; i++) largest = Math.max(largest, Math.abs(numbers[from + i] ?? 0));
  const scale = single(largest / 127);
  const factor = inverse(scale);
  bytes.setUint16(to, float16Bits(scale), true);
  for (let i = 0; i < blockLength; i++) {
    const scaled = single((numbers[from + i] ?? 0) * factor);
    // C's roundf: halves go away from zero
    bytes.setInt8(to + 2 + i, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5));
  }
  return scale;
}

/** Writes 32 numbers from `from` as 18 bytes to `to`; gives the scale. */
export function packQ4(numbers: Float32Array, from: number, bytes: DataView, to: number): number {
  let extreme = 0;
  for (let i = 0; i < blockLength; i++) {
    const value = numbers[from + i] ?? 0;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  // the largest number becomes -8, which has no positive twin
  const scale = single(extreme / -8);
  const factor = inverse(scale);
  bytes.setUint16(to, float16Bits(scale), true);
  const level = (value: number): number => Math.min(15, Math.trunc(single(single(value * factor) + 8.5)));
  for (let i = 0; i < blockLength / 2; i++) {
    const low = level(numbers[from + i] ?? 0);
    const high = level(numbers[from + i + blockLength / 2] ?? 0);
    bytes.setUint8(to + 2 + i, low | (high << 4));
  }
  return scale;
}

/** Reads a block of Q8_0. */
export function unpackQ8(bytes: DataView, from: number, numbers: Float32Array, to: number): void {
  const scale = float16Value(bytes.getUint16(from, true));
  for (let i = 0; i < blockLength; i++) numbers[to + i] = bytes.getInt8(from + 2 + i) * scale;
}

/** Reads a block of Q4_0. */
export function unpackQ4(bytes: DataView, from: number, numbers: Float32Array, to: number): void {
  const scale = float16Value(bytes.getUint16(from, true));
  for (let i = 0; i < blockLength / 2; i++) {
    const both = bytes.getUint8(from + 2 + i);
    numbers[to + i] = ((both & 15) - 8) * scale;
    numbers[to + i + blockLength / 2] = ((both >> 4) - 8) * scale;
  }
}
