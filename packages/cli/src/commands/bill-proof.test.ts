import type { Price, PriceCharge, UsageLine } from "@gristmill/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDecimals, roundDecimal, sumDecimals } from "../terminal/decimals.ts";
import { painter } from "../terminal/paint.ts";
import { EntrySums, type LedgerEntry, type PriceTerms, priceOf } from "./bill-proof.ts";
import { proofText } from "./usage-prove.ts";

const plain = painter(false);
const terms = (charge: PriceCharge, more: Partial<PriceTerms> = {}): PriceTerms => ({
  charge,
  free: "0",
  minimum: null,
  maximum: null,
  ...more,
});
const cost = (of: PriceTerms, quantity: string, counted = 1): string =>
  priceOf(of, { quantity, events: Math.abs(counted), counted });

const tiers = [
  { up_to: "100", unit: "0.05", flat: "0" },
  { up_to: "200", unit: "0.03", flat: "1" },
  { up_to: null, unit: "0.02", flat: "0" },
];

describe("what a month's use costs", () => {
  it("by each charge model, as anyone can compute by hand", () => {
    expect(cost(terms({ type: "per_unit", amount: "0.0005" }), "3")).toBe("0.0015");
    expect(cost(terms({ type: "flat", amount: "2" }), "1000", 4)).toBe("8");
    expect(
      ["1", "1000", "1000.1"].map((q) => cost(terms({ type: "package", size: "1000", amount: "1.5" }), q)),
    ).toEqual(["1.5", "1.5", "3"]);
    const graduated = terms({ type: "graduated", tiers });
    expect(["100", "100.5", "250"].map((q) => cost(graduated, q))).toEqual(["5", "6.015", "10"]);
    const volume = terms({ type: "volume", tiers });
    expect(["100", "101", "250"].map((q) => cost(volume, q))).toEqual(["5", "4.03", "5"]);
    expect(cost(terms({ type: "percentage", rate: "0.029", fixed: "0.30" }), "200", 2)).toBe("6.4");
  });

  it("with free use, a minimum and a maximum", () => {
    const unit = { type: "per_unit", amount: "1" } as const;
    expect(["9", "10", "12.5"].map((q) => cost(terms(unit, { free: "10" }), q))).toEqual(["0", "0", "2.5"]);
    expect(cost(terms(unit, { minimum: "5" }), "2")).toBe("5");
    expect(cost(terms(unit, { minimum: "5" }), "0", 0)).toBe("0");
    expect(cost(terms(unit, { maximum: "5" }), "7")).toBe("5");
    expect(cost(terms({ type: "graduated", tiers }, { free: "50" }), "150")).toBe("5");
  });

  it("gives back what more was taken back than used", () => {
    expect(cost(terms({ type: "per_unit", amount: "2" }), "-3", 0)).toBe("-6");
    expect(cost(terms({ type: "flat", amount: "2" }), "0", -1)).toBe("-2");
  });

  it("never falls while use grows, but for a volume's next tier", () => {
    const charges: readonly PriceCharge[] = [
      { type: "graduated", tiers },
      { type: "package", size: "7", amount: "3" },
      { type: "percentage", rate: "0.1", fixed: "0" },
    ];
    const quantity = fc.integer({ min: 0, max: 400_000 }).map((thousandths) => (thousandths / 1000).toFixed(3));
    fc.assert(
      fc.property(fc.constantFrom(...charges), quantity, quantity, (charge, a, b) => {
        const [less, more] = compareDecimals(a, b) <= 0 ? [a, b] : [b, a];
        expect(compareDecimals(cost(terms(charge), less), cost(terms(charge), more))).toBeLessThanOrEqual(0);
      }),
    );
  });
});

it("amounts are rounded half to even", () => {
  expect(["0.125", "0.135", "0.1251", "-0.125", "2", "0.001"].map((text) => roundDecimal(text, 2))).toEqual([
    "0.12",
    "0.14",
    "0.13",
    "-0.12",
    "2.00",
    "0.00",
  ]);
  expect(["0.5", "1.5", "2.50001"].map((text) => roundDecimal(text, 0))).toEqual(["0", "2", "3"]);
});

