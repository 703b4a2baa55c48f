import type { PriceCharge } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTariff, type PriceTerms, type Use } from "./tariff.ts";
import { decimals, terms, termsOfAnyKind } from "./testing/prices.ts";

const use = (quantity: string, events: number): Use => ({ quantity: new Big(quantity), events: new Big(events) });
const amount = (of: PriceTerms, quantity: string, events = 1): string =>
  createTariff(of).amountOf(use(quantity, events)).toFixed();

describe("charges by hand", () => {
  test("[BIL7] per unit: each unit costs its amount", () => {
    expect(amount(terms({ type: "per_unit", amount: "0.25" }), "3.5")).toBe("0.875");
  });

  test("[BIL7] flat: each event costs its amount, whatever its quantity", () => {
    expect(amount(terms({ type: "flat", amount: "0.25" }), "1000", 3)).toBe("0.75");
  });

  test.each([
    ["0", "0"],
    ["0.000000001", "2"],
    ["1000", "2"],
    ["1000.000000001", "4"],
    ["123456789012345678000", "246913578024691356"],
    ["123456789012345678000.000000001", "246913578024691358"],
  ])("[BIL7] package: %s units in packages of 1000 at 2 cost %s", (quantity, cost) => {
    expect(amount(terms({ type: "package", size: "1000", amount: "2" }), quantity)).toBe(cost);
  });

  test("[BIL7] package: sizes that no decimal divides are counted exactly", () => {
    const thirds = terms({ type: "package", size: "0.000000003", amount: "1" });
    expect(amount(thirds, "999999999.999999999")).toBe("333333333333333333");
    expect(amount(thirds, "1000000000")).toBe("333333333333333334");
  });

  test("[BIL7] percentage: a share of the money counted, and a fixed amount for each event", () => {
    expect(amount(terms({ type: "percentage", rate: "0.029", fixed: "0.3" }), "100", 2)).toBe("3.5");
  });

  test("[BIL7] free use costs nothing; of a flat charge it is so many events", () => {
    expect(amount(terms({ type: "per_unit", amount: "2" }, { free: "10" }), "10")).toBe("0");
    expect(amount(terms({ type: "per_unit", amount: "2" }, { free: "10" }), "10.5")).toBe("1");
    expect(amount(terms({ type: "flat", amount: "2" }, { free: "10" }), "999", 12)).toBe("4");
    expect(amount(terms({ type: "package", size: "5", amount: "2" }, { free: "10" }), "16")).toBe("4");
    expect(amount(terms({ type: "percentage", rate: "0.5", fixed: "0" }, { free: "10" }), "12")).toBe("1");
  });

  test("[BIL7] a month of any use costs the minimum at least and the maximum at most; a month of none costs nothing", () => {
    const bounded = terms({ type: "per_unit", amount: "1" }, { minimum: "5", maximum: "9" });
    expect(amount(bounded, "2")).toBe("5");
    expect(amount(bounded, "7")).toBe("7");
    expect(amount(bounded, "11")).toBe("9");
    expect(amount(bounded, "0", 0)).toBe("0");
  });

  test("[BIL7] only what is rated alone, whatever was used before, is additive", () => {
    const additive = (charge: PriceCharge, more: Partial<PriceTerms> = {}) =>
      createTariff(terms(charge, more)).isAdditive;
    expect(additive({ type: "per_unit", amount: "1" })).toBe(true);
    expect(additive({ type: "flat", amount: "1" })).toBe(true);
    expect(additive({ type: "percentage", rate: "1", fixed: "1" })).toBe(true);
    expect(additive({ type: "package", size: "1", amount: "1" })).toBe(false);
    expect(additive({ type: "graduated", tiers: [{ up_to: null, unit: "1", flat: "0" }] })).toBe(false);
    expect(additive({ type: "volume", tiers: [{ up_to: null, unit: "1", flat: "0" }] })).toBe(false);
    for (const more of [{ free: "1" }, { minimum: "1" }, { maximum: "1" }])
      expect(additive({ type: "per_unit", amount: "1" }, more)).toBe(false);
  });

  test("[BIL8] what is taken back is not counted as less before the month is rated, unless it is sure", () => {
    const back = use("-3", -1);
    expect(
      createTariff(terms({ type: "per_unit", amount: "2" }))
        .mostOf(back)
        .toFixed(),
    ).toBe("-6");
    expect(
      createTariff(terms({ type: "per_unit", amount: "2" }, { free: "1" }))
        .mostOf(back)
        .toFixed(),
    ).toBe("0");
  });
});

describe("any terms", () => {
  const uses = fc.array(decimals(200), { minLength: 1, maxLength: 12 });
  const sumOf = (quantities: readonly string[]): Use => ({
    quantity: quantities.reduce((sum, quantity) => sum.plus(quantity), new Big(0)),
    events: new Big(quantities.length),
  });

  test("[BIL7] an additive tariff costs the same in one piece and in many", () => {
    fc.assert(
      fc.property(termsOfAnyKind, uses, (of, quantities) => {
        const tariff = createTariff(of);
        const pieces = quantities.map((quantity) => tariff.amountOf(use(quantity, 1)));
        const together = pieces.reduce((sum, piece) => sum.plus(piece), new Big(0));
        if (tariff.isAdditive) expect(together.toFixed()).toBe(tariff.amountOf(sumOf(quantities)).toFixed());
      }),
    );
  });

  test("[BIL8] what requests are counted as at most is never less than what they add, in whatever order they come", () => {
    fc.assert(
      fc.property(termsOfAnyKind, uses, (of, quantities) => {
        const tariff = createTariff(of);
        let counted = new Big(0);
        for (const [index, quantity] of quantities.entries()) {
          const before = tariff.amountOf(sumOf(quantities.slice(0, index)));
          const after = tariff.amountOf(sumOf(quantities.slice(0, index + 1)));
          const most = tariff.mostOf(use(quantity, 1));
          expect(after.minus(before).lte(most)).toBe(true);
          counted = counted.plus(most);
        }
        expect(tariff.amountOf(sumOf(quantities)).lte(counted)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("[BIL7] a month stays within its bounds", () => {
    fc.assert(
      fc.property(termsOfAnyKind, uses, (of, quantities) => {
        const cost = createTariff(of).amountOf(sumOf(quantities));
        if (of.maximum !== null) expect(cost.lte(of.maximum)).toBe(true);
        if (of.minimum !== null) expect(cost.gte(of.minimum)).toBe(true);
        expect(cost.gte(0)).toBe(true);
      }),
    );
  });
});
