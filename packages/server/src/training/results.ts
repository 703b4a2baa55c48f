/** @file What a worker made becomes durable: checkpoints while it works, a model version when it is done. */
import { join } from "node:path";
import type { Run } from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Models } from "../models/index.ts";
import { lockObject, type ObjectStore, releaseObject } from "../objects/index.ts";
import { taskOf } from "./preparation.ts";
import { cardOf } from "./registration.ts";
import type { RunWriter } from "./run-writer.ts";
import type { RunStore } from "./store.ts";
import type { EpochMessage, FinishedMessage } from "./worker/protocol.ts";

interface Deps {
  readonly db: Kysely<unknown>;
  readonly store: RunStore;
  readonly objects: ObjectStore;
  readonly models: Models;
}

interface WrittenFile {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Checkpoint, history and events in one step: after any kill, the row's history is that of its checkpoint. The one before is released. */
export async function saveEpoch(deps: Deps, writer: RunWriter, folder: string, message: EpochMessage): Promise<void> {
  const { db, store, objects } = deps;
  const { epoch, metrics, seconds, checkpoint: file } = message;
  const before = writer.run.checkpoint;
  const checkpoint = { epoch, sha256: file.sha256, size_bytes: file.sizeBytes };
  await writer.change(
    (row) => ({
      set: {
        checkpoint: JSON.stringify(checkpoint),
        // A try whose answer was lost may have been written: its epoch is there already.
        history: JSON.stringify([...row.history.filter((entry) => entry.epoch !== epoch), { epoch, metrics, seconds }]),
        deaths: 0,
      },
      events: row.history.some((entry) => entry.epoch === epoch)
        ? []
        : [
            { type: "run.epoch_finished", data: { epoch, metrics, seconds } },
            { type: "run.checkpoint_saved", data: checkpoint },
          ],
    }),
    async (tx) => {
      await lockObject(tx, file.sha256);
      // On a second try the file has been moved already.
      if (!(await objects.has(file.sha256))) await adopt(objects, folder, file);
    },
  );
  if (before === null || before.sha256 === file.sha256 || writer.isLost) return;
  await releaseObject(db, objects, before.sha256, (tx) => store.namesObject(tx, before.sha256));
}

/** After the worker's end: its file into the store, then the version, once for a run however often this is tried. */
export async function registerResult(
  { objects, models }: Deps,
  writer: RunWriter,
  folder: string,
  finished: FinishedMessage,
): Promise<Run["model_version"]> {
  const { run } = writer;
  const { register } = run.request;
  const { model } = finished;
  if (register === undefined || model === null) return null;
  if (!(await objects.has(model.sha256))) await adopt(objects, folder, model);
  const version = await models.register({
    projectId: run.project_id,
    model: register.model,
    format: "onnx",
    object: { sha256: model.sha256, sizeBytes: model.sizeBytes },
    inputs: model.inputs,
    outputs: model.outputs,
    task: taskOf(run),
    language: null,
    runId: run.id,
    card: cardOf(run, finished),
  });
  return { model: version.model, version: version.version, id: version.id };
}

async function adopt(objects: ObjectStore, folder: string, file: WrittenFile): Promise<void> {
  const stored = await objects.adopt(join(folder, file.file));
  if (stored.sha256 !== file.sha256)
    throw new Error(`${file.file}: the worker wrote sha256 ${file.sha256}, the disk has ${stored.sha256}`);
}
