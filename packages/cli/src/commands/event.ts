import { randomUUID } from "node:crypto";
import type { CloudEvent, EventsTaken } from "@gristmill/contract";
import type { NewEvent } from "@gristmill/sdk";
import type { Command } from "commander";
import { CliError, UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatCount, formatTime, shortened } from "../terminal/words.ts";
import { given, noun, type OpenSession, type SpanFlags, verb, withLimit, withSpan } from "./command.ts";
import { correctCommand } from "./event-correct.ts";
import { eventsOfFile } from "./event-file.ts";
import { quarantineCommands } from "./event-quarantine.ts";

const eventRow = (event: CloudEvent): string[] => [
  event.time === undefined ? "–" : formatTime(event.time),
  event.source,
  event.id,
  event.type,
  event.subject ?? "–",
  event.data === undefined ? "" : shortened(JSON.stringify(event.data), 60),
];

/** How many were taken, and why others were not. Pure. */
export function takenText({ accepted, duplicates, quarantined }: EventsTaken, paint: Paint): string {
  const lines = quarantined
    .slice(0, 20)
    .map(({ index, id, code, reason }) => `  ${index + 1}. ${id}: ${reason} ${paint("faint", code)}`);
  const rest = quarantined.length - lines.length;
  return [
    `${paint("good", "✓")} ${formatCount(accepted)} new, ${formatCount(duplicates)} known already`,
    ...(quarantined.length === 0
      ? []
      : [`${paint("warning", "■")} ${formatCount(quarantined.length)} set aside:`, ...lines]),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more: gristmill event quarantine`] : []),
  ].join("\n");
}

interface SendFlags {
  readonly type?: string;
  readonly source: string;
  readonly id?: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: string;
  readonly file?: string;
}

function eventOf({ type, source, id, subject, time, data }: SendFlags): NewEvent {
  if (type === undefined)
    throw new UsageError("cli.no_type", "An event needs a --type.", "Or send a file of events with --file.");
  let parsed: unknown;
  try {
    parsed = data === undefined ? undefined : JSON.parse(data);
  } catch {
    throw new UsageError(
      "cli.wrong_data",
      `--data: expected JSON, received ${data}.`,
      `Such as --data '{"total": 12.5}'.`,
    );
  }
  return { id: id ?? randomUUID(), source, type, ...given({ subject, time, data: parsed }) };
}

/** `gristmill event` */
export function eventCommand(open: OpenSession): Command {
  const list = withLimit(
    withSpan(
      verb("list", "List the project's events as CloudEvents, newest first", [
        "gristmill event list --type com.example.sale",
        "gristmill event list --json --limit 1000",
      ]),
    )
      .option("--type <type>", "of this type alone")
      .option("--source <source>", "from this source alone")
      .option("--subject <subject>", "about this subject alone")
      .option("--meter <meter>", "that this meter counted"),
  );
  list.action(
    async (flags: SpanFlags & { limit: number; type?: string; source?: string; subject?: string; meter?: string }) => {
      const { limit, type, source, subject, meter, from, to } = flags;
      const { client, output, signal } = await open(list).connected();
      output.list(
        await client.events.list({ signal, ...given({ type, source, subject, meter, from, to }) }).all(limit),
        [{ head: "time" }, { head: "source" }, { head: "id" }, { head: "type" }, { head: "subject" }, { head: "data" }],
        eventRow,
        "No events.",
      );
    },
  );

  const send = verb("send", "Send an event, or a file of them; sent again, they count once", [
    `gristmill event send --type com.example.sale --id sale-1 --data '{"total": 12.5, "shop": "berlin"}'`,
    "gristmill event send --file events.jsonl",
    "cat events.jsonl | gristmill event send --file -",
  ])
    .option("--type <type>", "what happened")
    .option("--source <source>", "where it happened: the id is unique there", "cli")
    .option("--id <id>", "names it: the same id counts once (default: a new one)")
    .option("--subject <subject>", "whom or what it is about")
    .option("--time <time>", "when it happened, RFC 3339 (default: now)")
    .option("--data <json>", "what a meter reads its value from")
    .option("--file <file>", "CloudEvents, one a line or one JSON list; - is standard input");
  send.action(async (flags: SendFlags) => {
    const { file } = flags;
    const single = file === undefined ? eventOf(flags) : undefined;
    const { client, output, signal } = await open(send).connected();
    const taken =
      single !== undefined
        ? await client.events.send(single, { signal })
        : await client.events.sendBatch(eventsOfFile(file ?? "-", process.stdin), { signal });
    output.result(() => takenText(taken, output.out.paint), taken);
    if (taken.quarantined.length > 0 && taken.accepted + taken.duplicates === 0)
      throw new CliError("cli.all_set_aside", "No event was taken.", "Mend the meter, then: gristmill event replay ID");
  });

  return noun(
    "event",
    "Events that you send: what to count beside our own work",
    list,
    send,
    ...quarantineCommands(open),
    correctCommand(open),
  );
}
