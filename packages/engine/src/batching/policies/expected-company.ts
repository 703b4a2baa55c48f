/**
 * @file Waits only for company that is likely to come.
 *
 * A fixed delay makes a lone caller pay `maxDelayMs` for each request although nobody else ever calls. Callers that
 * wait for their answers before they ask again come back together: as many as were in the last batch. So the head
 * waits until that many are here, and no longer than `maxDelayMs`. Larger batches arise by themselves from what
 * arrives while the engine works; when callers leave, one batch pays the delay and the next ones don't.
 */
import type { BatchPolicy } from "../policy.ts";

/** Runs all candidates once as many have come as last time, the batch can't grow, or the head has waited its time. */
export const expectedCompany: BatchPolicy = ({ candidates, isClosed, lastBatch }, nowMs, settings) => {
  const head = candidates[0];
  if (head === undefined || isClosed || candidates.length >= lastBatch) return { run: candidates.length };
  const rows = candidates.reduce((sum, { rows }) => sum + rows, 0);
  const waitMs = head.arrivedMs + settings.maxDelayMs - nowMs;
  return rows >= settings.maxBatchSize || !(waitMs > 0) ? { run: candidates.length } : { waitMs };
};
