import { type UsageGroup, usageGroups } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { given, type OpenSession, type SpanFlags, verb, withSpan } from "./command.ts";
import { type ChartWindow, chartWindows, spendText } from "./spend.ts";
import { type Reach, readReport, withReach } from "./usage-reach.ts";

interface ChartFlags extends SpanFlags, Reach {
  readonly by: ChartWindow | UsageGroup;
  readonly split?: UsageGroup | "none";
  readonly meter?: string;
}

const defaultDays = 14;

const isWindow = (by: ChartFlags["by"]): by is ChartWindow => (chartWindows as readonly string[]).includes(by);

/** Midnight (UTC) so many days ago, today counted: whole bars. */
const daysAgo = (days: number, nowMs: number): string =>
  new Date(Math.floor(nowMs / 86_400_000) * 86_400_000 - (days - 1) * 86_400_000).toISOString();

/** `gristmill usage chart` */
export function usageChartCommand(open: OpenSession): Command {
  const command = withReach(
    withSpan(
      verb("chart", "Spend as bars: by day, model, project, key ...", [
        "gristmill usage chart",
        "gristmill usage chart --by model --from 2026-11-01",
        "gristmill usage chart --by day --split model --from 30d",
        "gristmill usage chart --by project --split meter",
      ]),
      `${defaultDays} days, of bars by hour 24 hours`,
    )
      .addOption(
        new Option("--by <what>", "what the bars are").choices([...chartWindows, ...usageGroups]).default("day"),
      )
      .addOption(
        new Option("--split <group>", "what the bars are made of (default: meter, for bars of time)").choices([
          ...usageGroups,
          "none",
        ]),
      )
      .option("--meter <meter>", "this meter alone"),
  );
  command.action(async ({ by, split, meter, from, to, allProjects }: ChartFlags) => {
    const connected = await open(command).connected();
    const parts = split === "none" ? undefined : (split ?? (isWindow(by) ? "meter" : undefined));
    const now = Date.now();
    const begin = from ?? (by === "hour" ? new Date(now - 23 * 3_600_000).toISOString() : daysAgo(defaultDays, now));
    const groups = [by, parts].filter((group): group is UsageGroup => group !== undefined && !isWindow(group));
    const which = {
      from: begin,
      // Amounts come by meter anyway, so a report always has a group.
      groupBy: groups.length === 0 ? (["meter"] as const) : [...new Set(groups)],
      ...given({ to, meter, window: isWindow(by) ? by : undefined }),
    };
    const isOfAll = allProjects === true || by === "project" || parts === "project";
    const report = await readReport(connected, which, isOfAll);
    const { output } = connected;
    output.result(() => spendText(report, { by, split: parts }, output.out.paint, output.out.columns), report);
  });
  return command;
}
