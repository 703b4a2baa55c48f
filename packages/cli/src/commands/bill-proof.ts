/**
 * @file A bill checked by somebody who trusts nobody's sums: the single entries of the ledger are added up, each sum is priced by
 * the price book's own words, and the results are compared with the bill's lines. Pure, in exact decimals, and without a
 * line of the server's code.
 */
import type { Price, PriceCharge, UsageLine } from "@gristmill/contract";
import {
  compareDecimals,
  countBegun,
  multiplyDecimals,
  roundDecimal,
  subtractDecimals,
  sumDecimals,
} from "../terminal/decimals.ts";

/** What a proof needs of an entry of the ledger; exports have it. */
export interface LedgerEntry {
  readonly time: string;
  readonly meter: string;
  readonly quantity: string;
  readonly price_id: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** So much use. */
export interface Use {
  readonly quantity: string;
  /** Entries of the ledger, corrections too. */
  readonly events: number;
  /** Events that prices count: one that is taken back counts no more, and setting a quantity right makes none. */
  readonly counted: number;
}

/** What corrections say of themselves, and how many events each counts as. */
const correctedEvents: Readonly<Record<string, number>> = { whole: -1, part: 0 };

const countedOf = ({ dimensions }: LedgerEntry): number =>
  correctedEvents[dimensions["gristmill.correction"] ?? ""] ?? 1;

const noUse: Use = { quantity: "0", events: 0, counted: 0 };

/** One line, as the bill has it and as the entries have it. */
export interface ProvenLine {
  readonly month: string;
  readonly meter: string;
  readonly price_id: string | null;
  readonly billed: { readonly events: number; readonly quantity: string; readonly amount: string | null };
  readonly found: { readonly events: number; readonly quantity: string; readonly amount: string | null };
  readonly agrees: boolean;
}

const keyOf = (month: string, meter: string, price: string | null): string => `${month} ${meter} ${price ?? ""}`;

/** Entries of one project, added up by month, meter and price. */
export class EntrySums {
  readonly #sums = new Map<string, { readonly entry: LedgerEntry; use: Use }>();

  add(entry: LedgerEntry): void {
    const key = keyOf(entry.time.slice(0, 7), entry.meter, entry.price_id);
    const { quantity, events, counted } = this.#sums.get(key)?.use ?? noUse;
    const sum = sumDecimals([quantity, entry.quantity]);
    this.#sums.set(key, { entry, use: { quantity: sum, events: events + 1, counted: counted + countedOf(entry) } });
  }

  /** Compares them with a bill's lines; what stands in only one of the two disagrees. */
  compare(lines: readonly UsageLine[], prices: ReadonlyMap<string, Price>): readonly ProvenLine[] {
    const nothing = { events: 0, quantity: "0", amount: "0" };
    const left = new Map(this.#sums);
    const billed = lines.map((line): ProvenLine => {
      const month = line.period_start.slice(0, 7);
      const key = keyOf(month, line.meter, line.price_id);
      const use = left.get(key)?.use ?? noUse;
      left.delete(key);
      const found = foundOf(use, line.price_id, prices);
      const { meter, price_id, events, quantity, amount, rounded_amount } = line;
      const agrees =
        events === found.events &&
        compareDecimals(quantity, found.quantity) === 0 &&
        sameAmount(amount, found.amount) &&
        sameAmount(rounded_amount, rounded(found.amount, rounded_amount));
      return { month, meter, price_id, billed: { events, quantity, amount }, found, agrees };
    });
    const unbilled = [...left.values()].map(({ entry, use }): ProvenLine => {
      const { meter, price_id } = entry;
      const found = foundOf(use, price_id, prices);
      return { month: entry.time.slice(0, 7), meter, price_id, billed: nothing, found, agrees: false };
    });
    return [...billed, ...unbilled];
  }
}

const foundOf = (use: Use, priceId: string | null, prices: ReadonlyMap<string, Price>): ProvenLine["found"] => ({
  events: use.events,
  quantity: use.quantity,
  amount: amountOf(use, priceId, prices),
});

const sameAmount = (a: string | null, b: string | null): boolean =>
  a === null || b === null ? a === b : compareDecimals(a, b) === 0;

const rounded = (amount: string | null, like: string | null): string | null =>
  amount === null || like === null ? null : roundDecimal(amount, like.split(".")[1]?.length ?? 0);

/** null: no price is in force, or its price is not in the book. */
function amountOf(use: Use, id: string | null, prices: ReadonlyMap<string, Price>): string | null {
  const price = id === null ? undefined : prices.get(id);
  return price === undefined ? null : priceOf(price, use);
}

const negative = (text: string): boolean => compareDecimals(text, "0") < 0;
const larger = (a: string, b: string): string => (compareDecimals(a, b) < 0 ? b : a);
const smaller = (a: string, b: string): string => (compareDecimals(a, b) > 0 ? b : a);

/** What a month's use costs by one price. */
export function priceOf({ charge, free, minimum, maximum }: PriceTerms, { quantity, counted }: Use): string {
  const measured = charge.type === "flat" ? `${counted}` : quantity;
  // Taken back more than used: what it would have cost comes back.
  const size = negative(measured) ? multiplyDecimals(measured, "-1") : measured;
  const paid = larger(subtractDecimals(size, free), "0");
  const curve = compareDecimals(paid, "0") === 0 ? "0" : chargeFor(charge, paid);
  const fixed = charge.type === "percentage" ? multiplyDecimals(charge.fixed, `${counted}`) : "0";
  const amount = sumDecimals([multiplyDecimals(curve, negative(measured) ? "-1" : "1"), fixed]);
  if (counted <= 0) return amount;
  const raised = minimum === null ? amount : larger(amount, minimum);
  return maximum === null ? raised : smaller(raised, maximum);
}

/** What decides an amount. */
export type PriceTerms = Pick<Price, "charge" | "free" | "minimum" | "maximum">;

/** @param paid above zero: use beyond what is free. */
function chargeFor(charge: PriceCharge, paid: string): string {
  switch (charge.type) {
    case "per_unit":
    case "flat":
      return multiplyDecimals(charge.amount, paid);
    case "percentage":
      return multiplyDecimals(charge.rate, paid);
    case "package":
      return multiplyDecimals(charge.amount, countBegun(paid, charge.size));
    case "volume": {
      const tier = charge.tiers.find(({ up_to }) => up_to === null || compareDecimals(paid, up_to) <= 0);
      return tier === undefined ? "0" : sumDecimals([multiplyDecimals(tier.unit, paid), tier.flat]);
    }
    case "graduated": {
      const entered = charge.tiers.filter((_, i) => compareDecimals(charge.tiers[i - 1]?.up_to ?? "0", paid) < 0);
      const parts = entered.map(({ up_to, unit, flat }, i) => {
        const begin = charge.tiers[i - 1]?.up_to ?? "0";
        const end = up_to === null ? paid : smaller(up_to, paid);
        return sumDecimals([multiplyDecimals(unit, subtractDecimals(end, begin)), flat]);
      });
      return sumDecimals(parts);
    }
  }
}
