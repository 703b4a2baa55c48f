/** @file Random numbers of the examples: a seed and a place give a number, so that every run can be made again. */

/** Mixes 32 bits so that each decides about all. Source: the finalizer of MurmurHash3 (Austin Appleby, public domain). */
function mix(word: number): number {
  let h = word >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const stride = 0x9e3779b9; // odd, near 2 ** 32 divided by the golden ratio: neighbouring counts land far apart

/** Numbers of one purpose, one after another. */
export class Random {
  readonly #key: number;
  #count = 0;

  /** @param parts what the numbers are for, such as (seed, epoch, image): whole numbers. */
  constructor(...parts: readonly number[]) {
    this.#key = parts.reduce((key, part) => (mix(key ^ mix(part)) + stride) >>> 0, 0x243f6a88);
  }

  /** From 0 up to but without 1. */
  next(): number {
    this.#count += 1;
    return mix(Math.imul(this.#count, stride) + this.#key) / 2 ** 32;
  }

  /** From `low` up to but without `high`. */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from 0 up to but without `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** Standard normal. Source: Box and Muller 1958. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** The numbers 0 to count - 1 in some order. Source: Fisher and Yates. */
  order(count: number): Uint32Array {
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const j = this.below(i + 1);
      order[i] = order[j] ?? 0;
      order[j] = i;
    }
    return order;
  }
}
