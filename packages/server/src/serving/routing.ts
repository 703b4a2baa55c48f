/** @file Which replica gets a call. Pure. */

/** Index of the smallest load, the first of equals; undefined for none. */
export function leastLoaded(loads: readonly number[]): number | undefined {
  let best: number | undefined;
  for (const [i, load] of loads.entries()) if (best === undefined || load < (loads[best] ?? 0)) best = i;
  return best;
}
