/** @file The ledger of this session, and what it costs. */
import { setTimeout as delay } from "node:timers/promises";
import { formatCount, table, usageText } from "@gristmill/cli";
import type { UsageEvent, UsageReport } from "@gristmill/contract";
import type { Gristmill } from "@gristmill/sdk";
import type { Stage } from "../stage.ts";

/** Running costs are written in slices while they run: the first of a new deployment may be some seconds away. */
const waitForSlicesMs = 15_000;
/** Events of one kind that are shown one by one. */
const shownOfAKind = 2;

/** What an event is about, in the order in which it is told. */
const shownDimensions = ["dataset", "model", "deployment", "service", "hardware"];

/** Prints the events since `from`, and the priced sums. */
export async function showBill(stage: Stage, client: Gristmill, from: Date): Promise<void> {
  const { signal, screen } = stage;
  const report = await fullReport(client, from, signal);
  const events = await client.usage.events({ from: from.toISOString(), order: "asc", signal }).all();
  stage.say(indent(eventsText(events, stage)));
  stage.say();
  stage.say(indent(usageText(report, screen.paint, screen.columns - 3)));
}

async function fullReport(client: Gristmill, from: Date, signal: AbortSignal): Promise<UsageReport> {
  const deadline = Date.now() + waitForSlicesMs;
  for (;;) {
    const report = await client.usage.report({ from: from.toISOString(), signal });
    const isComplete = report.data.some(({ meter }) => meter === "deployment.replica_seconds");
    if (isComplete || Date.now() > deadline) return report;
    await delay(250, undefined, { signal });
  }
}

function eventsText(events: readonly UsageEvent[], { screen }: Stage): string {
  const seen = new Map<string, number>();
  const shown = events.filter(({ meter }) => {
    const count = (seen.get(meter) ?? 0) + 1;
    seen.set(meter, count);
    return count <= shownOfAKind;
  });
  const rows = shown.map((event) => [
    event.time.slice(11, 19),
    event.meter,
    event.quantity,
    [...new Set(shownDimensions.map((dimension) => event.dimensions[dimension]))].filter(Boolean).join(", "),
  ]);
  const hidden = events.length - shown.length;
  const more = hidden > 0 ? `\n  and ${formatCount(hidden)} more like these: npm run gristmill -- usage events` : "";
  const columns = [{ head: "time" }, { head: "meter" }, { head: "quantity", align: "right" as const }, { head: "of" }];
  return table(columns, rows, screen.paint) + screen.paint("faint", more);
}

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, "   ");
