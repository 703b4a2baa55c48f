import type { Deployment } from "@gristmill/contract";
import type { Gristmill } from "@gristmill/sdk";
import type { Command } from "commander";
import type { Output } from "../terminal/output.ts";
import { type Paint, paintStatus } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatBytes, formatTime } from "../terminal/words.ts";
import { noun, numberBetween, type OpenSession, verb, wholeNumber, withLimit } from "./command.ts";

interface DeployFlags {
  readonly model?: string;
  readonly replicas?: number;
  readonly threads?: number;
  readonly maxBatchSize?: number;
  readonly maxDelayMs?: number;
  readonly maxQueue?: number;
  readonly contextLength?: number;
  readonly slots?: number;
  readonly prefillChunk?: number;
  readonly maxWaiting?: number;
  readonly detach?: boolean;
}

const served = ({ revision }: Deployment): string =>
  revision === null ? "–" : `${revision.model}@${revision.model_version}`;
const readyReplicas = ({ replicas, desired_replicas }: Deployment): string =>
  `${replicas.filter(({ status }) => status === "ready").length}/${desired_replicas}`;

/** A deployment with its replicas. */
function deploymentText(deployment: Deployment, paint: Paint): string {
  return table(
    [
      { head: "replica" },
      { head: "revision", align: "right" },
      { head: "status" },
      { head: "waiting", align: "right" },
      { head: "restarts", align: "right" },
      { head: "memory", align: "right" },
      { head: "process", align: "right" },
    ],
    deployment.replicas.map((replica) => [
      replica.id,
      `@${replica.revision}`,
      paintStatus(paint, replica.status),
      `${replica.queue_depth}`,
      `${replica.restarts}`,
      replica.memory_bytes === null ? "–" : formatBytes(replica.memory_bytes),
      replica.pid === null ? "–" : `${replica.pid}`,
    ]),
    paint,
  );
}

const facts = (deployment: Deployment, paint: Paint): [string, string][] => [
  ["name", paint("strong", deployment.name)],
  ["id", deployment.id],
  ["status", paintStatus(paint, deployment.status)],
  ...(deployment.error === null
    ? []
    : [["error", `${deployment.error.code}: ${deployment.error.message}`] as [string, string]]),
  ["serves", `${served(deployment)}, revision ${deployment.revision?.revision ?? "–"}`],
  ["replicas", `${readyReplicas(deployment)} ready, ${deployment.revision?.threads ?? "–"} threads each`],
  ["requests", batchingText(deployment)],
  ["created", formatTime(deployment.created_at)],
];

function batchingText({ revision }: Deployment): string {
  if (revision === null) return "–";
  const { generation } = revision;
  if (generation !== null)
    return `${generation.slots} at once, prompts in steps of ${generation.prefill_chunk} tokens, queue of ${generation.max_queue}`;
  if (revision.batching === null) return "–";
  const { max_batch_size, max_delay_ms, max_queue } = revision.batching;
  return `up to ${max_batch_size} together, waiting ${max_delay_ms} ms at most, queue of ${max_queue}`;
}

const bodyOf = (flags: DeployFlags) => {
  const { replicas, threads, maxBatchSize, maxDelayMs, maxQueue } = flags;
  const { contextLength, slots, prefillChunk, maxWaiting } = flags;
  const generation = {
    ...(contextLength === undefined ? {} : { context_length: contextLength }),
    ...(slots === undefined ? {} : { slots }),
    ...(prefillChunk === undefined ? {} : { prefill_chunk: prefillChunk }),
    ...(maxWaiting === undefined ? {} : { max_queue: maxWaiting }),
  };
  const batching = {
    ...(maxBatchSize === undefined ? {} : { max_batch_size: maxBatchSize }),
    ...(maxDelayMs === undefined ? {} : { max_delay_ms: maxDelayMs }),
    ...(maxQueue === undefined ? {} : { max_queue: maxQueue }),
  };
  return {
    ...(replicas === undefined ? {} : { replicas }),
    ...(threads === undefined ? {} : { threads }),
    ...(Object.keys(batching).length === 0 ? {} : { batching }),
    ...(Object.keys(generation).length === 0 ? {} : { generation }),
  };
};

