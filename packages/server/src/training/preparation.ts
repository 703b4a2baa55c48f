/** @file What a worker is started with: paths on this machine, checked before it reads them. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { imageClassification } from "@gristmill/contract";
import type { Datasets } from "../data/index.ts";
import { taskMetadataKey } from "../models/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { RunRow } from "./store.ts";
import type { WorkerStart } from "./worker/protocol.ts";

/** Where an attempt writes; no other one does. */
export const attemptFolder = (folder: string, run: RunRow): string => join(folder, `${run.id}-${run.attempts}`);

/** A start message, and what the worker may read. */
export interface Preparation {
  readonly start: WorkerStart;
  readonly readPaths: readonly string[];
  readonly folder: string;
}

/**
 * Checks the data and the checkpoint against their hashes and makes the attempt's empty folder.
 * @throws AppError `artifact.corrupt`, `dataset.not_found`
 */
export async function prepareAttempt(
  run: RunRow,
  deps: { readonly datasets: Datasets; readonly objects: ObjectStore; readonly folder: string },
): Promise<Preparation> {
  const { plan, request } = run;
  const split = (name: string) => deps.datasets.splitFiles(run.project_id, run.dataset_version_id, name);
  const train = await split(request.train_split);
  const test = request.test_split === null ? null : await split(request.test_split);
  let checkpoint: WorkerStart["checkpoint"] = null;
  if (run.checkpoint !== null) {
    await deps.objects.verify(run.checkpoint.sha256);
    checkpoint = { path: await deps.objects.path(run.checkpoint.sha256), epoch: run.checkpoint.epoch };
  }
  const folder = attemptFolder(deps.folder, run);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = [train, test].flatMap((files) => (files === null ? [] : [files.images.path, files.labels.path]));
  return {
    folder,
    readPaths: checkpoint === null ? files : [...files, checkpoint.path],
    start: {
      type: "start",
      spec: plan.spec,
      compile: plan.compile,
      fit: {
        epochs: request.fit.epochs,
        batchSize: request.fit.batch_size,
        validationSplit: request.fit.validation_split,
        shuffle: request.fit.shuffle,
        seed: request.fit.seed,
        threads: run.threads ?? 1,
        scale: request.fit.scale,
      },
      classes: plan.classNames.length,
      encoding: plan.encoding,
      train,
      test,
      folder,
      checkpoint,
      exportMetadata: request.register === undefined ? null : { [taskMetadataKey]: JSON.stringify(taskOf(run)) },
    },
  };
}

/** What serving must know to turn an image into the model's input and its output into labels. */
export function taskOf({ plan, request }: Pick<RunRow, "plan" | "request">) {
  const [height = 1, width = 1, channels = 1] = plan.recordShape;
  const { scale } = request.fit;
  return imageClassification.parse({
    task: "image-classification",
    height,
    width,
    channels,
    scale,
    class_names: plan.classNames,
  });
}
