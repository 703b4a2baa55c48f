import fc from "fast-check";
import { expect, it } from "vitest";
import { dueSlices, secondsText } from "./slices.ts";

const minuteMs = 60_000;

it("[RUN12] a slice is due when it is full, the first after 5 s, and the rest is due at the end", () => {
  expect(dueSlices(4_999, 0, false)).toEqual([]);
  expect(dueSlices(4_999, 0, true)).toEqual([{ index: 0, fromMs: 0, toMs: 4_999 }]);
  expect(dueSlices(124_999, 0, false)).toEqual([
    { index: 0, fromMs: 0, toMs: 5_000 },
    { index: 1, fromMs: 5_000, toMs: 65_000 },
  ]);
  expect(dueSlices(125_000, 2, false)).toEqual([{ index: 2, fromMs: 65_000, toMs: 125_000 }]);
  expect(dueSlices(65_000, 2, true)).toEqual([]);
  expect(dueSlices(0, 0, true)).toEqual([]);
});

it("[RUN12] however often it is asked, the slices add up to the time, each once", () => {
  const times = fc.array(fc.integer({ min: 0, max: 10 * minuteMs }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(times, (list) => {
      const asked = list.toSorted((a, b) => a - b);
      let recorded = 0;
      let sum = 0;
      const indexes: number[] = [];
      for (const [i, time] of asked.entries())
        for (const slice of dueSlices(time, recorded, i === asked.length - 1)) {
          recorded = slice.index + 1;
          sum += slice.toMs - slice.fromMs;
          indexes.push(slice.index);
        }
      expect(sum).toBe(asked.at(-1));
      expect(indexes).toEqual(indexes.map((_, i) => i));
    }),
  );
});

it("writes seconds exactly", () => {
  expect(["0.000", "0.007", "60.000", "61.250"]).toEqual([0, 7, 60_000, 61_250].map(secondsText));
});
