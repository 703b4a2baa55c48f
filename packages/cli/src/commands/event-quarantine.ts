import { type QuarantinedEvent, type QuarantineReason, quarantineReasons, quarantineStates } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { formatTime, shortened } from "../terminal/words.ts";
import { given, type OpenSession, verb, withLimit } from "./command.ts";

const facts = (one: QuarantinedEvent): [string, string][] => [
  ["id", one.id],
  ["status", one.status],
  ["why", `${one.reason} (${one.code})`],
  ["received", `${formatTime(one.received_at)}${one.received > 1 ? `, ${one.received} times` : ""}`],
  ...(one.discard_reason === null ? [] : [["discarded", one.discard_reason] as [string, string]]),
  ["event", JSON.stringify(one.event, null, 2)],
];

/** `gristmill event quarantine | inspect | replay | discard` */
export function quarantineCommands(open: OpenSession): readonly Command[] {
  const list = withLimit(
    verb("quarantine", "List events that were set aside, with the reason", [
      "gristmill event quarantine",
      "gristmill event quarantine --code meter.unknown",
    ]),
  )
    .addOption(new Option("--status <status>", "of this status").choices(quarantineStates).default("waiting"))
    .addOption(new Option("--code <code>", "for this reason alone").choices(quarantineReasons));
  list.action(async (flags: { limit: number; status: QuarantinedEvent["status"]; code?: QuarantineReason }) => {
    const { limit, status, code } = flags;
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.quarantine.list({ signal, status, ...given({ code }) }).all(limit),
      [{ head: "id" }, { head: "received" }, { head: "why" }, { head: "code" }],
      (one) => [one.id, formatTime(one.received_at), shortened(one.reason, 70), one.code],
      "Nothing is set aside.",
    );
  });

  const inspect = verb("inspect <quarantined>", "Show an event that was set aside, as it was sent", [
    "gristmill event inspect qtn_01...",
  ]);
  inspect.action(async (id: string) => {
    const { client, output, signal } = await open(inspect).connected();
    const one = await client.quarantine.get(id, { signal });
    output.facts(one, () => facts(one));
  });

  const replay = verb("replay <quarantined...>", "Try events again, when what was wrong is mended", [
    "gristmill event replay qtn_01...",
  ]);
  replay.action(async (ids: readonly string[]) => {
    const { client, output, signal } = await open(replay).connected();
    for (const id of ids) {
      const one = await client.quarantine.replay(id, { signal });
      output.result(() => `${id}: ${one.status}${one.status === "waiting" ? `, ${one.reason}` : ""}`, one);
    }
  });

  const discard = verb("discard <quarantined>", "Give an event up; it stays to be read, with your reason", [
    "gristmill event discard qtn_01... --reason 'sent by a test'",
  ]).requiredOption("--reason <text>", "why");
  discard.action(async (id: string, { reason }: { reason: string }) => {
    const { client, output, signal } = await open(discard).connected();
    await client.quarantine.discard(id, reason, { signal });
    output.result(() => `Discarded ${id}.`, { id, discarded: true });
  });

  return [list, inspect, replay, discard];
}
