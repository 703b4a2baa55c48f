import {
  type AuditAction,
  type AuditEntry,
  type AuditOutcome,
  auditActions,
  auditOutcomes,
  type ChainPosition,
  type ChainReport,
} from "@gristmill/contract";
import { verifyAuditExport } from "@gristmill/sdk";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../failure.ts";
import type { Look, Paint } from "../terminal/paint.ts";
import { counted, formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, type SpanFlags, verb, wholeNumber, withLimit } from "./command.ts";
import { deniedCommand } from "./denied.ts";
import { time } from "./times.ts";

const outcomeLooks: Readonly<Record<AuditOutcome, Look>> = { succeeded: "good", failed: "bad", unknown: "warning" };

const outcomeText = ({ outcome, error_code }: AuditEntry, paint: Paint): string =>
  paint(outcomeLooks[outcome], error_code ?? outcome);

const faults: Readonly<Record<string, string>> = {
  not_an_entry: "what stands there is no entry",
  another_organization: "the entry is of another organization",
  number_out_of_order: "a number is missing or doubled",
  previous_hash_differs: "it does not continue the entry before",
  hash_differs: "the entry is not as it was written",
  entries_missing: "entries are missing at the end",
  head_differs: "the last entry is another than the one that was kept",
};

/** What a check found, in words. Pure. */
export function verificationText(
  {
    entries,
    head,
    broken,
  }: Pick<ChainReport, "entries" | "head"> & { broken: { number: number; fault: string } | null },
  paint: Paint,
): string {
  const good = `${counted(entries, "entry is", "entries are")} as written`;
  if (broken !== null)
    return `${paint("bad", "✗")} Entry ${broken.number}: ${faults[broken.fault] ?? broken.fault}. Before it, ${good}.`;
  const kept = paint("faint", `keep this for the next time: --kept ${head.number}:${head.hash}`);
  return `${paint("good", "✓")} ${good}; the last is number ${head.number}.\n  ${kept}`;
}

/** "12:ab…" */
function parsePosition(text: string): ChainPosition {
  const [, number = "", hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === "") throw new InvalidArgumentError("Expected NUMBER:HASH, as an earlier verification showed it.");
  return { number: Number(number), hash };
}

/** All actions would fill a screen of every mistake. */
function parseAction(text: string): AuditAction {
  const known = auditActions.find((action) => action === text);
  if (known !== undefined) return known;
  const near = auditActions.filter((action) => action.startsWith(`${text.split(".")[0]}.`));
  const some = near.length > 0 ? near : auditActions.slice(0, 5);
  throw new InvalidArgumentError(`Expected an action such as ${some.join(", ")}.`);
}

interface ListFlags extends SpanFlags {
  readonly limit: number;
  readonly action?: AuditAction;
  readonly outcome?: AuditOutcome;
  readonly by?: string;
  readonly target?: string;
  readonly request?: string;
}

/** `gristmill audit` */
export function auditCommand(open: OpenSession): Command {
  const list = withLimit(
    verb("list", "List changes: what, by whom, how it ended", [
      "gristmill audit list",
      "gristmill audit list --action api_key.created --from 7d",
      "gristmill audit list --by key_01... --outcome failed --json",
    ]),
  )
    .option("--action <action>", "this kind of change alone, such as api_key.created", parseAction)
    .addOption(new Option("--outcome <outcome>", "with this end alone").choices(auditOutcomes))
    .option("--by <id>", "by this key or person alone")
    .option("--target <id>", "of this thing alone")
    .option("--request <id>", "of this request alone")
    .option("--from <time>", "begin: 2026-11-01, RFC 3339, or 7d for so long ago", time)
    .option("--to <time>", "end, exclusive", time);
  list.action(async ({ limit, action, outcome, by, target, request, from, to }: ListFlags) => {
    const { client, output, signal } = await open(list).connected();
    const which = given({ action, outcome, actorId: by, targetId: target, requestId: request, from, to });
    output.list(
      await client.auditLog.list({ signal, ...which }).all(limit),
      [
        { head: "number", align: "right" },
        { head: "time" },
        { head: "action" },
        { head: "by" },
        { head: "of" },
        { head: "outcome" },
      ],
      (entry) => [
        `${entry.number}`,
        formatTime(entry.at),
        entry.action,
        entry.actor.id ?? entry.actor.type,
        entry.target_id ?? entry.path ?? "–",
        outcomeText(entry, output.out.paint),
      ],
      "No entries.",
    );
  });

  const exports = verb("export <file>", "Write the log to a file, one entry a line, for `audit verify`", [
    "gristmill audit export audit.jsonl",
    "gristmill audit export more.jsonl --after 1200",
  ]).option("--after <number>", "only what comes after this entry", wholeNumber(0));
  exports.action(async (file: string, { after }: { after?: number }) => {
    const { client, output, signal } = await open(exports).connected();
    await client.auditLog.download(file, { signal, ...given({ afterNumber: after }) });
    output.result(() => `Wrote ${file}; check it anywhere: gristmill audit verify ${file}`, { file });
  });

  const verify = verb("verify [file]", "Prove that the log, or an export of it, is whole and unchanged", [
    "gristmill audit verify",
    "gristmill audit verify audit.jsonl",
    "gristmill audit verify audit.jsonl --kept 1200:4f2a...",
  ])
    .option(
      "--kept <number:hash>",
      "an entry that you kept: the log must hold it; of a file, its last one",
      parsePosition,
    )
    .option("--after <number:hash>", "of a file: the entry before its first", parsePosition);
  verify.action(async (file: string | undefined, { kept, after }: { kept?: ChainPosition; after?: ChainPosition }) => {
    const session = open(verify);
    const { output } = session;
    // An export is checked without any server: whoever doubts one would not ask it.
    const report =
      file === undefined
        ? await (await session.client()).auditLog.verify(kept, { signal: session.signal })
        : await verifyAuditExport(file, given({ from: after, until: kept })).catch((cause: unknown) => {
            const reason = cause instanceof Error ? cause.message : String(cause);
            throw new CliError(
              "cli.unreadable_file",
              `${file}: can't be read (${reason}).`,
              "Check the path of the file.",
            );
          });
    if (report.broken === null) return output.result(() => verificationText(report, output.out.paint), report);
    if (output.json) output.result(() => "", report);
    const words = verificationText(report, () => "").trim();
    throw new CliError(
      "audit.broken",
      words,
      "Compare with an export that you kept, and find out who can write to the database.",
    );
  });

  return noun(
    "audit",
    "The audit log: every change, who made it, and a proof that it is whole",
    list,
    exports,
    verify,
    deniedCommand(open),
  );
}
