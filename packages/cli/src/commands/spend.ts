/** @file A report's amounts as bars: one a day or a model, made of parts where a second group is asked for. Pure. */
import type { UsageReport, UsageRow } from "@gristmill/contract";
import { compareDecimals, sumDecimals } from "../terminal/decimals.ts";
import type { Paint } from "../terminal/paint.ts";
import { mostParts, type Stack, stackedChart } from "../terminal/stacks.ts";
import { formatDecimal, formatTime } from "../terminal/words.ts";

/** Windows that can be bars. */
export const chartWindows = ["hour", "day", "month"] as const;
/** A window that can be a bar. */
export type ChartWindow = (typeof chartWindows)[number];

/** What the bars are, and what they are made of. */
export interface SpendView {
  /** A window's size, or one of the report's groups. */
  readonly by: string;
  /** One of the report's groups; undefined: plain bars. */
  readonly split: string | undefined;
}

/** More bars of time than this are shown only where something was spent. */
const mostEmptyBars = 62;

const isWindow = (by: string): by is ChartWindow => (chartWindows as readonly string[]).includes(by);

const labelOf = (row: UsageRow, by: string): string =>
  isWindow(by) ? windowLabel(row.window_start, by) : (by === "meter" ? row.meter : row.group[by]) || "–";

const windowLabel = (start: string, window: ChartWindow): string =>
  formatTime(start).slice(0, { hour: 16, day: 10, month: 7 }[window]);

/** Amounts of each name of one group, largest first. */
function totals(rows: readonly UsageRow[], name: (row: UsageRow) => string): readonly (readonly [string, string])[] {
  const amounts = new Map<string, string[]>();
  for (const row of rows) {
    const known = amounts.get(name(row));
    if (known === undefined) amounts.set(name(row), [row.amount ?? "0"]);
    else known.push(row.amount ?? "0");
  }
  return [...amounts]
    .map(([key, values]) => [key, sumDecimals(values)] as const)
    .toSorted(([, a], [, b]) => compareDecimals(b, a));
}

/** Every window of the span, also those without use: a pause is something to see. */
function windowLabels({ from, to }: UsageReport, window: ChartWindow, used: readonly string[]): readonly string[] {
  const labels: string[] = [];
  const at = new Date(
    `${windowLabel(from, window)}${{ hour: "Z", day: "T00:00Z", month: "-01T00:00Z" }[window]}`.replace(" ", "T"),
  );
  at.setUTCMinutes(0);
  while (at.getTime() < Date.parse(to)) {
    if (labels.length === mostEmptyBars) return used.toSorted();
    labels.push(windowLabel(at.toISOString(), window));
    if (window === "hour") at.setUTCHours(at.getUTCHours() + 1);
    else if (window === "day") at.setUTCDate(at.getUTCDate() + 1);
    else at.setUTCMonth(at.getUTCMonth() + 1);
  }
  return labels;
}

/** The chart, its legend, and the total. */
export function spendText(report: UsageReport, { by, split }: SpendView, paint: Paint, columns: number): string {
  const { data, currency, total, exact_total, unpriced_events } = report;
  const span = `${formatTime(report.from)} to ${formatTime(report.to)} UTC`;
  if (data.length === 0) return `No usage from ${span}.`;
  const bars = totals(data, (row) => labelOf(row, by));
  const names = split === undefined ? [] : totals(data, (row) => labelOf(row, split));
  const own = names.slice(0, names.length > mostParts ? mostParts : undefined);
  const others = names.slice(own.length);
  const partOf = (name: string): number => {
    const at = own.findIndex(([known]) => known === name);
    return at === -1 ? own.length : at;
  };
  const stackOf = (label: string, amount: string): Stack => {
    const parts = Array.from({ length: Math.max(1, own.length + (others.length > 0 ? 1 : 0)) }, () => 0);
    for (const row of data)
      if (labelOf(row, by) === label) {
        const part = split === undefined ? 0 : partOf(labelOf(row, split));
        parts[part] = (parts[part] ?? 0) + Number(row.amount ?? 0);
      }
    return { label, parts, text: amount === "0" ? paint("faint", "0") : formatDecimal(amount) };
  };
  const amounts = new Map(bars);
  const labels = isWindow(by) ? windowLabels(report, by, [...amounts.keys()]) : bars.map(([label]) => label);
  const legend = [
    ...own,
    ...(others.length > 0
      ? [[`${others.length} others`, sumDecimals(others.map(([, amount]) => amount))] as const]
      : []),
  ];
  const rounded = /[1-9]/.test(total) ? "" : ` (${exact_total} before rounding)`;
  return [
    stackedChart(
      labels.map((label) => stackOf(label, amounts.get(label) ?? "0")),
      legend.map(([name, amount]) => ({ name, text: formatDecimal(amount) })),
      columns,
      paint,
    ),
    "",
    `  ${paint("strong", `total ${total} ${currency}${rounded}`)}  ${paint("faint", span)}`,
    ...(unpriced_events > 0
      ? [
          paint(
            "warning",
            `  ${unpriced_events} events have no price in force, and are in no bar: gristmill price create`,
          ),
        ]
      : []),
  ].join("\n");
}
