import type { UsageEvent, UsageGroup, UsageReport, UsageRow } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { type ChartLine, chart } from "../terminal/bars.ts";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatCount, formatDecimal, formatTime } from "../terminal/words.ts";
import { type OpenSession, verb, wholeNumber } from "./command.ts";

interface UsageFlags {
  readonly from?: string;
  readonly to?: string;
  readonly window?: "minute" | "hour" | "day" | "month";
  readonly groupBy?: string;
  readonly meter?: string;
  readonly events?: boolean;
  readonly limit: number;
}

const labelOf = (row: UsageRow, hasWindows: boolean): string => {
  const names = Object.entries(row.group)
    .filter(([group]) => group !== "meter")
    .map(([, value]) => value ?? "–");
  return [...(hasWindows ? [formatTime(row.window_start)] : []), row.meter, ...names].join("  ");
};

/** The priced lines and, where more than one costs something, a chart of the spend. Pure. */
export function usageText(report: UsageReport, paint: Paint, columns: number): string {
  const { data, currency, total, unpriced_events } = report;
  if (data.length === 0) return `No usage from ${formatTime(report.from)} to ${formatTime(report.to)}.`;
  const hasWindows = new Set(data.map(({ window_start }) => window_start)).size > 1;
  const groups = Object.keys(data[0]?.group ?? {}).filter((group) => group !== "meter");
  const lines = table(
    [
      ...(hasWindows ? [{ head: "from" }] : []),
      { head: "meter" },
      ...groups.map((head) => ({ head })),
      { head: "quantity", align: "right" as const },
      { head: "unit" },
      { head: "events", align: "right" as const },
      { head: `amount ${currency}`, align: "right" as const },
    ],
    data.map((row) => [
      ...(hasWindows ? [formatTime(row.window_start)] : []),
      row.meter,
      ...groups.map((group) => row.group[group] ?? "–"),
      formatDecimal(row.quantity),
      row.unit,
      formatCount(row.events),
      row.amount ?? paint("warning", "no price"),
    ]),
    paint,
  );
  const spend: ChartLine[] = data.map((row) => ({
    label: labelOf(row, hasWindows),
    value: Number(row.amount ?? 0),
    text: row.amount ?? "no price",
  }));
  const unpriced = paint(
    "warning",
    `  ${unpriced_events} events have no price in force: add one with \`gristmill price create\`.`,
  );
  return [
    lines,
    `  ${paint("strong", `total ${total} ${currency}${/[1-9]/.test(total) ? "" : ` (${report.exact_total} before rounding)`}`)}  ${paint("faint", `${formatTime(report.from)} to ${formatTime(report.to)} UTC`)}`,
    ...(unpriced_events > 0 ? [unpriced] : []),
    ...(spend.some(({ value }) => value > 0) ? ["", chart(spend, columns, paint)] : []),
  ].join("\n");
}

const eventRow = (event: UsageEvent): string[] => [
  formatTime(event.time),
  event.meter,
  formatDecimal(event.quantity),
  Object.entries(event.dimensions)
    .filter(([name]) => !name.endsWith("_version"))
    .map(([name, value]) => `${name}=${value}`)
    .join(" "),
];

/** `gristmill usage` */
export function usageCommand(open: OpenSession): Command {
  const usage = verb("usage", "What was used, and what it cost", [
    "gristmill usage",
    "gristmill usage --window day --from 2026-11-01T00:00:00Z",
    "gristmill usage --group-by meter,model,key",
    "gristmill usage --events --limit 10",
  ])
    .option("--from <time>", "begin, RFC 3339 (default: 30 days ago)")
    .option("--to <time>", "end, RFC 3339 (default: now)")
    .addOption(new Option("--window <size>", "one line a window").choices(["minute", "hour", "day", "month"]))
    .option("--group-by <groups>", "of meter, model, deployment, key, run, dataset, hardware; comma-separated")
    .option("--meter <meter>", "this meter alone")
    .option("--events", "the events themselves, newest first")
    .option("--limit <count>", "how many events at most", wholeNumber(1), 20);
  usage.action(async (flags: UsageFlags) => {
    const { client, output, signal } = await open(usage).connected();
    const { from, to, window, groupBy, meter } = flags;
    const which = {
      signal,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(meter === undefined ? {} : { meter }),
    };
    if (flags.events === true)
      return output.list(
        await client.usage.events(which).all(flags.limit),
        [{ head: "time" }, { head: "meter" }, { head: "quantity", align: "right" }, { head: "of" }],
        eventRow,
        "No usage.",
      );
    const report = await client.usage.report({
      ...which,
      ...(window === undefined ? {} : { window }),
      // The server checks the words and names the wrong one.
      ...(groupBy === undefined ? {} : { groupBy: groupBy.split(",") as UsageGroup[] }),
    });
    output.result(() => usageText(report, output.out.paint, output.out.columns), report);
  });
  return usage;
}
