/** @file Rating: usage and prices in, priced rows and one rounded total out. Pure, exact, and the only arithmetic of money. */
import Big from "big.js";
import type { PriceBook, Priced } from "./price-book.ts";

/** Usage that is alike in window, group and everything that decides its price. */
export interface RatableSum extends Priced {
  readonly windowStart: Date | null;
  readonly group: readonly (string | null)[];
  /** How many of the book's changes lay at or before the admission of these events. */
  readonly priceChangesBefore: number;
  readonly events: number;
  /** Exact decimal. */
  readonly quantity: string;
}

/** Usage of one window, meter and group. */
export interface RatedRow {
  readonly windowStart: Date | null;
  readonly meter: string;
  readonly group: readonly (string | null)[];
  readonly events: number;
  readonly quantity: string;
  /** Exact decimal; null when any event of the row has no price. */
  readonly amount: string | null;
  readonly unpricedEvents: number;
}

/** What usage cost. */
export interface RatedUsage {
  /** In the order in which windows, meters and groups first came. */
  readonly rows: readonly RatedRow[];
  /** Over everything that has a price, rounded half-even to the currency's minor unit: the one rounding there is. */
  readonly total: string;
  /** The total before it was rounded. */
  readonly exactTotal: string;
  readonly unpricedEvents: number;
}

/**
 * Rates usage at the prices in force when it was admitted. An unknown price never counts as zero: its events are counted
 * as unpriced, and their row has no amount. Grouping and windows change the rows and never the total.
 * @param minorDigits digits of the currency after the point, 2 for USD.
 */
export function rate(sums: readonly RatableSum[], book: PriceBook, minorDigits: number): RatedUsage {
  const rows = new Map<string, Row>();
  let total = new Big(0);
  let unpricedEvents = 0;
  for (const sum of sums) {
    const row = rowOf(rows, sum);
    row.events += sum.events;
    row.quantity = row.quantity.plus(sum.quantity);
    const price = book.findAfterChanges(sum, sum.priceChangesBefore);
    if (price === undefined) {
      row.unpricedEvents += sum.events;
      unpricedEvents += sum.events;
      continue;
    }
    const amount = new Big(price.amount).times(sum.quantity);
    row.amount = row.amount.plus(amount);
    total = total.plus(amount);
  }
  return {
    rows: [...rows.values()].map(toRated),
    exactTotal: total.toFixed(),
    total: total.round(minorDigits, Big.roundHalfEven).toFixed(minorDigits),
    unpricedEvents,
  };
}

interface Row extends Pick<RatedRow, "windowStart" | "meter" | "group"> {
  events: number;
  quantity: Big;
  amount: Big;
  unpricedEvents: number;
}

function rowOf(rows: Map<string, Row>, { windowStart, meter, group }: RatableSum): Row {
  const key = JSON.stringify([windowStart, meter, ...group]);
  const known = rows.get(key);
  if (known !== undefined) return known;
  const row = { windowStart, meter, group, events: 0, quantity: new Big(0), amount: new Big(0), unpricedEvents: 0 };
  rows.set(key, row);
  return row;
}

const toRated = (row: Row): RatedRow => ({
  windowStart: row.windowStart,
  meter: row.meter,
  group: row.group,
  events: row.events,
  quantity: row.quantity.toFixed(),
  amount: row.unpricedEvents > 0 ? null : row.amount.toFixed(),
  unpricedEvents: row.unpricedEvents,
});
