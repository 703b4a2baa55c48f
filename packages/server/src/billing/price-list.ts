/** @file The price book as admission asks it: what a claim can cost at most, and what recorded use counts as. */
import Big from "big.js";
import type { Claimant, Cost, MeteredQuantity, PriceList } from "../metering/index.ts";
import type { PriceBook } from "./price-book.ts";

const one = new Big(1);

/**
 * Answers from memory. Every project pays the same prices, so the claimant decides nothing; what it has used in the month
 * is not known here, so a charge that depends on it counts as the most that it can add. Their sum is never below the
 * month's amount, which reports and budgets find by rating the month.
 */
export function priceListOf(book: PriceBook): PriceList {
  const costOf = (_claimant: Claimant, { meter, quantity, dimensions }: MeteredQuantity, at: Date): Cost => {
    const priced = { meter, model: dimensions["model"] ?? null, hardware: dimensions["hardware"] ?? null };
    const price = book.find(priced, at);
    if (price === undefined) return { priceId: null, amount: null };
    const exact = new Big(String(quantity));
    const events = exact.lt(0) ? one.times(-1) : one;
    return { priceId: price.id, amount: price.tariff.mostOf({ quantity: exact, events }).toFixed() };
  };
  return { bound: costOf, costOf };
}
