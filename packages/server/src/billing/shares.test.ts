import Big from "big.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sharesOf } from "./shares.ts";
import { decimals } from "./testing/prices.ts";

const shares = (amount: string, weights: readonly (string | number)[]) =>
  sharesOf(
    new Big(amount),
    weights.map((weight) => new Big(weight)),
  ).map((share) => share.toFixed());

test("[BIL3] a third of a cent is cut after 24 digits, and the last share takes what is left", () => {
  expect(shares("1", [1, 1, 1])).toEqual([
    "0.333333333333333333333333",
    "0.333333333333333333333333",
    "0.333333333333333333333334",
  ]);
});

test("[BIL3] who used nothing has no share; weights that can't divide make equal shares", () => {
  expect(shares("6", [1, 0, 2])).toEqual(["2", "0", "4"]);
  expect(shares("6", [0, 0])).toEqual(["3", "3"]);
  expect(shares("6", [5, -5])).toEqual(["3", "3"]);
  expect(shares("6", [0])).toEqual(["6"]);
});

test("[BIL3] shares add up to the amount, and each is its part to within a unit of the 24th digit", () => {
  const weights = fc.array(decimals(1_000_000), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(decimals(1_000_000), fc.boolean(), weights, (text, isCredit, texts) => {
      const amount = new Big(text).times(isCredit ? -1 : 1);
      const parts = texts.map((weight) => new Big(weight));
      const whole = parts.reduce((sum, part) => sum.plus(part), new Big(0));
      const found = sharesOf(amount, parts);
      expect(found.reduce((sum, share) => sum.plus(share), new Big(0)).eq(amount)).toBe(true);
      if (whole.eq(0)) return;
      for (const [index, share] of found.entries()) {
        // |share · whole − amount · part| <= whole · 1e-24: without dividing, so exact.
        const off = share
          .times(whole)
          .minus(amount.times(parts[index] ?? 0))
          .abs();
        expect(off.lte(whole.times("1e-24"))).toBe(true);
      }
    }),
  );
});
