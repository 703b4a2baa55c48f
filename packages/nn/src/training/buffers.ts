import { type Column, elementsOf, type SampleArray } from "./source.ts";

const arrayOf = {
  float32: (length: number) => new Float32Array(length),
  uint8: (length: number) => new Uint8Array(length),
  int32: (length: number) => new Int32Array(length),
} as const;

/** Arrays for batches, made once and grown when a run has more steps. */
export class Buffers {
  readonly #kept = new Map<string, SampleArray>();

  /** An array of `count` rows for each column; good until the next call. */
  take(columns: Readonly<Record<string, Column>>, count: number): Readonly<Record<string, SampleArray>> {
    return Object.fromEntries(
      Object.entries(columns).map(([name, { dtype, shape }]) => {
        const key = `${dtype} ${name}`;
        const length = count * elementsOf(shape);
        const kept = this.#kept.get(key);
        const array = kept !== undefined && kept.length >= length ? kept : arrayOf[dtype](length);
        this.#kept.set(key, array);
        return [name, array.subarray(0, length)];
      }),
    );
  }
}
