import type { PriceCharge } from "@gristmill/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../failure.ts";
import { compareDecimals, shareOf, sumDecimals } from "../terminal/decimals.ts";
import { painter } from "../terminal/paint.ts";
import { partWidths } from "../terminal/stacks.ts";
import { verificationText } from "./audit.ts";
import { boundsText, chargeOf, chargeText, parseTier } from "./charge.ts";
import { takenText } from "./event.ts";
import { namedValues } from "./named-values.ts";
import { parseTime } from "./times.ts";

const plain = painter(false);

describe("exact decimals", () => {
  it("are summed without losing a digit, in any order and grouping", () => {
    expect(sumDecimals(["0.1", "0.2"])).toBe("0.3");
    expect(sumDecimals(["99999999999999999999", "0.00000000000000000001"])).toBe(
      "99999999999999999999.00000000000000000001",
    );
    expect(sumDecimals(["-1.5", "0.5"])).toBe("-1");
    expect(sumDecimals([])).toBe("0");
    const decimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 1, max: 20 }))
      .map(([units, digits]) => {
        const text = `${units < 0n ? -units : units}`.padStart(digits + 1, "0");
        return `${units < 0n ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)}`;
      });
    fc.assert(
      fc.property(fc.array(decimal, { maxLength: 8 }), fc.nat(8), (all, cut) => {
        const parts = [sumDecimals(all.slice(0, cut)), sumDecimals(all.slice(cut))];
        expect(sumDecimals(parts)).toBe(sumDecimals(all.toReversed()));
        const negated = all.map((text) => (text.startsWith("-") ? text.slice(1) : `-${text}`));
        expect(sumDecimals([...all, ...negated])).toBe("0");
      }),
    );
  });

  it("are compared by value", () => {
    expect(["0.10", "9", "-2", "10.5"].toSorted(compareDecimals)).toEqual(["-2", "0.10", "9", "10.5"]);
    expect(compareDecimals("1.0", "1")).toBe(0);
    expect([shareOf("1", "4"), shareOf("1", "0")]).toEqual([0.25, 0]);
  });
});

it("a stack's parts fill the bar's length and never more, and what is above nothing is seen while there is room", () => {
  expect(partWidths([3, 1], 8, 16)).toEqual([6, 2]);
  expect(partWidths([8, 0.0001], 8, 16)).toEqual([16, 0]);
  expect(partWidths([4, 0.0001], 8, 16)).toEqual([8, 1]);
  const parts = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(parts, fc.integer({ min: 8, max: 60 }), (values, width) => {
      const sum = values.reduce((a, b) => a + b, 0);
      const drawn = partWidths(values, sum, width).reduce((a, b) => a + b, 0);
      expect(drawn).toBe(sum > 0 ? width : 0);
    }),
  );
});

it("times are days, months, moments, or so long ago", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  const read = (text: string): string => parseTime(text, now);
  expect(["2026-11", "2026-11-05", "2026-11-05T01:00:00+01:00", "7d", "90m", "+2w"].map(read)).toEqual([
    "2026-11-01T00:00:00.000Z",
    "2026-11-05T00:00:00.000Z",
    "2026-11-05T00:00:00.000Z",
    "2026-11-16T12:00:00.000Z",
    "2026-11-23T10:30:00.000Z",
    "2026-12-07T12:00:00.000Z",
  ]);
  for (const wrong of ["yesterday", "2026-13", "2026-02-31x", "11/05/2026", "7y", "+7", "", "2026-11-05T09:00"])
    expect(() => read(wrong), wrong).toThrow(/Expected a time/);
});

describe("charges", () => {
  const cases: readonly (readonly [Parameters<typeof chargeOf>, PriceCharge, string])[] = [
    [["0.0005", { charge: "per_unit" }], { type: "per_unit", amount: "0.0005" }, "0.0005"],
    [["2", { charge: "flat" }], { type: "flat", amount: "2" }, "2 an event"],
    [
      ["1.50", { charge: "package", size: "1000000" }],
      { type: "package", size: "1000000", amount: "1.50" },
      "1.5 per 1,000,000",
    ],
    [
      ["0.029", { charge: "percentage", fixed: "0.30" }],
      { type: "percentage", rate: "0.029", fixed: "0.30" },
      "2.9 % and 0.3 an event",
    ],
    [["1", { charge: "percentage" }], { type: "percentage", rate: "1", fixed: "0" }, "100 %"],
    [
      [undefined, { charge: "volume", tier: ["10=2", "rest=1+5"] }],
      {
        type: "volume",
        tiers: [
          { up_to: "10", unit: "2", flat: "0" },
          { up_to: null, unit: "1", flat: "5" },
        ],
      },
      "volume, 2 tiers",
    ],
  ];
  it.each(cases)("%j is read and said", (words, charge, said) => {
    expect(chargeOf(...words)).toEqual(charge);
    expect(chargeText(charge)).toBe(said);
  });

  it("that don't fit together are refused before anything is asked", () => {
    const wrong: readonly Parameters<typeof chargeOf>[] = [
      [undefined, { charge: "per_unit" }],
      ["1", { charge: "graduated", tier: ["rest=1"] }],
      ["1", { charge: "package" }],
      ["1", { charge: "flat", size: "10" }],
      ["1", { charge: "flat", fixed: "1" }],
      [undefined, { charge: "graduated" }],
    ];
    for (const words of wrong) expect(() => chargeOf(...words), JSON.stringify(words)).toThrow(UsageError);
    for (const tier of ["10", "=1", "10=", "last=1", "10=1+", "-1=1"])
      expect(() => parseTier(tier)).toThrow(UsageError);
  });

  it("say what is free and what a month costs at least and at most", () => {
    const price = { free: "1000", minimum: "5.00", maximum: null };
    expect(boundsText(price)).toBe("1,000 free, at least 5");
    expect(boundsText({ free: "0", minimum: null, maximum: "9" })).toBe("at most 9");
  });
});

it("named values keep what stands behind the first sign", () => {
  expect(namedValues("--filter", ["a=1", "b=x=y", "c="])).toEqual({ a: "1", b: "x=y", c: "" });
  expect(namedValues("--filter")).toEqual({});
  for (const wrong of ["a", "=1"])
    expect(() => namedValues("--filter", [wrong])).toThrow(/--filter: expected NAME=VALUE/);
});

it("what became of events names each that was set aside, up to twenty", () => {
  const one = { index: 4, id: "sale-5", code: "value.invalid", reason: "$.total: expected a number" } as const;
  const taken = { object: "events.taken", accepted: 1200, duplicates: 3, quarantined: [one] } as const;
  expect(takenText({ ...taken, quarantined: [one] }, plain)).toBe(
    "✓ 1,200 new, 3 known already\n■ 1 set aside:\n  5. sale-5: $.total: expected a number value.invalid",
  );
  const many = takenText({ ...taken, quarantined: Array.from({ length: 25 }, () => one) }, plain);
  expect(many).toContain("and 5 more: gristmill event quarantine");
});

it("a verification says how many entries are good, what to keep, or where it breaks", () => {
  const head = { number: 12, hash: "a".repeat(64) };
  expect(verificationText({ entries: 12, head, broken: null }, plain)).toContain(`--kept 12:${head.hash}`);
  expect(verificationText({ entries: 12, head, broken: { number: 13, fault: "hash_differs" } }, plain)).toBe(
    "✗ Entry 13: the entry is not as it was written. Before it, 12 entries are as written.",
  );
});
