/** @file A price's terms as arithmetic: what a month's use comes to, and what more use can add at most. Pure and exact. */
import type { PriceCharge } from "@gristmill/contract";
import Big from "big.js";
import { afterFree, at, type Curve, graduated, steepestRise, straight, volume } from "./curve.ts";

/** What a price says, as it lies in the book. */
export interface PriceTerms {
  readonly charge: PriceCharge;
  /** Units (`flat`: events) that cost nothing in each month; exact decimal. */
  readonly free: string;
  /** Exact decimals; null: no such bound. */
  readonly minimum: string | null;
  readonly maximum: string | null;
}

/** So much use; what was taken back counts against it. */
export interface Use {
  readonly quantity: Big;
  readonly events: Big;
}

/** Terms ready for arithmetic. */
export interface Tariff {
  /**
   * True when the amount of a sum is the sum of the amounts, so that use can be rated piece by piece; else it depends on
   * all that a project used in the month.
   */
  readonly isAdditive: boolean;
  /** What decides the amount, and so each one's share of it. */
  readonly measure: "quantity" | "events";
  /** What one project's use in one month comes to. */
  amountOf(use: Use): Big;
  /** What so much more can add at most, whatever was used before in the month. */
  mostOf(use: Use): Big;
}

const zero = new Big(0);

/** Reads terms once, so that they can be asked often. */
export function createTariff(terms: PriceTerms): Tariff {
  const { measure, amountAt, riseOver, perEvent, isStraight } = base(terms);
  const minimum = terms.minimum === null ? null : new Big(terms.minimum);
  const maximum = terms.maximum === null ? null : new Big(terms.maximum);
  const isAdditive = isStraight && minimum === null && maximum === null;
  const unbounded = (use: Use): Big => amountAt(use[measure]).plus(perEvent.times(use.events));
  return {
    isAdditive,
    measure,
    amountOf(use) {
      const amount = unbounded(use);
      return use.events.gt(zero) ? cap(raise(amount, minimum), maximum) : amount;
    },
    mostOf(use) {
      if (isAdditive) return unbounded(use);
      // What is taken back may take back less than its price: how much, the month's sum will say.
      if (use[measure].lt(zero)) return zero;
      const most = riseOver(use[measure]).plus(perEvent.times(use.events));
      // Bounds never make a rise steeper, but for the first use, which makes the minimum due.
      return cap(raise(most, minimum), maximum);
    },
  };
}

/** A charge without its bounds. */
interface Base {
  readonly measure: Tariff["measure"];
  readonly amountAt: (measured: Big) => Big;
  readonly riseOver: (width: Big) => Big;
  /** Besides, for each event. */
  readonly perEvent: Big;
  readonly isStraight: boolean;
}

function base({ charge, free }: PriceTerms): Base {
  const unpaid = new Big(free);
  const isStraight = unpaid.eq(zero);
  switch (charge.type) {
    case "per_unit":
      return { ...onCurve(straight(new Big(charge.amount)), unpaid), isStraight };
    case "flat":
      return { ...onCurve(straight(new Big(charge.amount)), unpaid), measure: "events", isStraight };
    case "percentage": {
      const perEvent = new Big(charge.fixed);
      return { ...onCurve(straight(new Big(charge.rate)), unpaid), perEvent, isStraight };
    }
    case "graduated":
      return onCurve(graduated(charge.tiers), unpaid);
    case "volume":
      return onCurve(volume(charge.tiers), unpaid);
    case "package":
      return inPackages(new Big(charge.size), new Big(charge.amount), unpaid);
  }
}

function onCurve(paid: Curve, free: Big): Base {
  const curve = afterFree(paid, free);
  return {
    measure: "quantity",
    amountAt: (measured) => at(curve, measured),
    riseOver: (width) => steepestRise(curve, width),
    perEvent: zero,
    isStraight: false,
  };
}

/** A curve of steps without end: so it has its own arithmetic. */
function inPackages(size: Big, amount: Big, free: Big): Base {
  const begun = (measured: Big): Big => {
    const rest = measured.mod(size);
    const full = measured.minus(rest).div(size);
    return rest.eq(zero) ? full : full.plus(1);
  };
  const amountAt = (measured: Big): Big => {
    if (measured.lt(zero)) return amountAt(measured.times(-1)).times(-1);
    return measured.lte(free) ? zero : begun(measured.minus(free)).times(amount);
  };
  // Packages begun by a sum are at most those begun by its parts.
  const riseOver = (width: Big): Big => begun(width).times(amount);
  return { measure: "quantity", amountAt, riseOver, perEvent: zero, isStraight: false };
}

const raise = (amount: Big, minimum: Big | null): Big => (minimum?.gt(amount) === true ? minimum : amount);

const cap = (amount: Big, maximum: Big | null): Big => (maximum?.lt(amount) === true ? maximum : amount);
