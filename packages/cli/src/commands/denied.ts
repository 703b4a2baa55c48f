import type { DeniedAccess } from "@gristmill/contract";
import type { Command } from "commander";
import { type ChartLine, chart } from "../terminal/bars.ts";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatCount, formatTime } from "../terminal/words.ts";
import { given, type OpenSession, type SpanFlags, verb, withLimit } from "./command.ts";
import { time } from "./times.ts";

const whoOf = ({ actor_id, address }: DeniedAccess): string => actor_id ?? address ?? "many";

/** Newest first, and who was denied most. Pure. */
export function deniedText(denied: readonly DeniedAccess[], paint: Paint, columns: number): string {
  const counts = new Map<string, number>();
  for (const one of denied) counts.set(whoOf(one), (counts.get(whoOf(one)) ?? 0) + one.count);
  const lines: ChartLine[] = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 10)
    .map(([label, value]) => ({ label, value, text: formatCount(value) }));
  const heads = [
    { head: "minute" },
    { head: "who" },
    { head: "address" },
    { head: "route" },
    { head: "why" },
    { head: "times", align: "right" as const },
  ];
  const rows = denied.map((one) => [
    formatTime(one.minute),
    one.actor_id ?? "–",
    one.address ?? "many",
    one.route,
    one.code,
    formatCount(one.count),
  ]);
  return [table(heads, rows, paint), ...(lines.length > 1 ? ["", chart(lines, columns, paint)] : [])].join("\n");
}

/** `gristmill audit denied` */
export function deniedCommand(open: OpenSession): Command {
  const command = withLimit(
    verb("denied", "Show accesses that were denied, counted by minute", [
      "gristmill audit denied",
      "gristmill audit denied --code auth.invalid --from 24h",
    ]),
  )
    .option("--code <code>", "for this reason alone, such as auth.forbidden")
    .option("--by <id>", "of this key or person alone")
    .option("--address <address>", "from this address alone")
    .option("--from <time>", "begin: 2026-11-01, RFC 3339, or 7d for so long ago", time)
    .option("--to <time>", "end, exclusive", time);
  command.action(async (flags: SpanFlags & { limit: number; code?: string; by?: string; address?: string }) => {
    const { limit, code, by, address, from, to } = flags;
    const { client, output, signal } = await open(command).connected();
    const which = given({ code, actorId: by, address, from, to });
    const denied = await client.deniedAccesses.list({ signal, ...which }).all(limit);
    const { paint, columns } = output.out;
    output.result(() => (denied.length === 0 ? "Nothing was denied." : deniedText(denied, paint, columns)), ...denied);
  });
  return command;
}