describe("a proof", () => {
  const price: Price = {
    id: "prc_1",
    object: "price",
    meter: "scan.sheets",
    model: null,
    hardware: null,
    amount: "0.05",
    ...terms({ type: "per_unit", amount: "0.05" }),
    currency: "USD",
    effective_from: "2026-01-01T00:00:00Z",
    effective_to: null,
  };
  const prices = new Map([[price.id, price]]);
  const entry = (quantity: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
    time: "2026-11-05T10:00:00.000Z",
    meter: "scan.sheets",
    quantity,
    price_id: "prc_1",
    dimensions: {},
    ...more,
  });
  const line = (more: Partial<UsageLine> = {}): UsageLine => ({
    project_id: "prj_1",
    meter: "scan.sheets",
    unit: "sheet",
    price_id: "prc_1",
    period_start: "2026-11-01T00:00:00.000Z",
    period_end: "2026-12-01T00:00:00.000Z",
    events: 3,
    quantity: "4.5",
    amount: "0.225",
    rounded_amount: "0.22",
    ...more,
  });
  const sums = (entries: readonly LedgerEntry[]): EntrySums => {
    const all = new EntrySums();
    for (const one of entries) all.add(one);
    return all;
  };
  const three = [entry("3"), entry("2"), entry("-0.5", { dimensions: { "gristmill.correction": "part" } })];

  it("holds when entries add up to the line, whatever their order, to the last digit", () => {
    expect(sums(three).compare([line()], prices)).toMatchObject([
      { agrees: true, found: { events: 3, amount: "0.225" } },
    ]);
    expect(sums(three.toReversed()).compare([line({ quantity: "4.50" })], prices)).toMatchObject([{ agrees: true }]);
  });

  it("fails for a wrong amount, rounding, quantity, number of entries, and for what stands on one side alone", () => {
    const agrees = (wrong: Partial<UsageLine>) =>
      sums(three)
        .compare([line(wrong)], prices)
        .map((one) => one.agrees);
    expect(agrees({ amount: "0.2250001" })).toEqual([false]);
    expect(agrees({ rounded_amount: "0.23" })).toEqual([false]);
    expect(agrees({ quantity: "4.6" })).toEqual([false]);
    expect(agrees({ events: 4 })).toEqual([false]);
    expect(agrees({ price_id: "prc_2" })).toEqual([false, false]);
    expect(
      sums([])
        .compare([line()], prices)
        .map((one) => one.agrees),
    ).toEqual([false]);
    expect(
      sums(three)
        .compare([], prices)
        .map((one) => one.agrees),
    ).toEqual([false]);
  });

  it("takes use without a price for unknown, and never for nothing", () => {
    const unpriced = sums([entry("1", { price_id: null })]);
    const bill = line({ price_id: null, events: 1, quantity: "1", amount: null, rounded_amount: null });
    expect(unpriced.compare([bill], prices)).toMatchObject([{ agrees: true, found: { amount: null } }]);
    expect(unpriced.compare([{ ...bill, amount: "0" }], prices)).toMatchObject([{ agrees: false }]);
  });

  it("keeps months apart: an entry belongs to the month of its time", () => {
    const december = entry("1", { time: "2026-12-01T00:00:00.000Z" });
    const proven = sums([...three, december]).compare([line()], prices);
    expect(proven.map(({ month, agrees }) => [month, agrees])).toEqual([
      ["2026-11", true],
      ["2026-12", false],
    ]);
  });

  it("says how many entries stand behind how many lines, or which lines don't hold", () => {
    expect(proofText(sums(three).compare([line()], prices), "USD", plain)).toContain(
      "✓ 3 entries of the ledger add up to the bill's 1 line.",
    );
    const wrong = proofText(sums(three).compare([line({ amount: "1" })], prices), "USD", plain);
    expect(wrong).toContain("✗ 1 of the bill's 1 line is not what the entries add up to.");
    expect(wrong).toMatch(/✗ +scan\.sheets +3 +4\.5 +prc_1 +0\.225 +1/);
  });

  it("of many entries is their sum, however they are cut into files", () => {
    const quantities = fc.array(
      fc.integer({ min: -999, max: 999 }).map((n) => (n / 100).toFixed(2)),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(quantities, (all) => {
        const quantity = sumDecimals(all);
        const amount = priceOf(price, { quantity, events: all.length, counted: all.length });
        const bill = line({ events: all.length, quantity, amount, rounded_amount: roundDecimal(amount, 2) });
        expect(sums(all.map((one) => entry(one))).compare([bill], prices)).toMatchObject([{ agrees: true }]);
      }),
    );
  });
});
