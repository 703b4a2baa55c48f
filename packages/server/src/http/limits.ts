/** @file What the pipeline needs of whoever counts requests of routes that reserve nothing. */
import type { AppError } from "@gristmill/contract";
import type { Caller } from "./route.ts";

/** How a caller stands with one of its limits: the tightest of each metric is told in headers. */
export interface LimitState {
  readonly metric: "requests" | "tokens" | "concurrency";
  readonly limit: number;
  readonly remaining: number;
  /** Until the whole limit is free again. */
  readonly resetMs: number;
}

/** Counts requests that reserve nothing; those that do are counted by `UsageLedger.reserve`, in the same step. */
export interface Limiter {
  /** @throws AppError `limit.exceeded` naming the limit. */
  count(caller: Caller): Promise<readonly LimitState[]>;
}

/** For tests of what has nothing to do with limits. */
export const unlimited: Limiter = { count: async () => [] };

/** OpenAI's headers for the tightest limit of requests and of tokens: https://platform.openai.com/docs/guides/rate-limits. */
export function rateLimitHeaders(limits: readonly LimitState[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const metric of ["requests", "tokens"] as const) {
    const own = limits.filter((limit) => limit.metric === metric);
    const tightest = own.toSorted((a, b) => a.remaining - b.remaining)[0];
    if (tightest === undefined) continue;
    headers[`x-ratelimit-limit-${metric}`] = String(tightest.limit);
    headers[`x-ratelimit-remaining-${metric}`] = String(tightest.remaining);
    headers[`x-ratelimit-reset-${metric}`] = duration(tightest.resetMs);
  }
  return headers;
}

/** How a caller stands who was refused: what `limit.exceeded` says in its details. */
export function refusedLimits({ code, details }: AppError): readonly LimitState[] {
  const { metric, limit, remaining, retry_after_ms: resetMs } = details;
  if (code !== "limit.exceeded" || typeof metric !== "string") return [];
  if (typeof limit !== "number" || typeof remaining !== "number" || typeof resetMs !== "number") return [];
  const [what] = metric.split("_");
  return what === "requests" || what === "tokens" ? [{ metric: what, limit, remaining, resetMs }] : [];
}

/** "1m0s", "6.12s", "20ms": how OpenAI writes durations. */
function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.ceil(milliseconds)}ms`;
  const minutes = Math.floor(milliseconds / 60_000);
  const seconds = Math.round((milliseconds % 60_000) / 10) / 100;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}
