import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GristmillError, parseRetryAfter } from "./errors.ts";
import { connectionError, mayRetry, retryDelayMs } from "./retry.ts";

const refusal = (status: number, retryable: boolean, retryAfterMs: number | null = null): GristmillError =>
  new GristmillError("x", { code: "x", status, retryable, retryAfterMs });

describe("mayRetry", () => {
  it("repeats what the server calls retryable, whatever the method", () => {
    expect(mayRetry(refusal(503, true), "POST")).toBe(true);
    expect(mayRetry(refusal(503, false), "GET")).toBe(false);
  });

  it("leaves waiting for a state to its own calls: a conflict is shown at once, but for an attempt that is worked on", () => {
    expect(mayRetry(refusal(409, true), "POST")).toBe(false);
    const twin = new GristmillError("x", { code: "idempotency.in_progress", status: 409, retryable: true });
    expect(mayRetry(twin, "POST")).toBe(true);
  });

  it("waits out any limit of a minute, and shows the error rather than wait longer", () => {
    expect(mayRetry(refusal(429, true, 65_000), "GET")).toBe(true);
    expect(mayRetry(refusal(429, true, 65_001), "GET")).toBe(false);
  });

  it("repeats reads and keyed POSTs when a connection broke, and all calls when none was made", () => {
    const broke = connectionError(new TypeError("fetch failed", { cause: { code: "ECONNRESET" } }), "http://x");
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const never = connectionError(new TypeError("fetch failed", { cause: new AggregateError([refused]) }), "http://x");
    const methods = ["GET", "POST", "PATCH", "DELETE"];
    expect(methods.map((method) => mayRetry(broke, method))).toEqual([true, true, false, false]);
    expect(methods.map((method) => mayRetry(never, method))).toEqual([true, true, true, true]);
  });
});

describe("retryDelayMs", () => {
  it("doubles from 200 ms, spread over its upper half", () => {
    expect([1, 2, 3].map((attempt) => retryDelayMs(attempt, null, 0))).toEqual([100, 200, 400]);
    expect([1, 2, 3].map((attempt) => retryDelayMs(attempt, null, 0.999999))).toEqual([200, 400, 800]);
  });

  it("honours what the server asks for", () => {
    expect(retryDelayMs(1, 7000, 0.5)).toBe(7000);
  });

  it("never waits longer than 30 seconds unless asked to", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const delay = retryDelayMs(attempt, null, random);
          expect(delay).toBeGreaterThanOrEqual(100);
          expect(delay).toBeLessThanOrEqual(30_000);
        },
      ),
    );
  });
});

it("reads retry-after as seconds or as a date, and ignores what is neither", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(parseRetryAfter("2", now)).toBe(2000);
  expect(parseRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now)).toBe(5000);
  expect(parseRetryAfter("Thu, 01 Jan 2020 00:00:05 GMT", now)).toBe(0);
  expect(parseRetryAfter("soon", now)).toBeNull();
  expect(parseRetryAfter(null, now)).toBeNull();
});