async function showWhenReady(client: Gristmill, name: string, output: Output, signal: AbortSignal): Promise<void> {
  const ready = await client.deployments.waitReady(name, { signal });
  output.result(
    () => `${output.out.paint("good", "✓")} ${name} serves ${served(ready)} with ${readyReplicas(ready)} replicas.`,
    ready,
  );
}

const withSettings = (command: Command): Command =>
  command
    .option("--replicas <count>", "processes that serve it", wholeNumber(1, 64))
    .option("--threads <count>", "processor threads of each replica", wholeNumber(1, 256))
    .option("--max-batch-size <count>", "requests run together at most", wholeNumber(1, 1024))
    .option("--max-delay-ms <ms>", "longest wait for company", numberBetween(0, 1000))
    .option("--max-queue <count>", "requests that may wait", wholeNumber(1, 100_000))
    .option("--context-length <tokens>", "of a language model: prompt and answer together", wholeNumber(16, 16_777_216))
    .option("--slots <count>", "of a language model: requests answered at once", wholeNumber(1, 256))
    .option("--prefill-chunk <tokens>", "of a language model: of a prompt, read in one step", wholeNumber(16, 8192))
    .option("--max-waiting <count>", "of a language model: requests that may wait", wholeNumber(1, 100_000))
    .option("-d, --detach", "do not wait until it is ready");

/** `gristmill deploy` */
export function deployCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List deployments", ["gristmill deploy list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.deployments.list({ signal }).all(limit),
      [
        { head: "name" },
        { head: "status" },
        { head: "serves" },
        { head: "ready", align: "right" },
        { head: "created" },
      ],
      (one) => [
        one.name,
        paintStatus(output.out.paint, one.status),
        served(one),
        readyReplicas(one),
        formatTime(one.created_at),
      ],
      "No deployments. Make one: gristmill deploy create --help",
    );
  });

  const show = verb("show <deployment>", "Show a deployment and its replicas", ["gristmill deploy show digits"]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const found = await client.deployments.get(name, { signal });
    output.facts(found, () => facts(found, output.out.paint));
    if (!output.json && found.replicas.length > 0) output.result(() => `\n${deploymentText(found, output.out.paint)}`);
  });

  const create = withSettings(
    verb("create <name>", "Serve a model version", [
      "gristmill deploy create digits --model digits",
      "gristmill deploy create digits --model digits@2 --replicas 2 --max-delay-ms 5",
    ]).requiredOption("--model <model[@version]>", "what to serve; without a version, the latest"),
  );
  create.action(async (name: string, flags: DeployFlags) => {
    const { client, output, signal } = await open(create).connected();
    const made = await client.deployments.create({ name, model: flags.model ?? "", ...bodyOf(flags) }, { signal });
    if (flags.detach === true) return output.result(() => `Starting ${name}: gristmill deploy show ${name}`, made);
    try {
      await showWhenReady(client, name, output, signal);
    } catch (error) {
      if (signal.aborted) {
        await client.deployments.delete(made.id);
        output.note(`Cancelled; the deployment ${name} is deleted.`);
      }
      throw error;
    }
  });

  const update = withSettings(
    verb("update <deployment>", "Change what is served, or how; the old revision answers until the new one is ready", [
      "gristmill deploy update digits --model digits@3",
      "gristmill deploy update digits --replicas 4",
    ]).option("--model <model[@version]>", "what to serve"),
  );
  update.action(async (name: string, flags: DeployFlags) => {
    const { client, output, signal } = await open(update).connected();
    const model = flags.model === undefined ? {} : { model: flags.model };
    const changed = await client.deployments.update(name, { ...model, ...bodyOf(flags) }, { signal });
    if (flags.detach === true) return output.result(() => `Changing ${name}: gristmill deploy show ${name}`, changed);
    await showWhenReady(client, name, output, signal);
  });

  const remove = verb("delete <deployment>", "Stop serving", ["gristmill deploy delete digits"]);
  remove.action(async (name: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.deployments.delete(name, { signal });
    output.result(() => `Deleted ${name}.`, { name, deleted: true });
  });

  return noun("deploy", "Deployments: model versions that are being served", list, show, create, update, remove);
}
