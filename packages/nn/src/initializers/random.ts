import { mix, normalAt, uniformAt } from "../random/hash.ts";
import { anyNumber, positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { fill, type Initializer } from "./initializer.ts";

/** Normal, drawn again while it lies beyond two standard deviations; each try is a key of its own. */
export function truncatedNormalAt(key: number, position: number): number {
  for (let attempt = 0; ; attempt++) {
    const value = normalAt(attempt === 0 ? key : mix(key + attempt), position);
    if (Math.abs(value) <= 2) return value;
  }
}

/** Normal with `mean` (0) and `stddev` (0.05). */
export const randomNormal = defineKind(
  "randomNormal",
  { mean: anyNumber(0), stddev: positive(0.05) },
  ({ mean, stddev }): Initializer =>
    (shape, key) =>
      fill(shape, (i) => mean + stddev * normalAt(key, i)),
);

/** Uniform from `minval` (-0.05) up to `maxval` (0.05). */
export const randomUniform = defineKind(
  "randomUniform",
  { minval: anyNumber(-0.05), maxval: anyNumber(0.05) },
  ({ minval, maxval }): Initializer =>
    (shape, key) =>
      fill(shape, (i) => minval + (maxval - minval) * uniformAt(key, i)),
);

/** Normal with `mean` (0) and `stddev` (0.05), cut off at two standard deviations. */
export const truncatedNormal = defineKind(
  "truncatedNormal",
  { mean: anyNumber(0), stddev: positive(0.05) },
  ({ mean, stddev }): Initializer =>
    (shape, key) =>
      fill(shape, (i) => mean + stddev * truncatedNormalAt(key, i)),
);
