import type { Command } from "commander";
import { table } from "../terminal/table.ts";
import { formatDecimal } from "../terminal/words.ts";
import { given, type OpenSession, verb } from "./command.ts";

interface CorrectFlags {
  readonly source: string;
  readonly reason: string;
  readonly meter?: string;
  readonly quantity?: string;
}

/** `gristmill event correct` */
export function correctCommand(open: OpenSession): Command {
  const command = verb("correct <event>", "Take back what an event counted, or set it right, by an opposite entry", [
    "gristmill event correct sale-1 --source cli --reason 'sold twice by mistake'",
    "gristmill event correct sale-2 --source cli --quantity 10 --reason 'was 100 by a typing error'",
  ])
    .requiredOption("--source <source>", "where the event happened; of our own work: gristmill")
    .requiredOption("--reason <text>", "why; it stays with the correction")
    .option("--meter <meter>", "only what it counted for this meter")
    .option("--quantity <quantity>", "what is right (default: nothing)");
  command.action(async (id: string, { source, reason, meter, quantity }: CorrectFlags) => {
    const { client, output, signal } = await open(command).connected();
    const made = await client.corrections.create({ source, id, reason, ...given({ meter, quantity }) }, { signal });
    output.result(
      () =>
        table(
          [{ head: "meter" }, { head: "added to the ledger", align: "right" }, { head: "entry" }],
          made.entries.map((entry) => [entry.meter, formatDecimal(entry.quantity), entry.id]),
          output.out.paint,
        ),
      made,
    );
  });
  return command;
}
