import { normalAt } from "../random/hash.ts";
import { anyNumber } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { countOf, fill, type Initializer } from "./initializer.ts";

/**
 * Rows, or columns, whichever are fewer, of length `gain` (1) at right angles to each other (Saxe et al., 2014): what a
 * recurrence multiplies by again and again neither grows nor dies out.
 *
 * All axes but the last are rows, as Keras has it. Evenly distributed among all such matrices: the orthogonal part of a
 * normal one, by Gram and Schmidt. They leave the diagonal of R positive; in float64 their rounding is far below float32.
 */
export const orthogonal = defineKind(
  "orthogonal",
  { gain: anyNumber(1) },
  ({ gain }): Initializer =>
    (shape, key) => {
      const columns = shape.at(-1) ?? 1;
      const rows = countOf(shape) / columns;
      const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
      const vectors = rightAngled(long, short, key);
      return fill(shape, (position) => {
        const [row, column] = [Math.floor(position / columns), position % columns];
        const [vector, at] = rows >= columns ? [column, row] : [row, column];
        return gain * (vectors[vector]?.[at] ?? 0);
      });
    },
);

/** `count` vectors of length 1 at right angles, each of `length` elements. */
function rightAngled(length: number, count: number, key: number): Float64Array[] {
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, (_, at) => normalAt(key, i * length + at));
    for (const other of vectors) addTimes(vector, other, -dot(vector, other));
    const norm = Math.sqrt(dot(vector, vector));
    for (let at = 0; at < length; at++) vector[at] = (vector[at] ?? 0) / norm;
    vectors.push(vector);
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function addTimes(to: Float64Array, from: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + factor * (from[i] ?? 0);
}
