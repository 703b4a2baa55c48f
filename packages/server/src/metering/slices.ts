/** @file Cuts running time into slices, so that what runs long is metered while it runs. Pure: the same times always make the same slices. */

/** The first slice is short, so that what has just started is on the bill within seconds. */
const firstSliceMs = 5_000;
/** Length of every other full slice. */
const sliceMs = 60_000;

/** So much of something that runs. */
export interface Slice {
  /** Counts from 0; part of the event's id, so that a repeat is told. */
  readonly index: number;
  /** Milliseconds after the start. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Milliseconds after the start at which a slice begins. */
export const beginMs = (index: number): number => (index === 0 ? 0 : firstSliceMs + (index - 1) * sliceMs);

/**
 * The slices that are not recorded yet.
 * @param totalMs how long it has run
 * @param recorded how many slices are recorded already
 * @param isEnd true: it has ended, so the last, partial slice is due too
 */
export function dueSlices(totalMs: number, recorded: number, isEnd: boolean): Slice[] {
  const slices: Slice[] = [];
  for (let index = recorded; ; index++) {
    const fromMs = beginMs(index);
    const fullMs = beginMs(index + 1);
    const toMs = Math.min(fullMs, totalMs);
    if (toMs <= fromMs || (!isEnd && toMs < fullMs)) return slices;
    slices.push({ index, fromMs, toMs });
  }
}

/** Milliseconds as exact seconds: 1500 → "1.500". */
export const secondsText = (milliseconds: number): string =>
  `${Math.floor(milliseconds / 1000)}.${String(milliseconds % 1000).padStart(3, "0")}`;
