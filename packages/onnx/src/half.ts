/** @file float16 by its bits: 1 sign, 5 exponent, 10 fraction (IEEE 754 binary16), rounded to the nearest even. */

/** Bits of numbers as float16. Beyond 65504 the nearest is infinity; NaN becomes the quiet NaN 0x7e00. */
export const toHalfBits = (numbers: ArrayLike<number>): Uint16Array => Uint16Array.from(numbers, bitsOf);

/** Numbers behind float16 bits. */
export const fromHalfBits = (bits: Uint16Array): Float32Array => Float32Array.from(bits, numberOf);

function bitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // 65520 is halfway between the largest number, 65504, and the next power of two
  if (size >= 65520) return sign | 0x7c00;
  // below 2^-14 the spacing stays 2^-24
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const step = 2 ** (exponent - 10);
  const count = roundHalfEven(size / step);
  // counts of 1024 and more carry the hidden bit, and a carry of rounding moves into the exponent by itself
  return sign | (count < 1024 ? count : count + ((exponent + 14) << 10));
}

function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

function numberOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
