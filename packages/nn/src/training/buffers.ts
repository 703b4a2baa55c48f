import { type Column, elementsOf, type SampleArray } from "./source.ts";

const arrayOf = {
  float32: (length: number) => new Float32Array(length),
  uint8: (length: number) => new Uint8Array(length),
  int32: (length: number) => new Int32Array(length),
} as const;

/** Arrays for batches, made once and grown when a run has more steps. */
export class Buffers {
  readonly #kept: readonly Map<string, SampleArray>[];
  #turn = 0;

  /** `sets`: how many runs' arrays are in use at a time. */
  constructor(sets = 1) {
    this.#kept = Array.from({ length: sets }, () => new Map<string, SampleArray>());
  }

  /** An array of `count` rows for each column; good until it has been asked as often again as there are sets. */
  take(columns: Readonly<Record<string, Column>>, count: number): Readonly<Record<string, SampleArray>> {
    const kept = this.#kept[this.#turn++ % this.#kept.length] ?? new Map<string, SampleArray>();
    return Object.fromEntries(
      Object.entries(columns).map(([name, { dtype, shape }]) => {
        const key = `${dtype} ${name}`;
        const length = count * elementsOf(shape);
        const known = kept.get(key);
        const array = known !== undefined && known.length >= length ? known : arrayOf[dtype](length);
        kept.set(key, array);
        return [name, array.subarray(0, length)];
      }),
    );
  }
}
