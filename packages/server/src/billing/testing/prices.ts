/** @file Prices and price terms for tests: by hand, and of any kind. */
import type { PriceCharge, PriceTier } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import type { PriceEntry } from "../price-book.ts";
import type { PriceTerms } from "../tariff.ts";

/** A day of January 2026, at its beginning. */
export const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));

/** Terms of a charge without free use and bounds. */
export const terms = (charge: PriceCharge, more: Partial<PriceTerms> = {}): PriceTerms => ({
  charge,
  free: "0",
  minimum: null,
  maximum: null,
  ...more,
});

/** A price of training, for each second unless said otherwise, from the first day on. */
export const price = (amount: string, more: Partial<PriceEntry> = {}): PriceEntry => ({
  id: `prc_${JSON.stringify([amount, more])}`,
  meter: "training.seconds",
  model: null,
  hardware: null,
  effectiveFrom: day(1),
  ...terms({ type: "per_unit", amount }),
  ...more,
});

/** Any decimal text from zero to `most`, with up to nine digits after the point. */
export const decimals = (most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(most), fc.oneof(fc.constant(0), fc.nat(999_999_999)))
    .map(([whole, part]) => (part === 0 ? String(whole) : `${whole}.${String(part).padStart(9, "0")}`));

const aboveZero = (most: number) => decimals(most).filter((text) => /[1-9]/.test(text));

/** Any tiers, as the API takes them. */
export const tiersOfAnyKind: fc.Arbitrary<PriceTier[]> = fc
  .array(fc.record({ width: aboveZero(100), unit: decimals(10), flat: decimals(20) }), { minLength: 1, maxLength: 5 })
  .map((widths) => {
    let end = new Big(0);
    return widths.map(({ width, unit, flat }, index) => {
      end = end.plus(width);
      return { up_to: index === widths.length - 1 ? null : end.toFixed(), unit, flat };
    });
  });

/** Any charge, as the API takes it. */
export const chargesOfAnyKind: fc.Arbitrary<PriceCharge> = fc.oneof(
  fc.record({ type: fc.constant("per_unit" as const), amount: decimals(10) }),
  fc.record({ type: fc.constant("flat" as const), amount: decimals(10) }),
  fc.record({ type: fc.constant("package" as const), size: aboveZero(50), amount: decimals(10) }),
  fc.record({ type: fc.constant("graduated" as const), tiers: tiersOfAnyKind }),
  fc.record({ type: fc.constant("volume" as const), tiers: tiersOfAnyKind }),
  fc.record({ type: fc.constant("percentage" as const), rate: decimals(1), fixed: decimals(2) }),
);

/** Any terms, as the API takes them. */
export const termsOfAnyKind: fc.Arbitrary<PriceTerms> = fc
  .record({
    charge: chargesOfAnyKind,
    free: fc.oneof(fc.constant("0"), decimals(60)),
    bounds: fc.tuple(fc.option(decimals(100)), fc.option(decimals(100))),
  })
  .map(({ charge, free, bounds: [one, two] }) => {
    const swapped = one !== null && two !== null && new Big(one).gt(two);
    return { charge, free, minimum: swapped ? two : one, maximum: swapped ? one : two };
  });
