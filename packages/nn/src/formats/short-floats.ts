/**
 * @file float16 (1 sign, 5 exponent, 10 fraction bits: IEEE 754 binary16) and bfloat16 (the upper half of a float32) by
 * their bits, rounded to the nearest, ties to even. Whole models go through here, so it works on bits alone.
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float16 nearest to a number. From 65520 on that is infinity; NaN becomes the quiet NaN 0x7e00. */
export function float16Bits(value: number): number {
  float[0] = value;
  const all = bits[0] ?? 0;
  const sign = (all >>> 16) & 0x8000;
  const size = all & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00; // 65520 and more
  // normal numbers: 13 bits of the fraction go, the exponent's bias falls from 127 to 15
  if (size >= 0x38800000) return sign | ((roundedOff(size, 13) - (112 << 10)) & 0x7fff);
  if (size <= 0x33000000) return sign; // half of the smallest number, 2^-25, and less: even is zero
  // below 2^-14 the exponent stands still: the fraction with its hidden bit moves right instead
  const exponent = size >>> 23;
  return sign | roundedOff((size & 0x7fffff) | 0x800000, 126 - exponent);
}

/** The number behind float16 bits, exactly. */
export function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  bits[0] = ((half & 0x8000) << 16) | ((exponent + 112) << 23) | (fraction << 13);
  return float[0] ?? 0;
}

/** The bfloat16 nearest to a float32; NaN becomes the quiet NaN 0x7fc0. */
export function bfloat16Bits(value: number): number {
  float[0] = value;
  const all = bits[0] ?? 0;
  if ((all & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return roundedOff(all, 16);
}

/** The number behind bfloat16 bits, exactly. */
export function bfloat16Value(upper: number): number {
  bits[0] = upper << 16;
  return float[0] ?? 0;
}

/** Without the lowest `count` bits (from 1), rounded to the nearest, ties to even; a carry moves into the exponent by itself. */
function roundedOff(value: number, count: number): number {
  const kept = value >>> count;
  const half = 1 << (count - 1);
  const rest = value & (2 * half - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
}
