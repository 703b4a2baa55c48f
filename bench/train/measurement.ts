/** @file What each process of the training benchmark prints: one line of JSON. */

/** One library on one model. */
export interface Measurement {
  readonly library: string;
  readonly version: string;
  /** Median over the measured steps, or runs of steps, after the warm-up. */
  readonly msPerStep: number;
  readonly steps: number;
  /** Most memory that the process held (VmHWM), and what it held before the model was made. */
  readonly peakBytes: number;
  readonly idleBytes: number;
  /** 1024 x 1024 by 1024 x 1024 in float32, with the same library and number of threads. */
  readonly gemmGflops: number;
}

/** What one process is asked to measure. */
export interface Row {
  readonly model: string;
  readonly batch: number;
  readonly threads: number;
  /** Of measuring, after the warm-up; at least 5 steps. */
  readonly seconds: number;
}

/** The arguments of a measuring process, as the peers take them too. */
export const rowArguments = ({ model, batch, threads, seconds }: Row): string[] => [
  model,
  String(batch),
  String(threads),
  String(seconds),
];

/** Median of numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
