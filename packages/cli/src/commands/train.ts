import { readFile } from "node:fs/promises";
import type { CreateRunInput } from "@gristmill/contract";
import type { Command } from "commander";
import { CliError, UsageError } from "../failure.ts";
import { numberBetween, type OpenSession, verb, wholeNumber } from "./command.ts";
import { followRun } from "./follow-run.ts";

/** Flags of `gristmill train`; each overrides the file's field. */
export interface TrainFlags {
  readonly dataset?: string;
  readonly register?: string;
  readonly name?: string;
  readonly notes?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly validationSplit?: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  readonly detach?: boolean;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Takes out what was not given. */
const given = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

/**
 * A run's request from a file and flags. The file is a model spec (it has `layers`) or a whole request (it has `spec`).
 * @throws UsageError when it is neither, or no dataset is named.
 */
export function runRequest(file: unknown, flags: TrainFlags): CreateRunInput {
  if (!isRecord(file) || (!isRecord(file["spec"]) && !Array.isArray(file["layers"])))
    throw new UsageError(
      "cli.usage",
      'The file: expected a model spec with "layers", or a run\'s request with "spec".',
      "docs/guide/first-model.md shows both.",
    );
  const base = isRecord(file["spec"]) ? file : { spec: file };
  const part = (name: string): Record<string, unknown> => (isRecord(base[name]) ? base[name] : {});
  const { dataset, register, name, notes, epochs, batchSize, validationSplit, seed, threads, optimizer, loss } = flags;
  const fit = given({ epochs, batch_size: batchSize, validation_split: validationSplit, seed, threads });
  const model = given({ model: register, notes });
  const request = {
    ...base,
    ...given({ dataset, name }),
    ...(Object.keys(fit).length > 0 || base["fit"] !== undefined ? { fit: { ...part("fit"), ...fit } } : {}),
    ...(optimizer !== undefined || loss !== undefined
      ? { compile: { ...part("compile"), ...given({ optimizer, loss }) } }
      : {}),
    ...(Object.keys(model).length > 0 ? { register: { ...part("register"), ...model } } : {}),
  };
  if (!("dataset" in request) || typeof request.dataset !== "string")
    throw new UsageError(
      "cli.usage",
      "No dataset: neither the file nor --dataset names one.",
      "List them: gristmill dataset list",
    );
  // The server checks every field and names each that is wrong.
  return request as unknown as CreateRunInput;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CliError("cli.file", `${path}: can't be read.`, cause instanceof Error ? cause.message : "");
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CliError("cli.file", `${path}: is no JSON.`, cause instanceof Error ? cause.message : "");
  }
}

/** `gristmill train` */
export function trainCommand(open: OpenSession): Command {
  const train = verb("train <file>", "Train a model that a JSON file describes", [
    "gristmill train cnn.json --dataset mnist --epochs 3 --register digits",
    "gristmill train cnn.json --dataset mnist --detach",
    "gristmill train cnn.json --dataset mnist --json > events.ndjson",
  ])
    .option("--dataset <dataset>", "name or id")
    .option("--register <model>", "register the result as a new version of this model")
    .option("--name <name>", "name of the run")
    .option("--notes <text>", "kept on the model card")
    .option("--epochs <count>", "passes over the training split", wholeNumber(1))
    .option("--batch-size <count>", "samples a step", wholeNumber(1))
    .option("--validation-split <share>", "share held back and evaluated after each epoch", numberBetween(0, 0.99))
    .option("--seed <number>", "the same seed gives the same weights", wholeNumber(0))
    .option("--threads <count>", "processor threads", wholeNumber(1))
    .option("--optimizer <name>", "adam or sgd")
    .option("--loss <name>", "such as sparseCategoricalCrossentropy")
    .option("-d, --detach", "do not wait for the end");
  train.action(async (file: string, flags: TrainFlags) => {
    const session = open(train);
    const request = runRequest(await readJson(file), flags);
    const { client, output, signal } = await session.connected();
    const run = await client.runs.create(request, { signal });
    if (flags.detach === true) return output.result(() => `Training ${run.name}: gristmill run watch ${run.id}`, run);
    if (!output.json) output.note(`Training ${run.name} (${run.id}); Ctrl-C cancels it.`);
    await followRun(session, run, { owns: true });
  });
  return train;
}
