import type { UsageLine, UsageReport } from "@gristmill/contract";
import type { Command } from "commander";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatCount, formatDecimal, formatTime } from "../terminal/words.ts";
import { given, type OpenSession, type SpanFlags, verb, withSpan } from "./command.ts";
import { type Reach, readReport, withReach } from "./usage-reach.ts";

const row = (line: UsageLine, paint: Paint): string[] => [
  formatTime(line.period_start).slice(0, 7),
  line.project_id,
  line.meter,
  formatDecimal(line.quantity),
  line.unit,
  formatCount(line.events),
  line.price_id ?? paint("warning", "no price"),
  line.amount ?? "–",
  line.rounded_amount ?? "–",
];

/** The lines of a bill and what they come to. Pure. */
export function linesText(report: UsageReport, paint: Paint): string {
  const { lines, currency, lines_total, from, to } = report;
  if (lines.length === 0) return `No usage from ${formatTime(from)} to ${formatTime(to)}.`;
  const right = "right" as const;
  const heads = [
    { head: "month" },
    { head: "project" },
    { head: "meter" },
    { head: "quantity", align: right },
    { head: "unit" },
    { head: "events", align: right },
    { head: "price" },
    { head: "exact", align: right },
    { head: currency, align: right },
  ];
  return [
    table(
      heads,
      lines.map((line) => row(line, paint)),
      paint,
    ),
    `  ${paint("strong", `total ${lines_total} ${currency}`)}  ${paint("faint", `${formatTime(from)} to ${formatTime(to)} UTC; each line is rounded once`)}`,
  ].join("\n");
}

/** `gristmill usage lines` */
export function usageLinesCommand(open: OpenSession): Command {
  const command = withReach(
    withSpan(
      verb("lines", "The lines of a bill: one for each project, month, meter and price", [
        "gristmill usage lines --from 2026-11 --to 2026-12",
        "gristmill usage lines --all-projects --from 2026-11 --json",
      ]),
    ),
  );
  command.action(async ({ from, to, allProjects }: SpanFlags & Reach) => {
    const connected = await open(command).connected();
    const report = await readReport(connected, given({ from, to }), allProjects === true);
    const { output } = connected;
    output.result(() => linesText(report, output.out.paint), ...report.lines);
  });
  return command;
}
