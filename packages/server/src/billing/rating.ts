/** @file Rating: usage and prices in; priced rows, bill lines and one total out. Pure and exact. */
import Big from "big.js";
import { amountsOf, compare, type Ratable, type RatableSum } from "./amounts.ts";
import { monthOf } from "./windows.ts";

/** What rows and lines say alike. */
interface Rated {
  readonly meter: string;
  readonly events: number;
  readonly quantity: string;
  /** Exact decimal; null when any of the events has no price. */
  readonly amount: string | null;
}

/** Usage of one window, meter and group. */
export interface RatedRow extends Rated {
  readonly windowStart: Date;
  readonly group: readonly (string | null)[];
  /** Exact decimal, of the events that have a price. */
  readonly pricedAmount: string;
  /** The prices that made the amount. */
  readonly priceIds: readonly string[];
  readonly unpricedEvents: number;
}

/** One project's use by one price in one calendar month. */
export interface RatedLine extends Rated {
  readonly projectId: string;
  readonly month: Date;
  readonly priceId: string | null;
  /** Half-even, to the currency's minor unit: the one rounding of a bill. */
  readonly roundedAmount: string | null;
}

/** What usage cost. */
export interface RatedUsage {
  /** By window, meter and group. */
  readonly rows: readonly RatedRow[];
  /** By project, month, meter and price. */
  readonly lines: readonly RatedLine[];
  /** Over everything that has a price, rounded half-even to the currency's minor unit, once. */
  readonly total: string;
  /** The total before it was rounded: all lines together. */
  readonly exactTotal: string;
  /** The lines' rounded amounts together. */
  readonly linesTotal: string;
  readonly unpricedEvents: number;
}

/** How rows and amounts are made. */
export interface RatingForm {
  /** Digits of the currency after the point, 2 for USD. */
  readonly minorDigits: number;
  /** The window in whose row a sum goes; default: its own. */
  readonly rowWindow?: (sum: RatableSum) => Date;
}

/**
 * Rates usage at the prices in force when it was admitted. An unknown price never counts as zero: its events are counted
 * as unpriced, and their row has no amount. Grouping and windows change the rows and never the lines or the total.
 */
export function rate(ratable: Ratable, { minorDigits, rowWindow = (sum) => sum.windowStart }: RatingForm): RatedUsage {
  const rows = new Map<string, Heap>();
  const lines = new Map<string, Heap>();
  for (const [sum, amount] of amountsOf(ratable)) {
    const window = rowWindow(sum);
    const month = monthOf(sum.windowStart);
    pile(rows, [timeKey(window), sum.meter, ...sum.group.map(groupKey)], window, sum, amount);
    pile(lines, [sum.projectId, timeKey(month), sum.meter, groupKey(sum.priceId)], month, sum, amount);
  }
  const rounded = (amount: Big): Big => amount.round(minorDigits, Big.roundHalfEven);
  const bill = inOrder(lines);
  const exactTotal = bill.reduce((total, { amount }) => total.plus(amount), new Big(0));
  const linesTotal = bill.reduce((total, { amount }) => total.plus(rounded(amount)), new Big(0));
  return {
    rows: inOrder(rows).map((heap) => ({
      ...toRated(heap),
      windowStart: heap.window,
      group: heap.first.group,
      pricedAmount: heap.amount.toFixed(),
      priceIds: [...heap.priceIds].toSorted(),
      unpricedEvents: heap.unpricedEvents,
    })),
    lines: bill.map((heap) => ({
      ...toRated(heap),
      projectId: heap.first.projectId,
      month: heap.window,
      priceId: heap.first.priceId,
      roundedAmount: heap.unpricedEvents > 0 ? null : rounded(heap.amount).toFixed(minorDigits),
    })),
    exactTotal: exactTotal.toFixed(),
    total: rounded(exactTotal).toFixed(minorDigits),
    linesTotal: linesTotal.toFixed(minorDigits),
    unpricedEvents: bill.reduce((count, { unpricedEvents }) => count + unpricedEvents, 0),
  };
}

/** Sums that make one row or line. */
interface Heap {
  readonly key: string;
  readonly first: RatableSum;
  readonly window: Date;
  readonly priceIds: Set<string>;
  events: number;
  quantity: Big;
  amount: Big;
  unpricedEvents: number;
}

function pile(
  heaps: Map<string, Heap>,
  keys: readonly string[],
  window: Date,
  sum: RatableSum,
  amount: Big | null,
): void {
  const key = keys.join("\0");
  const heap = heaps.get(key) ?? {
    key,
    first: sum,
    window,
    priceIds: new Set(),
    events: 0,
    quantity: new Big(0),
    amount: new Big(0),
    unpricedEvents: 0,
  };
  heaps.set(key, heap);
  heap.events += sum.events;
  heap.quantity = heap.quantity.plus(sum.quantity);
  if (amount === null) heap.unpricedEvents += sum.events;
  else heap.amount = heap.amount.plus(amount);
  if (sum.priceId !== null) heap.priceIds.add(sum.priceId);
}

const inOrder = (heaps: ReadonlyMap<string, Heap>): readonly Heap[] =>
  [...heaps.values()].toSorted((a, b) => compare(a.key, b.key));

const toRated = ({ first, events, quantity, amount, unpricedEvents }: Heap): Rated => ({
  meter: first.meter,
  events,
  quantity: quantity.toFixed(),
  amount: unpricedEvents > 0 ? null : amount.toFixed(),
});

/** RFC 3339 texts of one form sort as their times do. */
const timeKey = (time: Date): string => time.toISOString();

/** What a sum lacks comes last. Values hold no U+0000, so that keys are never alike by chance. */
const groupKey = (value: string | null): string => (value === null ? "2" : `1${value}`);
