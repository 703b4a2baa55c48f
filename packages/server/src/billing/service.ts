/** @file Rules of prices and reports. */
import {
  AppError,
  type CreatePrice,
  type ListQuery,
  meters,
  type Page,
  type Price,
  type ProjectId,
  type UsageQuery,
  type UsageReport,
  type UsageRow,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import { sumUsage } from "../metering/index.ts";
import { platformCurrency } from "./currency.ts";
import { PriceBook } from "./price-book.ts";
import { type RatedRow, rate } from "./rating.ts";
import { type DatedPriceRow, databaseNow, insertPrice, listPrices, withPriceBook } from "./store.ts";
import { countWindows, cutWindow, type Span } from "./windows.ts";

/** Bounds of one report. */
const maxWindows = 10_000;
const maxSums = 50_000;
const defaultSpanMs = 30 * 86_400_000;

/** Prices of the platform, and what a project's usage cost by them. */
export class BillingService {
  readonly #db: Database;
  readonly #newId: NewId;

  constructor(db: Database, newId: NewId) {
    this.#db = db;
    this.#newId = newId;
  }

  /** A page of the price book, in the order in which prices were added. */
  async listPrices({ limit, after, order }: ListQuery): Promise<Page<Price>> {
    const all = await listPrices(this.#db);
    const inOrder = order === "asc" ? all : all.toReversed();
    const start = after === undefined ? 0 : inOrder.findIndex((price) => price.id === after) + 1;
    if (after !== undefined && start === 0) throw new AppError("request.invalid", `after: no price "${after}".`);
    return pageOf(inOrder.slice(start, start + limit + 1), limit, toWire);
  }

  /**
   * Adds a price, which ends the one before it. What was admitted keeps its price: the new one begins in the future, at
   * the earliest with the next millisecond of the database's clock.
   * @throws AppError `price.conflict` when it would begin in the past, or not after the last of its kind.
   */
  createPrice({ meter, model, hardware, amount, effective_from }: CreatePrice): Promise<Price> {
    return withPriceBook(this.#db, async (transaction) => {
      const soonest = new Date((await databaseNow(transaction)).getTime() + 1);
      const effectiveFrom = effective_from === undefined ? soonest : new Date(effective_from);
      if (effectiveFrom < soonest)
        throw new AppError("price.conflict", "effective_from lies in the past: leave it out for a price from now on.");
      const last = (await listPrices(transaction)).findLast(
        (price) =>
          price.meter === meter &&
          price.model === model &&
          price.hardware === hardware &&
          price.effective_from >= effectiveFrom,
      );
      if (last !== undefined)
        throw new AppError(
          "price.conflict",
          `A price of the same meter, model and hardware begins at ${last.effective_from.toISOString()}: expected a later effective_from.`,
          { details: { price: last.id } },
        );
      const row = {
        id: this.#newId("price"),
        meter,
        model,
        hardware,
        amount,
        currency: platformCurrency.code,
        effective_from: effectiveFrom,
      };
      await insertPrice(transaction, row);
      return toWire({ ...row, effective_to: null });
    });
  }

  /**
   * A project's usage, each event at the price in force when it was admitted.
   * @throws AppError `request.invalid` when the span is empty or has more windows or groups than one report holds.
   */
  async usage(projectId: ProjectId, query: UsageQuery): Promise<UsageReport> {
    const span = await this.#spanOf(query);
    const unit = query.window ?? null;
    if (unit !== null && countWindows(span, unit) > maxWindows) throw tooLarge(`${maxWindows} windows`);
    const groups = [...new Set(query.group_by)];
    const book = new PriceBook((await listPrices(this.#db)).map(toEntry));
    const sums = await sumUsage(this.#db, {
      ...span,
      projectIds: [projectId],
      window: unit,
      groups,
      meter: query.meter ?? null,
      priceChanges: book.changes,
      limit: maxSums,
    });
    if (sums.length > maxSums) throw tooLarge(`${maxSums} rows`);
    const rated = rate(sums, book, platformCurrency.minorDigits);
    const toUsageRow = (row: RatedRow): UsageRow => {
      const window = row.windowStart === null || unit === null ? span : cutWindow(row.windowStart, unit, span);
      return {
        window_start: window.from.toISOString(),
        window_end: window.to.toISOString(),
        meter: row.meter,
        unit: isMeter(row.meter) ? meters[row.meter].unit : "",
        group: Object.fromEntries(groups.map((group, index) => [group, row.group[index] ?? null])),
        events: row.events,
        quantity: row.quantity,
        amount: row.amount,
        unpriced_events: row.unpricedEvents,
      };
    };
    return {
      object: "usage",
      from: span.from.toISOString(),
      to: span.to.toISOString(),
      currency: platformCurrency.code,
      data: rated.rows.map(toUsageRow),
      total: rated.total,
      exact_total: rated.exactTotal,
      unpriced_events: rated.unpricedEvents,
    };
  }

  async #spanOf(query: UsageQuery): Promise<Span> {
    const to = query.to === undefined ? await databaseNow(this.#db) : new Date(query.to);
    const from = query.from === undefined ? new Date(to.getTime() - defaultSpanMs) : new Date(query.from);
    if (from >= to) throw new AppError("request.invalid", "from: expected a time before `to`.");
    return { from, to };
  }
}

const tooLarge = (bound: string): AppError =>
  new AppError(
    "request.invalid",
    `The report would have more than ${bound}: ask for a shorter span, longer windows or fewer groups.`,
  );

const isMeter = (name: string): name is keyof typeof meters => Object.hasOwn(meters, name);

const toEntry = (row: DatedPriceRow) => ({ ...row, effectiveFrom: row.effective_from });

const toWire = (row: DatedPriceRow): Price => ({
  id: row.id,
  object: "price",
  meter: row.meter,
  model: row.model,
  hardware: row.hardware,
  amount: row.amount,
  currency: row.currency,
  effective_from: row.effective_from.toISOString(),
  effective_to: row.effective_to?.toISOString() ?? null,
});
