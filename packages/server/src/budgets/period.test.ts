import type { budgetPeriods } from "@gristmill/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { periodAt } from "./period.ts";

const dayMs = 86_400_000;
const of = (kind: (typeof budgetPeriods)[number], at: string) => {
  const { key, start, end } = periodAt(kind, new Date(at));
  return [key, start?.toISOString() ?? null, end?.toISOString() ?? null];
};

describe("[BUD2] periods", () => {
  it.each([
    ["month", "2026-02-28T23:59:59.999Z", "2026-02-01", "2026-03-01"],
    ["month", "2028-02-29T12:00:00Z", "2028-02-01", "2028-03-01"],
    ["month", "2026-12-31T23:59:59.999Z", "2026-12-01", "2027-01-01"],
    ["month", "2027-01-01T00:00:00Z", "2027-01-01", "2027-02-01"],
    ["month", "2026-04-30T23:59:59.999Z", "2026-04-01", "2026-05-01"],
    ["day", "2026-12-31T23:59:59.999Z", "2026-12-31", "2027-01-01"],
    ["day", "2028-02-28T23:59:59.999Z", "2028-02-28", "2028-02-29"],
    ["day", "2026-03-29T01:30:00Z", "2026-03-29", "2026-03-30"],
    ["week", "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-30"],
    ["week", "2026-11-22T23:59:59.999Z", "2026-11-16", "2026-11-23"],
    ["week", "2027-01-01T12:00:00Z", "2026-12-28", "2027-01-04"],
    ["week", "2026-10-25T02:30:00Z", "2026-10-19", "2026-10-26"],
  ] as const)("a %s that holds %s is from %s to %s", (kind, at, start, end) => {
    expect(of(kind, at)).toEqual([start, `${start}T00:00:00.000Z`, `${end}T00:00:00.000Z`]);
  });

  it("a time with an offset lies in the period of UTC", () => {
    expect(of("month", "2026-12-01T00:30:00+01:00")[0]).toBe("2026-11-01");
    expect(of("day", "2026-11-30T23:30:00-02:00")[0]).toBe("2026-12-01");
  });

  it("the total has neither beginning nor end", () => {
    expect(of("total", "2026-11-23T12:00:00Z")).toEqual(["total", null, null]);
  });

  it("cover all time without gap or overlap, and begin and end at midnight", () => {
    const moments = fc.date({ min: new Date("2020-01-01Z"), max: new Date("2099-12-31Z"), noInvalidDate: true });
    fc.assert(
      fc.property(moments, fc.constantFrom("day", "week", "month"), (at, kind) => {
        const { key, start, end } = periodAt(kind, at);
        if (start === null || end === null) throw new Error("expected a span");
        expect(start.getTime() <= at.getTime() && at.getTime() < end.getTime()).toBe(true);
        expect([start.getTime() % dayMs, end.getTime() % dayMs]).toEqual([0, 0]);
        expect(periodAt(kind, start).key).toBe(key);
        expect(periodAt(kind, new Date(end.getTime() - 1)).key).toBe(key);
        expect(periodAt(kind, end).start).toEqual(end);
        expect(periodAt(kind, new Date(start.getTime() - 1)).end).toEqual(start);
        if (kind === "week") expect(start.getUTCDay()).toBe(1);
        if (kind === "month") expect(start.getUTCDate()).toBe(1);
      }),
    );
  });
});
