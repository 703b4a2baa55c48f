/** @file What each sum of usage costs. Pure and exact. */
import Big from "big.js";
import { sharesOf } from "./shares.ts";
import type { Tariff, Use } from "./tariff.ts";
import { monthOf } from "./windows.ts";

/** Usage that is alike in project, window, group and price. */
export interface RatableSum {
  readonly projectId: string;
  /** In one calendar month: windows are months at most. */
  readonly windowStart: Date;
  readonly meter: string;
  readonly group: readonly (string | null)[];
  /** null: no price is in force; that never counts as zero. */
  readonly priceId: string | null;
  readonly events: number;
  /** Events that count for prices for each event: those taken back count against the others. */
  readonly countedEvents: number;
  /** Exact decimal. */
  readonly quantity: string;
}

/** What is to be rated. */
export interface Ratable {
  readonly sums: readonly RatableSum[];
  /** All use in the windows of `sums`, when `sums` are only a part of it (of some keys). */
  readonly everything?: readonly RatableSum[];
  /** What was used in the first month before the first window began. */
  readonly before: readonly RatableSum[];
  readonly tariffOf: (priceId: string) => Tariff;
}

/** A sum and what it costs; null: unknown. */
export type RatedSum = readonly [RatableSum, Big | null];

/** A project's use by one price in one window, and what it adds to its month. */
interface Cell {
  readonly tariff: Tariff;
  readonly windowStart: Date;
  /** Of a project and price in a month. */
  readonly month: string;
  use: Use;
  amount: Big;
  readonly parts: RatableSum[];
}

const nothing: Use = { quantity: new Big(0), events: new Big(0) };

/**
 * Rates each sum. An additive tariff rates it alone. Any other looks at the project's month: a window costs what it adds
 * to the month's amount, and its sums share that by what they used. So neither windows nor groups nor the order change
 * what all of them cost, and the parts of a span add up to the span.
 */
export function amountsOf({ sums, everything, before, tariffOf }: Ratable): readonly RatedSum[] {
  const rated: RatedSum[] = [];
  const cells = new Map<string, Cell>();
  const cellOf = (sum: RatableSum, tariff: Tariff): Cell => {
    const key = JSON.stringify([sum.projectId, sum.priceId, sum.windowStart]);
    const month = JSON.stringify([sum.projectId, sum.priceId, monthOf(sum.windowStart)]);
    const { windowStart } = sum;
    const cell = cells.get(key) ?? { tariff, windowStart, month, use: nothing, amount: new Big(0), parts: [] };
    cells.set(key, cell);
    return cell;
  };
  const sharedTariff = ({ priceId }: RatableSum): Tariff | undefined => {
    const tariff = priceId === null ? undefined : tariffOf(priceId);
    return tariff?.isAdditive === false ? tariff : undefined;
  };
  for (const sum of sums) {
    const shared = sharedTariff(sum);
    if (shared !== undefined) cellOf(sum, shared).parts.push(sum);
    else rated.push([sum, sum.priceId === null ? null : tariffOf(sum.priceId).amountOf(useOf(sum))]);
  }
  for (const sum of everything ?? sums) {
    const shared = sharedTariff(sum);
    if (shared === undefined) continue;
    const cell = cellOf(sum, shared);
    cell.use = together(cell.use, useOf(sum));
  }
  const earlier = before.filter((sum) => sharedTariff(sum) !== undefined);
  rateWindows([...cells.values()], earlier);
  for (const cell of cells.values()) rated.push(...divided(cell));
  return rated;
}

/** Gives each cell what it adds to its month. */
function rateWindows(cells: readonly Cell[], earlier: readonly RatableSum[]): void {
  const months = new Map<string, Use>();
  const add = (month: string, use: Use): Use => {
    const sum = together(months.get(month) ?? nothing, use);
    months.set(month, sum);
    return sum;
  };
  for (const sum of earlier) add(JSON.stringify([sum.projectId, sum.priceId, monthOf(sum.windowStart)]), useOf(sum));
  for (const cell of cells.toSorted((a, b) => a.windowStart.getTime() - b.windowStart.getTime())) {
    const { tariff, month } = cell;
    const until = months.get(month) ?? nothing;
    cell.amount = tariff.amountOf(add(month, cell.use)).minus(tariff.amountOf(until));
  }
}

/** A cell's parts with their shares. What others used of it takes its share too, which is not asked for. */
function divided({ tariff, use, amount, parts }: Cell): readonly RatedSum[] {
  if (parts.length === 0) return [];
  const inOrder = parts.toSorted((a, b) => compare(JSON.stringify(a.group), JSON.stringify(b.group)));
  const weights = inOrder.map((part) => useOf(part)[tariff.measure]);
  const others = weights.reduce((rest, weight) => rest.minus(weight), use[tariff.measure]);
  const shares = sharesOf(amount, others.eq(0) ? weights : [...weights, others]);
  return inOrder.map((part, index) => [part, shares[index] ?? new Big(0)]);
}

/** Ascending by the characters' codes. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const useOf = ({ quantity, countedEvents }: RatableSum): Use => ({
  quantity: new Big(quantity),
  events: new Big(countedEvents),
});

const together = (a: Use, b: Use): Use => ({
  quantity: a.quantity.plus(b.quantity),
  events: a.events.plus(b.events),
});
