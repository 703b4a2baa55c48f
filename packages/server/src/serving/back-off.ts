/** @file How long to wait before the next start. Pure. */

/** After this long a replica counts as stable, and its next death as the first. */
export const stableMs = 60_000;

const firstMs = 100;
const longestMs = 30_000;

/** Failures in a row, after one more that ended a process which was ready for `readyMs` (0: never). */
export const failuresAfter = (failures: number, readyMs: number): number => (readyMs >= stableMs ? 1 : failures + 1);

/** 100 ms after the first failure, twice as long after each further one, 30 s at most. */
export const backOffMs = (failures: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(20, Math.max(0, failures - 1)));
