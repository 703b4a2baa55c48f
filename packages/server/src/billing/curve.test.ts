import Big from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterFree, at, graduated, steepestRise, volume } from "./curve.ts";
import { decimals, tiersOfAnyKind } from "./testing/prices.ts";

const big = (text: string | number) => new Big(text);

/** The smallest step that a quantity can make. */
const step = big("0.000000001");

describe("tiers by hand", () => {
  const tiers = [
    { up_to: "10", unit: "2", flat: "0" },
    { up_to: "20", unit: "1", flat: "5" },
    { up_to: null, unit: "0.5", flat: "1" },
  ];

  test.each([
    ["0", "0"],
    ["1", "2"],
    ["10", "20"],
    ["10.000000001", "25.000000001"], // the second tier's flat amount is due with its first billionth
    ["20", "35"],
    ["21", "36.5"],
    ["100", "76"],
  ])("[BIL7] graduated: %s units cost %s", (use, amount) => {
    expect(at(graduated(tiers), big(use)).toFixed()).toBe(amount);
  });

  test.each([
    ["0", "0"],
    ["10", "20"],
    ["10.000000001", "15.000000001"],
    ["20", "25"],
    ["20.000000002", "11.000000001"],
    ["100", "51"],
  ])("[BIL7] volume: %s units cost %s", (use, amount) => {
    expect(at(volume(tiers), big(use)).toFixed()).toBe(amount);
  });

  test("[BIL7] what is free comes before the first tier", () => {
    const curve = afterFree(graduated(tiers), big(3));
    expect(at(curve, big(3)).toFixed()).toBe("0");
    expect(at(curve, big(13)).toFixed()).toBe("20");
    expect(at(curve, big(14)).toFixed()).toBe("26");
  });

  test("[BIL7] what was taken back costs its price less", () => {
    expect(at(graduated(tiers), big(-20)).toFixed()).toBe("-35");
  });

  test("a curve without a last piece is a fault", () => {
    expect(() => at(graduated([{ up_to: "1", unit: "1", flat: "0" }]), big(2))).toThrow(/a last piece without end/);
  });
});

/** The amount by the definition: each tier asked for its own part. */
function graduatedByDefinition(tiers: readonly { up_to: string | null; unit: string; flat: string }[], use: Big): Big {
  let amount = big(0);
  let from = big(0);
  for (const tier of tiers) {
    if (use.lte(from)) break;
    const to = tier.up_to === null || use.lt(tier.up_to) ? use : big(tier.up_to);
    amount = amount.plus(to.minus(from).times(tier.unit)).plus(tier.flat);
    from = to;
  }
  return amount;
}

describe("any tiers", () => {
  /** Uses at, just before and just after every boundary, and anywhere. */
  const withUse = fc.tuple(tiersOfAnyKind, decimals(600), fc.nat(20)).map(([tiers, anywhere, which]) => {
    const ends = tiers.flatMap(({ up_to }) => (up_to === null ? [] : [big(up_to)]));
    const uses = [big(anywhere), ...ends.flatMap((end) => [end.minus(step), end, end.plus(step)])];
    return [tiers, uses[which % uses.length] ?? big(0)] as const;
  });

  test("[BIL7] graduated tiers meet without gap or overlap at every boundary", () => {
    fc.assert(
      fc.property(withUse, ([tiers, use]) => {
        expect(at(graduated(tiers), use).toFixed()).toBe(graduatedByDefinition(tiers, use).toFixed());
      }),
    );
  });

  test("[BIL7] a boundary belongs to the tier that ends there, and the next begins with what its flat amount says", () => {
    fc.assert(
      fc.property(tiersOfAnyKind, (tiers) => {
        for (const [index, tier] of tiers.entries()) {
          const next = tiers[index + 1];
          if (tier.up_to === null || next === undefined) continue;
          const end = big(tier.up_to);
          const rise = at(graduated(tiers), end.plus(step)).minus(at(graduated(tiers), end));
          expect(rise.toFixed()).toBe(big(next.unit).times(step).plus(next.flat).toFixed());
          expect(at(volume(tiers), end).toFixed()).toBe(end.times(tier.unit).plus(tier.flat).toFixed());
          const beyond = end.plus(step);
          expect(at(volume(tiers), beyond).toFixed()).toBe(beyond.times(next.unit).plus(next.flat).toFixed());
        }
      }),
    );
  });

  test("[BIL8] nothing rises more over a width than the steepest rise, and something rises as much", () => {
    fc.assert(
      fc.property(tiersOfAnyKind, fc.boolean(), decimals(150), decimals(600), (tiers, isVolume, width, begin) => {
        const curve = isVolume ? volume(tiers) : graduated(tiers);
        const most = steepestRise(curve, big(width));
        const rise = (from: Big) => at(curve, from.plus(width)).minus(at(curve, from));
        expect(rise(big(begin)).lte(most)).toBe(true);
        // Found again by walking: at boundaries and as little beyond them as can be, the greatest rise comes close.
        const ends = tiers.flatMap(({ up_to }) => (up_to === null ? [] : [big(up_to)]));
        const begins = [big(0), ...ends, ...ends.map((end) => end.minus(width))].filter((from) => from.gte(0));
        const walked = begins.flatMap((from) => [rise(from), rise(from.plus("1e-12"))]);
        const nearest = walked.reduce((greatest, found) => (found.gt(greatest) ? found : greatest), big(0));
        expect(most.minus(nearest).lt("1e-8")).toBe(true);
      }),
    );
  });
});
