import { Readable } from "node:stream";
import type { Price, UsageReport } from "@gristmill/contract";
import { readLines } from "@gristmill/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { CliError } from "../failure.ts";
import type { Connected } from "../session.ts";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { counted, formatCount, formatDecimal } from "../terminal/words.ts";
import { EntrySums, type LedgerEntry, type ProvenLine } from "./bill-proof.ts";
import { type OpenSession, verb } from "./command.ts";

/** Use of the current month may be written between two looks. */
const mostTries = 4;

/** What a proof found. Pure. */
export function proofText(lines: readonly ProvenLine[], currency: string, paint: Paint): string {
  const entries = lines.reduce((sum, { found }) => sum + found.events, 0);
  const right = "right" as const;
  const heads = [
    { head: "" },
    { head: "meter" },
    { head: "entries", align: right },
    { head: "added up", align: right },
    { head: "price" },
    { head: `${currency}, computed here`, align: right },
    { head: "billed", align: right },
  ];
  const rows = lines.map(({ agrees, meter, price_id, billed, found }) => [
    agrees ? paint("good", "✓") : paint("bad", "✗"),
    meter,
    formatCount(found.events),
    formatDecimal(found.quantity),
    price_id ?? paint("warning", "no price"),
    found.amount ?? "–",
    billed.amount ?? "–",
  ]);
  const wrong = lines.filter(({ agrees }) => !agrees).length;
  const verdict =
    wrong === 0
      ? `${paint("good", "✓")} ${counted(entries, "entry", "entries")} of the ledger add up to the bill's ${counted(lines.length, "line", "lines")}.`
      : `${paint("bad", "✗")} ${wrong} of the bill's ${counted(lines.length, "line is", "lines are")} not what the entries add up to.`;
  return `${table(heads, rows, paint)}\n${verdict}`;
}

/** "2026-11" → its begin and its end, which is now for the month that runs. */
function spanOf(month: string, nowMs: number): { from: string; to: string } {
  const from = new Date(`${month}-01T00:00:00Z`);
  const end = new Date(from);
  end.setUTCMonth(end.getUTCMonth() + 1);
  return { from: from.toISOString(), to: new Date(Math.min(end.getTime(), nowMs)).toISOString() };
}

function parseMonth(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a month such as 2026-11.");
}

/** The bill before and after the entries were read: when it changed meanwhile, all is read again. */
async function prove(
  { client, signal }: Connected,
  month: string,
): Promise<{ report: UsageReport; lines: readonly ProvenLine[] }> {
  const prices = new Map<string, Price>();
  for await (const price of client.prices.list({ signal })) prices.set(price.id, price);
  for (let tries = 1; ; tries++) {
    const span = spanOf(month, Date.now());
    const before = await client.usage.report({ ...span, signal });
    const sums = new EntrySums();
    const stream = await client.usage.export("jsonl", { ...span, signal });
    for await (const line of readLines(Readable.fromWeb(stream))) sums.add(JSON.parse(line) as LedgerEntry);
    const report = await client.usage.report({ ...span, signal });
    if (JSON.stringify(before.lines) !== JSON.stringify(report.lines) && tries < mostTries) continue;
    return { report, lines: sums.compare(report.lines, prices) };
  }
}

/** `gristmill usage prove` */
export function usageProveCommand(open: OpenSession): Command {
  const command = verb(
    "prove [month]",
    "Prove a month's bill: add up every entry of the ledger, price it here, compare",
    ["gristmill usage prove", "gristmill usage prove 2026-11", "gristmill usage prove 2026-11 --json"],
  );
  command.action(async (text: string | undefined) => {
    const month = parseMonth(text ?? new Date().toISOString().slice(0, 7));
    const connected = await open(command).connected();
    const { report, lines } = await prove(connected, month);
    const { output } = connected;
    const isProven = lines.every(({ agrees }) => agrees);
    output.result(
      () => (lines.length === 0 ? `No usage in ${month}.` : proofText(lines, report.currency, output.out.paint)),
      { month, proven: isProven, lines },
    );
    if (!isProven)
      throw new CliError(
        "usage.not_proven",
        `The bill of ${month} is not what its entries add up to.`,
        "Single entries that were retired are missing here; else tell the operator, with `gristmill usage export`.",
      );
  });
  return command;
}
