import { type FileHandle, mkdir, open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { type EventTime, EventWriter, eventFileName, fileSink, histogramOf } from "../formats/index.ts";
import type { Callback } from "../training/control.ts";
import type { Scores } from "../training/history.ts";

/** Settings of `tensorBoard`. */
export interface TensorBoardOptions {
  /** Writes histograms of all weights every so many epochs; 0 (when left out) never. */
  readonly histogramEvery?: number;
}

/**
 * Event files that TensorBoard opens: `tensorboard --logdir FOLDER`. Training and validation are runs of their own with
 * Keras' names ("epoch_loss", "epoch_accuracy"); their steps are epochs, from 1. Each training begins new files.
 */
export function tensorBoard(folder: string, { histogramEvery = 0 }: TensorBoardOptions = {}): Callback {
  const runs = new Map<string, { readonly file: FileHandle; readonly writer: EventWriter }>();
  let count = 0;
  const run = async (name: string): Promise<EventWriter> => {
    const known = runs.get(name);
    if (known !== undefined) return known.writer;
    const startSeconds = Math.floor(Date.now() / 1000);
    const origin = { startSeconds, host: hostname(), processId: process.pid, count: count++ };
    await mkdir(join(folder, name), { recursive: true });
    const file = await open(join(folder, name, eventFileName(origin)), "w");
    const writer = await EventWriter.start(fileSink(file), Date.now() / 1000);
    runs.set(name, { file, writer });
    return writer;
  };
  return {
    name: `tensorBoard ${folder}`,
    async onEpochEnd(result, control) {
      const time: EventTime = { step: result.epoch, wallTimeSeconds: Date.now() / 1000 };
      const rate = result.learningRate === undefined ? {} : { epoch_learning_rate: result.learningRate };
      const train = await run("train");
      await writeScalars(train, time, { ...scalarsOf(result), ...rate });
      if (result.validation !== undefined)
        await writeScalars(await run("validation"), time, scalarsOf(result.validation));
      if (histogramEvery <= 0 || result.epoch % histogramEvery !== 0) return;
      const weights = control.weights().map(([name, values]) => [name, histogramOf(values)] as const);
      await train.write(time, new Map(weights.map(([name, histogram]) => [name, { kind: "histogram", histogram }])));
    },
    async onTrainEnd() {
      const open = [...runs.values()];
      runs.clear();
      for (const { file } of open) await file.close();
    },
  };
}

const scalarsOf = ({ loss, metrics }: Scores): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries({ loss, ...metrics }).map(([name, value]) => [`epoch_${name}`, value]));

const writeScalars = (writer: EventWriter, time: EventTime, scalars: Readonly<Record<string, number>>): Promise<void> =>
  writer.write(time, new Map(Object.entries(scalars).map(([name, value]) => [name, { kind: "scalar", value }])));
