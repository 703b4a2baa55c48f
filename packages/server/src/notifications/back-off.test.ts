import { expect, test } from "vitest";
import { delayAfter, retryDelays } from "./back-off.ts";

test("[NTF2] nine attempts lie ever further apart, over a day and a half", () => {
  expect(retryDelays).toHaveLength(8);
  expect(retryDelays.toSorted((a, b) => a - b)).toEqual(retryDelays);
  const hours = retryDelays.reduce((sum, delay) => sum + delay, 0) / 3_600_000;
  expect(Math.round(hours)).toBe(36);
  expect([delayAfter(1), delayAfter(8), delayAfter(9)]).toEqual([5000, 64_800_000, undefined]);
});
