/** @file When a call is made again: pure. */
import type { RetrySettings } from "../options.ts";

/**
 * Milliseconds until call `retry` (1 is the second call); undefined: not again. Doubled each time, then taken at random from the
 * upper half, so that callers that failed together don't come back together.
 */
export function retryDelayMs(
  retry: number,
  retryAfterMs: number | undefined,
  { retries, firstDelayMs, maxDelayMs }: RetrySettings,
  random: number,
): number | undefined {
  if (retry > retries) return undefined;
  // Earlier than asked would be refused again; later than allowed is for the caller to decide.
  if (retryAfterMs !== undefined && retryAfterMs > maxDelayMs) return undefined;
  const longest = Math.min(firstDelayMs * 2 ** (retry - 1), maxDelayMs);
  return Math.max(retryAfterMs ?? 0, longest * (0.5 + random / 2));
}

/** What an answer's `retry-after-ms` (OpenAI, Azure) or `retry-after` (RFC 9110: seconds or a date) asks for; undefined: nothing. */
export function retryAfterMs(headers: Headers, nowUtcMs: number): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return Number(exact);
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowUtcMs);
}
