/**
 * @file Random numbers by counting: each is a hash of (key, counter), so any of them can be made in any order, again, and
 * inside a graph. Nothing is carried from one number to the next; that is why a resumed run equals one that never stopped.
 * Source: the mixing function is the finalizer of MurmurHash3 (Austin Appleby, public domain).
 */

/** Odd, near 2^32 divided by the golden ratio: neighbouring counters land far apart. */
export const counterStride = 0x9e3779b9;
/** The finalizer's steps: shift, multiply, shift, multiply, shift. */
export const mixShifts = [16, 13, 16] as const;
/** Its two multipliers. */
export const mixFactors = [0x85ebca6b, 0xc2b2ae35] as const;

/** A 32-bit word in which every input bit reaches every output bit. */
export function mix(word: number): number {
  let h = word >>> 0;
  h = Math.imul(h ^ (h >>> mixShifts[0]), mixFactors[0]);
  h = Math.imul(h ^ (h >>> mixShifts[1]), mixFactors[1]);
  return (h ^ (h >>> mixShifts[2])) >>> 0;
}

/** A 32-bit key from a seed and what it is for, such as (seed, step, layer). Each part counts up to 2^53. */
export function keyOf(...parts: readonly number[]): number {
  let key = 0x243f6a88; // the first digits of pi: no part is special
  for (const part of parts) {
    key = mix(key ^ mix(part >>> 0)) + counterStride;
    key = mix(key ^ Math.floor(part / 2 ** 32));
  }
  return key >>> 0;
}

/** The number at a place of a key's stream: 32 bits. */
export const wordAt = (key: number, counter: number): number => mix(Math.imul(counter, counterStride) + key);

/** From 0 up to but without 1, with 32 bits. */
export const uniformAt = (key: number, counter: number): number => wordAt(key, counter) / 2 ** 32;

/** Standard normal by Box and Muller: counter n uses the words 2n and 2n + 1. */
export function normalAt(key: number, counter: number): number {
  const radius = Math.sqrt(-2 * Math.log((wordAt(key, 2 * counter) + 1) / 2 ** 32)); // + 1: never the logarithm of 0
  return radius * Math.cos(2 * Math.PI * uniformAt(key, 2 * counter + 1));
}
