import fc from "fast-check";
import { expect, test } from "vitest";
import { countWindows, cutWindow } from "./windows.ts";

const at = (text: string) => new Date(text);

test("[BIL5] a month ends where the next begins, whatever its length", () => {
  const year = { from: at("2024-01-01T00:00:00Z"), to: at("2025-01-01T00:00:00Z") };
  expect(cutWindow(at("2024-02-01T00:00:00Z"), "month", year).to).toEqual(at("2024-03-01T00:00:00Z"));
  expect(cutWindow(at("2024-12-01T00:00:00Z"), "month", year).to).toEqual(at("2025-01-01T00:00:00Z"));
});

test("[BIL5] first and last windows are cut where the span begins and ends", () => {
  const span = { from: at("2026-05-01T10:20:00Z"), to: at("2026-05-01T12:40:00Z") };
  expect(cutWindow(at("2026-05-01T10:00:00Z"), "hour", span)).toEqual({
    from: span.from,
    to: at("2026-05-01T11:00:00Z"),
  });
  expect(cutWindow(at("2026-05-01T11:00:00Z"), "hour", span)).toEqual({
    from: at("2026-05-01T11:00:00Z"),
    to: at("2026-05-01T12:00:00Z"),
  });
  expect(cutWindow(at("2026-05-01T12:00:00Z"), "hour", span)).toEqual({
    from: at("2026-05-01T12:00:00Z"),
    to: span.to,
  });
});

test("[BIL5] a span never has more windows than are counted for it", () => {
  const time = fc.date({ min: at("2020-01-01T00:00:00Z"), max: at("2030-01-01T00:00:00Z"), noInvalidDate: true });
  fc.assert(
    fc.property(time, time, fc.constantFrom("day" as const, "month" as const), (a, b, unit) => {
      const span = a <= b ? { from: a, to: b } : { from: b, to: a };
      let windows = 0;
      const { from } = span;
      let start = new Date(
        Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), unit === "month" ? 1 : from.getUTCDate()),
      );
      while (start < span.to) {
        windows++;
        start = cutWindow(start, unit, { from: start, to: at("2040-01-01T00:00:00Z") }).to;
      }
      expect(windows).toBeLessThanOrEqual(countWindows(span, unit));
    }),
    { numRuns: 30 },
  );
});
