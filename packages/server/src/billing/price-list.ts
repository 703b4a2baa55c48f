/** @file The price book as admission asks it: what a claim can cost at most, and what recorded use counts as. */
import Big from "big.js";
import {
  type Claimant,
  type Cost,
  correctionDimension,
  type MeteredQuantity,
  type PriceList,
} from "../metering/index.ts";
import type { BookedPrice, PriceBook } from "./price-book.ts";

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
    return dearest([book.find(priced, at)], quantity, dimensions);
  };
  const bound = (claimant: Claimant, wanted: MeteredQuantity, at: Date): Cost => {
    const { meter, quantity, dimensions } = wanted;
    // Which model a deployment will answer with is known only when it has: until then it may be the dearest.
    const isOpen = dimensions["deployment"] !== undefined && dimensions["model"] === undefined;
    if (!isOpen) return costOf(claimant, wanted, at);
    return dearest(book.findForAnyModel({ meter, hardware: dimensions["hardware"] ?? null }, at), quantity, dimensions);
  };
  return { bound, costOf };
}

/** The most that so much costs by any of these prices; of none, it is unknown. */
function dearest(
  prices: readonly (BookedPrice | undefined)[],
  quantity: MeteredQuantity["quantity"],
  dimensions: MeteredQuantity["dimensions"],
): Cost {
  const events = correctedEvents[dimensions[correctionDimension] ?? ""] ?? one;
  const use = { quantity: new Big(String(quantity)), events };
  let most: { readonly id: string; readonly amount: Big } | undefined;
  for (const price of prices) {
    const amount = price?.tariff.mostOf(use);
    if (price !== undefined && amount !== undefined && (most === undefined || amount.gt(most.amount)))
      most = { id: price.id, amount };
  }
  return { priceId: most?.id ?? null, amount: most?.amount.toFixed() ?? null };
}
