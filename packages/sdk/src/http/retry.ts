/** @file When a call is made again, and after how long. Pure: chance comes in as an argument. */
import { GristmillError } from "./errors.ts";

/** First wait; doubles with each attempt. */
const firstDelayMs = 200;
/** A wait that nobody asked for is not longer. */
const longestBackOffMs = 30_000;
/** Limits count by the minute, to the second: within this time each has room again. A server that asks for more gets its error shown instead. */
export const longestDelayMs = 65_000;

/**
 * True when the same call may be made again.
 * A refusal says itself whether it is worth it. Without an answer the server may have done the work: reads are repeated,
 * and POSTs, whose idempotency key makes the server do the work once; a DELETE whose answer was lost would come back as
 * "not found", and a PATCH could undo what somebody else changed since. When no connection was made, everything is repeated.
 */
export function mayRetry(error: GristmillError, method: string): boolean {
  if ((error.retryAfterMs ?? 0) > longestDelayMs) return false;
  // Conflicts are for callers to solve, but for one: an earlier attempt of ours is still being worked on.
  if (error.status === 409) return error.code === "idempotency.in_progress";
  if (error.status > 0) return error.retryable;
  return error.retryable && (method === "GET" || method === "POST" || error.details["connected"] === false);
}

/**
 * Milliseconds to wait before attempt `attempt + 1`: the server's wish, else exponential with full jitter over its upper half.
 * @param attempt how many attempts have failed, from 1.
 * @param random in [0, 1).
 */
export function retryDelayMs(attempt: number, retryAfterMs: number | null, random: number): number {
  const base = Math.min(firstDelayMs * 2 ** (attempt - 1), longestBackOffMs);
  return retryAfterMs ?? Math.round(base * (0.5 + random / 2));
}

/** Codes of Node that mean that no byte of the request can have been read. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Codes under an error's causes, outermost first; a refused "localhost" has one for each address it tried. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const own = "code" in error && typeof error.code === "string" ? [error.code] : [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [...own, ...codesOf(error.cause, depth + 1), ...inner.flatMap((one) => codesOf(one, depth + 1))];
}

/** What `fetch` threw, as an error with a code. */
export function connectionError(cause: unknown, url: string): GristmillError {
  const codes = codesOf(cause);
  const refused = codes.some((code) => neverConnected.has(code));
  const reason = codes[0] ?? (cause instanceof Error ? cause.message : String(cause));
  return new GristmillError(
    refused ? `No Gristmill answers at ${url} (${reason}).` : `The connection to ${url} broke (${reason}).`,
    {
      code: "client.unreachable",
      help: "Start the platform with `gristmill up`, or check the address.",
      retryable: true,
      details: { connected: !refused },
    },
    cause,
  );
}
