/** @file When to run, and how many: the batcher asks, a policy answers. */

/** Limits of a queue. */
export interface BatchSettings {
  /** Rows run together at most; a request with more rows runs alone. */
  readonly maxBatchSize: number;
  /** How long the first of a batch may wait for company, in ms. */
  readonly maxDelayMs: number;
  /** Requests that may wait. */
  readonly maxQueue: number;
}

/** A waiting request. */
export interface Waiting {
  readonly rows: number;
  readonly arrivedMs: number;
}

/** The queue as a policy sees it. */
export interface QueueState {
  /** From the head, in order: the requests that could run together, as many as fit the sizes; at least one. */
  readonly candidates: readonly Waiting[];
  /** True when nothing that comes later could join them: the next in line has other sizes, or does not fit. */
  readonly isClosed: boolean;
  /** Requests in the last batch; 0 before the first. */
  readonly lastBatch: number;
}

/** Run the first so many candidates now, or ask again after a while (or when another request arrives). */
export type Decision = { readonly run: number } | { readonly waitMs: number };

/**
 * Decides from values alone: no clock, no state. testing/describe-policy.ts is the contract: every decision runs 1 or
 * more of the candidates, or waits a positive time that ends before the head has waited longer than `maxDelayMs`.
 */
export type BatchPolicy = (state: QueueState, nowMs: number, settings: BatchSettings) => Decision;
