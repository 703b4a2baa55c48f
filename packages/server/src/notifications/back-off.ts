/** @file When to try again. */

const [second, minute, hour] = [1000, 60_000, 3_600_000];

/** Milliseconds after each attempt that failed; after the last there is none: a day and a half in all. */
export const retryDelays: readonly number[] = [
  5 * second,
  30 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  18 * hour,
];

/** How long to wait after so many attempts; undefined: it is given up. */
export const delayAfter = (attempts: number, delays: readonly number[] = retryDelays): number | undefined =>
  delays[attempts - 1];
