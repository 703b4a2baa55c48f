/** @file What an initializer is: the first values of a weight, from its shape and a key. */

/** Fills one weight. `shape` is Keras' (channels last); every value is a function of (key, position). */
export type Initializer = (shape: readonly number[], key: number) => Float32Array<ArrayBuffer>;

/** Elements of a weight. */
export const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A weight whose element at position i is `value(i)`. */
export function fill(shape: readonly number[], value: (position: number) => number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(countOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return data;
}
