/** @file Cuts the time that a worker ran into slices, so that a long run is metered while it runs. Pure. */

/** Length of a full slice. */
export const sliceMs = 60_000;

/** One usage event to be: so much of an attempt. */
export interface Slice {
  /** Counts from 0 within an attempt; part of the event's id. */
  readonly index: number;
  /** Milliseconds after the attempt's start. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The slices of an attempt that are not recorded yet.
 * @param totalMs how long its worker has run
 * @param recorded how many slices are recorded already
 * @param ended true: the attempt is over, so the last, partial slice is due too
 */
export function dueSlices(totalMs: number, recorded: number, ended: boolean): Slice[] {
  const slices: Slice[] = [];
  for (let index = recorded; ; index++) {
    const fromMs = index * sliceMs;
    const toMs = Math.min(fromMs + sliceMs, totalMs);
    if (toMs <= fromMs || (!ended && toMs - fromMs < sliceMs)) return slices;
    slices.push({ index, fromMs, toMs });
  }
}

/** Milliseconds as exact seconds: 1500 → "1.500". */
export const secondsText = (milliseconds: number): string =>
  `${Math.floor(milliseconds / 1000)}.${String(milliseconds % 1000).padStart(3, "0")}`;
