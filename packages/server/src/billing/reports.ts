/** @file Reports: what projects used and what it cost, by windows and groups, with the lines that prove it. */
import {
  AppError,
  meters,
  type ProjectId,
  type UsageLine,
  type UsageQuery,
  type UsageReport,
  type UsageRow,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { platformCurrency } from "./currency.ts";
import { PriceBook } from "./price-book.ts";
import { type RatedLine, type RatedRow, type RatedUsage, rate } from "./rating.ts";
import { type RatableQuestion, readRatable } from "./reading.ts";
import { databaseNow, listPrices, toEntry } from "./store.ts";
import { countWindows, cutWindow, type Span } from "./windows.ts";

/** Bounds of one report. */
const maxWindows = 10_000;
const maxSums = 50_000;
const defaultSpanMs = 30 * 86_400_000;

/**
 * Rates usage, each event at the price in force when it was admitted.
 * @throws AppError `request.invalid` when the span is empty or has more windows or groups than one report holds.
 */
export async function ratedUsage(db: Database, question: Omit<RatableQuestion, "limit">): Promise<RatedUsage> {
  const { from, to, window } = question;
  if (from >= to) throw new AppError("request.invalid", "from: expected a time before `to`.");
  if (window !== null && countWindows(question, window) > maxWindows) throw tooLarge(`${maxWindows} windows`);
  // One view of prices and use: else a month would be rated by what came between two questions.
  const ratable = await db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (snapshot) => {
      const book = new PriceBook((await listPrices(snapshot)).map(toEntry));
      return await readRatable(snapshot, book, { ...question, limit: maxSums });
    });
  for (const sums of [ratable.sums, ratable.before, ratable.everything ?? []])
    if (sums.length > maxSums) throw tooLarge(`${maxSums} rows`);
  return rate(ratable, {
    minorDigits: platformCurrency.minorDigits,
    ...(window === null ? { rowWindow: () => from } : {}),
  });
}

/** The report that a query of the API asks for, over some projects. */
export async function usageReport(
  db: Database,
  projectIds: readonly ProjectId[],
  query: UsageQuery,
): Promise<UsageReport> {
  const span = await spanOf(db, query);
  const window = query.window ?? null;
  const groups = [...new Set(query.group_by)];
  const rated = await ratedUsage(db, { ...span, projectIds, window, groups, meter: query.meter ?? null });
  const toRow = (row: RatedRow): UsageRow => {
    const cut = window === null ? span : cutWindow(row.windowStart, window, span);
    return {
      window_start: cut.from.toISOString(),
      window_end: cut.to.toISOString(),
      meter: row.meter,
      unit: unitOf(row.meter),
      group: Object.fromEntries(groups.map((group, index) => [group, row.group[index] ?? null])),
      events: row.events,
      quantity: row.quantity,
      amount: row.amount,
      price_ids: [...row.priceIds],
      unpriced_events: row.unpricedEvents,
    };
  };
  return {
    object: "usage",
    from: span.from.toISOString(),
    to: span.to.toISOString(),
    currency: platformCurrency.code,
    data: rated.rows.map(toRow),
    lines: rated.lines.map((line) => toLine(line, span)),
    total: rated.total,
    exact_total: rated.exactTotal,
    lines_total: rated.linesTotal,
    unpriced_events: rated.unpricedEvents,
  };
}

async function spanOf(db: Database, query: UsageQuery): Promise<Span> {
  const to = query.to === undefined ? await databaseNow(db) : new Date(query.to);
  const from = query.from === undefined ? new Date(to.getTime() - defaultSpanMs) : new Date(query.from);
  return { from, to };
}

function toLine(line: RatedLine, span: Span): UsageLine {
  const period = cutWindow(line.month, "month", span);
  return {
    project_id: line.projectId,
    meter: line.meter,
    unit: unitOf(line.meter),
    price_id: line.priceId,
    period_start: period.from.toISOString(),
    period_end: period.to.toISOString(),
    events: line.events,
    quantity: line.quantity,
    amount: line.amount,
    rounded_amount: line.roundedAmount,
  };
}

/** Of a meter of one's own, none is known here. */
const unitOf = (meter: string): string => (isMeter(meter) ? meters[meter].unit : "");

const isMeter = (name: string): name is keyof typeof meters => Object.hasOwn(meters, name);

const tooLarge = (bound: string): AppError =>
  new AppError(
    "request.invalid",
    `The report would have more than ${bound}: ask for a shorter span, longer windows or fewer groups.`,
  );
