import { AppError } from "@gristmill/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BucketQuestion, type BucketUnit, bucketPage } from "./buckets.ts";

const seconds = (text: string): number => Date.parse(text) / 1000;
const question = (more: Partial<BucketQuestion>): BucketQuestion => ({
  startTime: seconds("2026-03-01T00:00:00Z"),
  endTime: undefined,
  unit: "day",
  limit: 7,
  page: undefined,
  now: new Date("2026-03-02T10:00:00Z"),
  ...more,
});
const times = (more: Partial<BucketQuestion>) =>
  bucketPage(question(more)).buckets.map(({ from, to }) => [from.toISOString(), to.toISOString()]);

test("[OAI3] buckets are whole units until now", () => {
  expect(times({})).toEqual([
    ["2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z"],
  ]);
  expect(times({ startTime: seconds("2026-04-01T00:00:00Z") })).toEqual([]);
});

test("[OAI3] the first and the last bucket are cut where the span begins and ends", () => {
  const span = { startTime: seconds("2026-03-01T10:30:00Z"), endTime: seconds("2026-03-01T11:20:01Z") };
  expect(times({ ...span, unit: "hour" })).toEqual([
    ["2026-03-01T10:30:00.000Z", "2026-03-01T11:00:00.000Z"],
    ["2026-03-01T11:00:00.000Z", "2026-03-01T11:20:01.000Z"],
  ]);
});

test("[OAI3] pages of any span follow each other without gap or overlap, though time goes on", () => {
  const units = fc.constantFrom<BucketUnit>("minute", "hour", "day");
  const start = fc.integer({ min: seconds("2026-03-01T00:00:00Z"), max: seconds("2026-03-03T00:00:00Z") });
  const length = fc.option(fc.integer({ min: 1, max: 200_000 }));
  fc.assert(
    fc.property(units, start, length, fc.integer({ min: 1, max: 400 }), (unit, startTime, more, limit) => {
      const asked = question({
        startTime,
        unit,
        limit,
        endTime: more === null ? undefined : startTime + more,
        now: new Date("2026-03-03T00:00:30Z"),
      });
      const whole = bucketPage({ ...asked, limit: 100_000 });
      expect(whole.nextPage).toBeNull();
      const pieces: unknown[] = [];
      let page: string | undefined;
      for (let turns = 0; turns < 10_000; turns++) {
        const piece = bucketPage({ ...asked, page, now: new Date(asked.now.getTime() + turns * 60_000) });
        expect(piece.buckets.length).toBeLessThanOrEqual(limit);
        pieces.push(...piece.buckets);
        if (piece.nextPage === null) break;
        page = piece.nextPage;
      }
      expect(pieces).toEqual(whole.buckets);
      for (const [index, bucket] of whole.buckets.entries())
        expect(bucket.from).toEqual(whole.buckets[index - 1]?.to ?? new Date(startTime * 1000));
    }),
    { numRuns: 60 },
  );
});

test.each([
  ["end_time", { endTime: seconds("2026-03-01T00:00:00Z") }],
  ["page", { page: "page_" }],
  ["page", { page: "elsewhere" }],
  ["page", { page: `page_${Buffer.from("5-3").toString("base64url")}` }],
  ["page", { page: `page_${Buffer.from("1-9999999999999").toString("base64url")}` }],
  // Before the start: nobody gets further back than their question.
  ["page", { page: `page_${Buffer.from("1-2000000000").toString("base64url")}` }],
] as const)("[OAI3] a %s that can't be is refused by its name", (param, more) => {
  const ask = () => bucketPage(question(more));
  expect(ask).toThrow(AppError);
  expect(ask).toThrow(expect.objectContaining({ code: "request.invalid", details: { param } }));
});
