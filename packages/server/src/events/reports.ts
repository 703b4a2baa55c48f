/** @file Rules of asking a meter: which groups and filters it has, and how much one answer holds. */
import { AppError, type MeterQuery, type MeterReport, type ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { WindowUnit } from "../metering/index.ts";
import { askMeter } from "./meter-report.ts";
import type { AnyMeter, Meters } from "./meters.ts";

/** Bounds of one answer. */
const most = { windows: 10_000, rows: 10_000 };
const defaultSpanMs = 30 * 86_400_000;

/** Unit lengths in milliseconds; a month at its shortest. */
const shortest: Record<WindowUnit, number> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 28 * 86_400_000,
};

const filterPrefix = "filter.";

/** What reports are made from. */
export interface ReportsDeps {
  readonly db: Database;
  readonly meters: Meters;
  readonly now: () => Date;
}

/** Answers of meters. */
export class Reports {
  readonly #deps: ReportsDeps;

  constructor(deps: ReportsDeps) {
    this.#deps = deps;
  }

  /** @throws AppError `meter.not_found`; `request.invalid` when it asks for what the meter has not, or for too much. */
  async ask(projectId: ProjectId, idOrName: string, query: MeterQuery): Promise<MeterReport> {
    const { db, meters, now } = this.#deps;
    const meter = await meters.asked(projectId, idOrName);
    const at = now();
    const to = query.to === undefined ? at : new Date(query.to);
    const from = query.from === undefined ? new Date(to.getTime() - defaultSpanMs) : new Date(query.from);
    if (from >= to) throw invalid("from: expected a time before `to`");
    const window = query.window ?? null;
    if (window !== null && (to.getTime() - from.getTime()) / shortest[window] > most.windows)
      throw tooMuch(`${most.windows} windows`);
    const groups = namesIn(meter, "group_by", query.group_by);
    const filters = filtersIn(meter, query);
    const span = { from, to };
    const { name, aggregation, unit } = meter;
    const question = {
      ...span,
      projectId,
      meter: name,
      aggregation,
      window,
      groups,
      filters,
      now: at,
      limit: most.rows,
    };
    const answers = await askMeter(db, question);
    if (answers.length > most.rows) throw tooMuch(`${most.rows} rows`);
    return {
      object: "meter.report",
      meter: name,
      aggregation,
      unit: aggregation === "count" || aggregation === "unique_count" ? "1" : unit,
      from: from.toISOString(),
      to: to.toISOString(),
      data: answers.map(({ windowStart, group, events, value }) => ({
        window_start: (windowStart === null || windowStart < from ? from : windowStart).toISOString(),
        window_end: endOf(windowStart, window, to).toISOString(),
        group: Object.fromEntries(groups.map((each, index) => [each, group[index] ?? null])),
        events,
        value,
      })),
    };
  }
}

function filtersIn(meter: AnyMeter, query: MeterQuery): Readonly<Record<string, string>> {
  const given = Object.entries(query).filter(([name]) => !["from", "to", "window", "group_by"].includes(name));
  const unknown = given.find(([name]) => !name.startsWith(filterPrefix));
  if (unknown !== undefined) throw invalid(`query: unknown field ${unknown[0]}`);
  const filters = given.map(([name, value]) => [name.slice(filterPrefix.length), value as string] as const);
  namesIn(
    meter,
    "filter",
    filters.map(([name]) => name),
  );
  return Object.fromEntries(filters);
}

/** The names, each once. A gauge's series are its dimensions, whoever reported them. */
function namesIn(meter: AnyMeter, where: string, names: readonly string[]): readonly string[] {
  const known = [...meter.dimensions, ...(meter.aggregation === "time_weighted" ? [] : ["key"])];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalid(`${where}: ${meter.name} has no "${unknown}", but ${known.join(", ") || "none"}`);
  return [...new Set(names)];
}

/** UTC has no summer time, so only months differ in length. */
function endOf(start: Date | null, unit: WindowUnit | null, to: Date): Date {
  if (start === null || unit === null) return to;
  const end =
    unit === "month"
      ? new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1))
      : new Date(start.getTime() + shortest[unit]);
  return end < to ? end : to;
}

const invalid = (message: string): AppError => new AppError("request.invalid", `${message}.`);

const tooMuch = (bound: string): AppError =>
  invalid(`The answer would take more than ${bound}: ask for a shorter span, longer windows or fewer groups`);
