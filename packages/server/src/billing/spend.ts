/** @file What was spent, as budgets ask: exact, by the month's sum where a price depends on it. */
import Big from "big.js";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import { amountsOf } from "./amounts.ts";
import { PriceBook } from "./price-book.ts";
import { type RatableQuestion, readRatable } from "./reading.ts";
import { listPrices, toEntry } from "./store.ts";
import type { Span } from "./windows.ts";

/** What projects, or some keys of theirs, used in a span. */
export type SpendQuestion = Span & Pick<RatableQuestion, "projectIds" | "keyIds">;

/** What it cost. */
export interface Spend {
  /** Exact decimal, of all that has a price. */
  readonly amount: string;
  /** Events without a price in force: what they cost is not known. */
  readonly unpricedEvents: number;
}

/** Sums at most: one for each project, price and month. */
const maxSums = 1_000_000;

/** Rates a span as reports do, without rounding. Within a transaction it sees what the transaction sees. */
export async function spendOf(db: Database | Transaction<unknown>, question: SpendQuestion): Promise<Spend> {
  const book = new PriceBook((await listPrices(db)).map(toEntry));
  const ratable = await readRatable(db, book, { ...question, window: null, groups: [], meter: null, limit: maxSums });
  let amount = new Big(0);
  let unpricedEvents = 0;
  for (const [sum, cost] of amountsOf(ratable)) {
    if (cost === null) unpricedEvents += sum.events;
    else amount = amount.plus(cost);
  }
  return { amount: amount.toFixed(), unpricedEvents };
}
