/** @file The price book as admission asks it: what a claim can cost at most, and what recorded use counts as. */
import Big from "big.js";
import {
  type Claimant,
  type Cost,
  correctionDimension,
  type MeteredQuantity,
  type PriceList,
} from "../metering/index.ts";
import type { PriceBook } from "./price-book.ts";

/** How many events a correction counts as; what is none counts as one. */
const correctedEvents: Readonly<Record<string, Big>> = { whole: new Big(-1), part: new Big(0) };
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
    const events = correctedEvents[dimensions[correctionDimension] ?? ""] ?? one;
    return { priceId: price.id, amount: price.tariff.mostOf({ quantity: exact, events }).toFixed() };
  };
  return { bound: costOf, costOf };
}
