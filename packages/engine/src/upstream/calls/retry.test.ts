import { describe, expect, it } from "vitest";
import { retryAfterMs, retryDelayMs } from "./retry.ts";

const settings = { retries: 3, firstDelayMs: 100, maxDelayMs: 350 };

describe("retries", () => {
  it("wait twice as long each time, in the upper half at random, up to a bound, and end", () => {
    expect([1, 2, 3, 4].map((retry) => retryDelayMs(retry, undefined, settings, 0))).toEqual([50, 100, 175, undefined]);
    expect(retryDelayMs(2, undefined, settings, 0.5)).toBe(150);
  });

  it("wait at least as long as asked, and not at all for what is longer than allowed", () => {
    expect(retryDelayMs(1, 300, settings, 0)).toBe(300);
    expect(retryDelayMs(1, 351, settings, 0)).toBeUndefined();
  });

  it.each([
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after-ms": "1500.5", "retry-after": "2" }, 1500.5],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:10 GMT" }, 9000],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("%j asks for %s ms", (headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), 1000)).toBe(expected);
  });
});
