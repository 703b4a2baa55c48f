/** @file Pure: what becomes of a key when its request has ended. */
import type { Answer } from "../http/index.ts";
import { toAppError } from "../http/index.ts";

/**
 * `kept`: repeats get the same answer. `forgotten`: a repeat is a new request. `open`: a repeat is worked on again under the
 * same request id, because nobody knows what was written on the ledger.
 */
export type Fate = "kept" | "forgotten" | "open";

/**
 * A failure that may pass is not kept. Nor is a refusal for want of room or money, which was not worked on at all.
 * @param hasLeft whether the client has gone away: who leaves in the middle pays for what was made, and for a repeat anew.
 */
export function fateOfFailure(failure: unknown, hasLeft: boolean): Fate {
  const { code, status, retryable } = toAppError(failure);
  if (code === "database.unavailable") return "open";
  if (hasLeft) return "forgotten";
  if (code === "internal") return "open";
  return retryable || status >= 500 || status === 429 ? "forgotten" : "kept";
}

/** The same for a failure that was returned as an answer. */
export const fateOfAnswer = ({ status = 200 }: Answer): "kept" | "forgotten" =>
  status >= 500 || status === 429 || status === 408 ? "forgotten" : "kept";
