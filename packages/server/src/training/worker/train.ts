/** @file What a training worker does, from its start message to its last word. */
import { readFile } from "node:fs/promises";
import { type EpochResult, Model, NonFiniteLossError, type Progress, type Scores } from "@gristmill/nn";
import { encodeModel, SessionError, type Value } from "@gristmill/onnx";
import { environmentOf } from "./environment.ts";
import { openIdxSource } from "./idx-source.ts";
import type { EpochMessage, FinishedMessage, FromWorker, WorkerStart } from "./protocol.ts";
import { writeWholeFile } from "./written-file.ts";

/** The way to main, and what main may say meanwhile. */
export interface TrainControl {
  send(message: FromWorker): void;
  /** Aborted when main asks to stop. */
  readonly signal: AbortSignal;
  /** Resolves when main has recorded the checkpoint of that epoch. */
  recorded(epoch: number): Promise<void>;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** At most about five a second: more than people see. */
const progressEveryMs = 200;

/** Trains, evaluates, exports. The result is the last message: finished, failed or stopped. */
export async function train(start: WorkerStart, control: TrainControl): Promise<FromWorker> {
  try {
    return await trainToEnd(start, control);
  } catch (error) {
    if (control.signal.aborted) return { type: "stopped" };
    if (error instanceof NonFiniteLossError) return { type: "failed", code: "run.not_finite", message: error.message };
    if (error instanceof SessionError) return { type: "failed", code: "engine.failed", message: error.message };
    throw error; // unknown: the process ends with it, and main tries again from the checkpoint
  }
}

async function trainToEnd(start: WorkerStart, control: TrainControl): Promise<FinishedMessage> {
  const { fit, encoding, classes, folder, checkpoint } = start;
  const { signal, now } = control;
  const model = checkpoint === null ? newModel(start) : Model.load(await readFile(checkpoint.path));
  const options = { scale: fit.scale, encoding, classes };
  const training = openIdxSource(start.train, options);
  const test = start.test === null ? null : openIdxSource(start.test, options);
  try {
    let told = Number.NEGATIVE_INFINITY;
    await model.fit(training, {
      epochs: fit.epochs,
      initialEpoch: checkpoint?.epoch ?? 0,
      batchSize: fit.batchSize,
      validationSplit: fit.validationSplit,
      shuffle: fit.shuffle,
      seed: fit.seed,
      threads: fit.threads,
      signal,
      now,
      onProgress(progress) {
        const isLast = progress.step === progress.steps;
        if (now() - told < progressEveryMs && !isLast) return;
        told = now();
        control.send({ type: "progress", progress: progressToWire(progress) });
      },
      async onEpochEnd(result) {
        const file = await writeWholeFile(folder, `checkpoint-${result.epoch}`, model.save());
        control.send(epochMessage(result, file));
        await control.recorded(result.epoch); // so that at most one checkpoint is ever on its way
      },
    });
    if (test !== null) {
      const scores = await model.evaluate(test, { threads: fit.threads, signal });
      control.send({ type: "evaluated", metrics: valuesOf(scores) });
    }
    return { type: "finished", model: await exportModel(start, model), environment: environmentOf(fit.threads) };
  } finally {
    training.close();
    test?.close();
    await model.close();
  }
}

function newModel({ spec, compile, fit }: WorkerStart): Model {
  const model = Model.fromSpec(spec, { seed: fit.seed });
  model.compile(compile);
  return model;
}

async function exportModel(start: WorkerStart, model: Model): Promise<FinishedMessage["model"]> {
  if (start.exportMetadata === null) return null;
  const exported = model.toOnnx();
  const metadata = { ...exported.metadata, ...start.exportMetadata };
  const file = await writeWholeFile(start.folder, "model.onnx", encodeModel({ ...exported, metadata }));
  const { inputs, outputs } = exported.graph;
  return { ...file, inputs: inputs.map(toSignature), outputs: outputs.map(toSignature) };
}

/** Named sizes become -1. */
const toSignature = ({ name, dtype, shape }: Value) => ({
  name,
  dtype,
  shape: shape.map((size) => (typeof size === "number" ? size : -1)),
});

const epochMessage = (result: EpochResult, checkpoint: EpochMessage["checkpoint"]): EpochMessage => ({
  type: "epoch",
  epoch: result.epoch,
  metrics: { ...valuesOf(result), ...valuesOf(result.validation, "val_") },
  seconds: result.seconds,
  checkpoint,
});

const progressToWire = (progress: Progress) => ({
  epoch: progress.epoch,
  epochs: progress.epochs,
  step: progress.step,
  steps: progress.steps ?? progress.step,
  samples_per_second: progress.samplesPerSecond,
  seconds_left: progress.secondsLeft ?? null,
  metrics: valuesOf(progress),
});

/** loss, accuracy … as the wire names them. */
function valuesOf(scores: Scores | undefined, prefix = ""): Record<string, number> {
  if (scores === undefined) return {};
  const all = Object.entries({ loss: scores.loss, ...scores.metrics });
  return Object.fromEntries(all.map(([name, value]) => [`${prefix}${name}`, value]));
}
