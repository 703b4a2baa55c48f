import type { Run } from "@gristmill/contract";
import type { Command } from "commander";
import { type Paint, paintStatus } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatMetric, formatMetrics, formatSeconds, formatTime } from "../terminal/words.ts";
import { noun, type OpenSession, verb, withLimit } from "./command.ts";
import { followRun } from "./follow-run.ts";

const madeOf = ({ model_version }: Run): string =>
  model_version === null ? "–" : `${model_version.model}@${model_version.version}`;

const facts = (run: Run, paint: Paint): [string, string][] => [
  ["name", run.name],
  ["id", run.id],
  ["status", paintStatus(paint, run.status)],
  ...(run.error === null ? [] : [["error", `${run.error.code}: ${run.error.message}`] as [string, string]]),
  ["dataset", `${run.dataset_id}, version ${run.dataset_version_id}`],
  ["trained", formatSeconds(run.training_seconds) + (run.attempts > 1 ? `, in ${run.attempts} attempts` : "")],
  ["test set", run.evaluation === null ? "not evaluated" : formatMetrics(run.evaluation)],
  ["checkpoint", run.checkpoint === null ? "none" : `epoch ${run.checkpoint.epoch}`],
  ["model", madeOf(run)],
  ["created", formatTime(run.created_at)],
];

/** One line an epoch. */
function historyText(run: Run, paint: Paint): string {
  const names = [...new Set(run.history.flatMap(({ metrics }) => Object.keys(metrics)))];
  const numbers = names.map((head) => ({ head, align: "right" as const }));
  return table(
    [{ head: "epoch", align: "right" }, ...numbers, { head: "time", align: "right" }],
    run.history.map(({ epoch, metrics, seconds }) => [
      `${epoch}`,
      ...names.map((name) => {
        const value = metrics[name];
        return value === undefined ? "" : formatMetric(name, value);
      }),
      formatSeconds(seconds),
    ]),
    paint,
  );
}

/** `gristmill run` */
export function runCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List runs", ["gristmill run list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.runs.list({ signal }).all(limit),
      [
        { head: "id" },
        { head: "name" },
        { head: "status" },
        { head: "test set" },
        { head: "model" },
        { head: "created" },
      ],
      (run) => [
        run.id,
        run.name === run.id ? "–" : run.name,
        paintStatus(output.out.paint, run.status),
        run.evaluation === null ? "–" : formatMetrics(run.evaluation),
        madeOf(run),
        formatTime(run.created_at),
      ],
      "No runs. Start one: gristmill train --help",
    );
  });

  const show = verb("show <run>", "Show a run and its epochs", ["gristmill run show run_01..."]);
  show.action(async (id: string) => {
    const { client, output, signal } = await open(show).connected();
    const run = await client.runs.get(id, { signal });
    output.facts(run, () => facts(run, output.out.paint));
    if (!output.json && run.history.length > 0) output.result(() => `\n${historyText(run, output.out.paint)}`);
  });

  const watch = verb("watch <run>", "Follow a run to its end; Ctrl-C leaves it running", [
    "gristmill run watch run_01...",
    "gristmill run watch run_01... --json",
  ]);
  watch.action(async (id: string) => {
    const session = open(watch);
    const client = await session.client();
    await followRun(session, await client.runs.get(id, { signal: session.signal }), { owns: false });
  });

  const cancel = verb("cancel <run>", "Cancel a run; its last checkpoint is kept", ["gristmill run cancel run_01..."]);
  cancel.action(async (id: string) => {
    const { client, output, signal } = await open(cancel).connected();
    const run = await client.runs.cancel(id, { signal });
    output.result(() => `${run.name} is ${run.status}.`, run);
  });

  const resume = verb("resume <run>", "Let a paused run go on from its checkpoint, when its budget has room again", [
    "gristmill run resume run_01...",
  ]);
  resume.action(async (id: string) => {
    const { client, output, signal } = await open(resume).connected();
    const run = await client.runs.resume(id, { signal });
    output.result(() => `${run.name} is ${run.status}: gristmill run watch ${run.id}`, run);
  });

  return noun("run", "Runs: one training job each", list, show, watch, resume, cancel);
}
