import { type UsageEvent, type UsageGroup, type UsageReport, type UsageRow, usageGroups } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { type ChartLine, chart } from "../terminal/bars.ts";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatCount, formatDecimal, formatTime } from "../terminal/words.ts";
import { commaSeparated, given, noun, type OpenSession, type SpanFlags, verb, withLimit, withSpan } from "./command.ts";
import { usageChartCommand } from "./usage-chart.ts";
import { usageExportCommand } from "./usage-export.ts";
import { usageLinesCommand } from "./usage-lines.ts";
import { usageProveCommand } from "./usage-prove.ts";
import { type Reach, readReport, withReach } from "./usage-reach.ts";

interface ReportFlags extends SpanFlags, Reach {
  readonly window?: "minute" | "hour" | "day" | "month";
  readonly groupBy?: readonly string[];
  readonly meter?: string;
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
  const report = withReach(
    withSpan(
      verb("report", "What was used, and what it cost", [
        "gristmill usage",
        "gristmill usage --window day --from 2026-11-01",
        "gristmill usage --group-by meter,model,key",
        "gristmill usage --all-projects --group-by project,meter",
      ]),
    )
      .addOption(new Option("--window <size>", "one line a window").choices(["minute", "hour", "day", "month"]))
      .option("--group-by <groups>", `of ${usageGroups.join(", ")}; comma-separated`, commaSeparated)
      .option("--meter <meter>", "this meter alone"),
  );
  report.action(async ({ from, to, window, meter, groupBy, allProjects }: ReportFlags) => {
    const connected = await open(report).connected();
    // The server checks the words and names the wrong one.
    const which = given({ from, to, window, meter, groupBy: groupBy as readonly UsageGroup[] | undefined });
    const found = await readReport(connected, which, allProjects === true);
    const { output } = connected;
    output.result(() => usageText(found, output.out.paint, output.out.columns), found);
  });

  const events = withLimit(
    withSpan(
      verb("events", "The ledger's entries themselves", [
        "gristmill usage events --limit 10",
        "gristmill usage events --meter service.requests --from 24h --json",
      ]),
    )
      .option("--meter <meter>", "this meter alone")
      .option("--request <id>", "of one request alone")
      .option("--of-key <id>", "of one key alone"),
  );
  events.action(async (flags: SpanFlags & { limit: number; meter?: string; request?: string; ofKey?: string }) => {
    const { from, to, limit, meter, request, ofKey } = flags;
    const { client, output, signal } = await open(events).connected();
    const which = given({ from, to, meter, requestId: request, keyId: ofKey });
    output.list(
      await client.usage.events({ signal, ...which }).all(limit),
      [{ head: "time" }, { head: "meter" }, { head: "quantity", align: "right" }, { head: "of" }],
      eventRow,
      "No usage.",
    );
  });

  const usage = noun(
    "usage",
    "What was used, and what it cost: `usage` alone is its report",
    events,
    usageLinesCommand(open),
    usageChartCommand(open),
    usageExportCommand(open),
    usageProveCommand(open),
  );
  return usage.addCommand(report, { isDefault: true });
}
