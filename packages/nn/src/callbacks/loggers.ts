/** @file Callbacks that write down what a training does: tables, events for TensorBoard, pictures, a line that moves. */
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import {
  CsvLog,
  EventWriter,
  eventFileName,
  fileSink,
  histogramOf,
  jsonLine,
  type LogRow,
  parseCsv,
} from "../formats/index.ts";
import { curvePlot } from "../pictures/index.ts";
import type { Callback } from "../training/control.ts";
import { type EpochResult, historyOf } from "../training/history.ts";
import { writeWhole } from "./model-checkpoint.ts";

/** An epoch as one row: its number, seconds, and every number of the history. */
const rowOf = (result: EpochResult): LogRow => ({
  epoch: result.epoch,
  seconds: result.seconds,
  ...Object.fromEntries(Object.entries(historyOf([result]).history).map(([name, [value]]) => [name, value])),
});

/** Opens a file for the length of a training: for writing anew, or at its end. */
async function openLog(path: string, append: boolean): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, append ? "a" : "w");
}

/** A row of CSV for each epoch. `append` (false) goes on with a file that is there. */
export function csvLogger(path: string, { append = false }: { readonly append?: boolean } = {}): Callback {
  let file: FileHandle | undefined;
  let log: CsvLog | undefined;
  return {
    name: `csvLogger ${path}`,
    async onTrainBegin() {
      const before = append ? await readFile(path, "utf8").catch(() => "") : "";
      file = await openLog(path, append);
      log = new CsvLog(fileSink(file), before === "" ? undefined : parseCsv(before).columns);
    },
    onEpochEnd: async (result) => log?.append(rowOf(result)),
    onTrainEnd: async () => file?.close(),
  };
}

/** A line of JSON for each epoch. `append` (false) goes on with a file that is there. */
export function jsonlLogger(path: string, { append = false }: { readonly append?: boolean } = {}): Callback {
  let file: FileHandle | undefined;
  return {
    name: `jsonlLogger ${path}`,
    async onTrainBegin() {
      file = await openLog(path, append);
    },
    async onEpochEnd(result) {
      await file?.appendFile(jsonLine(rowOf(result)));
    },
    onTrainEnd: async () => file?.close(),
  };
}

/** Settings of `tensorBoard`. */
export interface TensorBoardOptions {
  /** Writes histograms of all weights every so many epochs; 0 (when left out) never. */
  readonly histogramEvery?: number;
}

/** Event files that TensorBoard opens: `tensorboard --logdir FOLDER`. Training and validation are runs of their own, as Keras writes them. */
export function tensorBoard(folder: string, { histogramEvery = 0 }: TensorBoardOptions = {}): Callback {
  const runs = new Map<string, { file: FileHandle; writer: EventWriter }>();
  let count = 0;
  const run = async (name: string): Promise<EventWriter> => {
    const known = runs.get(name);
    if (known !== undefined) return known.writer;
    const origin = {
      startSeconds: Math.floor(Date.now() / 1000),
      host: hostname(),
      processId: process.pid,
      count: count++,
    };
    const file = await openLog(join(folder, name, eventFileName(origin)), false);
    const writer = await EventWriter.start(fileSink(file), Date.now() / 1000);
    runs.set(name, { file, writer });
    return writer;
  };
  return {
    name: `tensorBoard ${folder}`,
    async onEpochEnd(result, control) {
      const step = result.epoch;
      const time = { step, wallTimeSeconds: Date.now() / 1000 };
      const scalars = (scores: { loss: number; metrics: Readonly<Record<string, number>> }) =>
        Object.fromEntries(
          Object.entries({ loss: scores.loss, ...scores.metrics }).map(([name, value]) => [`epoch_${name}`, value]),
        );
      const rate = result.learningRate === undefined ? {} : { epoch_learning_rate: result.learningRate };
      const train = await run("train");
      await writeScalars(train, time, { ...scalars(result), ...rate });
      if (result.validation !== undefined)
        await writeScalars(await run("validation"), time, scalars(result.validation));
      if (histogramEvery > 0 && step % histogramEvery === 0)
        await train.write(
          time,
          new Map(
            control
              .weights()
              .map(([name, values]) => [name, { kind: "histogram", histogram: histogramOf(values) }] as const),
          ),
        );
    },
    async onTrainEnd() {
      for (const { file } of runs.values()) await file.close();
      runs.clear();
    },
  };
}

const writeScalars = (
  writer: EventWriter,
  time: Parameters<EventWriter["write"]>[0],
  scalars: Readonly<Record<string, number>>,
): Promise<void> =>
  writer.write(
    time,
    new Map(Object.entries(scalars).map(([name, scalar]) => [name, { kind: "scalar", value: scalar }] as const)),
  );

/** A picture of the training as SVG, written anew after each epoch: losses and metrics, each with its validation. */
export function curves(path: string): Callback {
  const results: EpochResult[] = [];
  return {
    name: `curves ${path}`,
    onTrainBegin: () => void results.splice(0),
    async onEpochEnd(result) {
      results.push(result);
      const { history } = historyOf(results);
      const lines = Object.entries(history)
        .filter(([name]) => name !== "learningRate")
        .map(([name, y]) => ({ name, y, x: results.map(({ epoch }) => epoch), isDashed: name.startsWith("val") }));
      await writeWhole(path, new TextEncoder().encode(curvePlot(lines, { title: "Training", xLabel: "epoch" })));
    },
  };
}

/** Where a progress bar goes: a terminal. */
export interface Terminal {
  write(text: string): unknown;
  readonly columns?: number;
}

const clock = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
};

/** A line that shows how far an epoch is, with rate and time left, and stays as a line of results. */
export function progressBar(terminal: Terminal = process.stderr): Callback {
  const bar = (share: number): string => {
    const done = Math.round(share * 24);
    return `${"━".repeat(done)}${"─".repeat(24 - done)}`;
  };
  const numbers = (values: Readonly<Record<string, number>>): string =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
      .join("  ");
  return {
    name: "progressBar",
    onRunEnd({ epoch, epochs, step, steps, samplesPerSecond, secondsLeft, loss, metrics }) {
      const place = steps === undefined ? `step ${step}` : `${bar(step / steps)} ${step}/${steps}`;
      const left = secondsLeft === undefined ? "" : `  ${clock(secondsLeft)} left`;
      const line = `epoch ${epoch}/${epochs}  ${place}  ${numbers({ loss, ...metrics })}  ${Math.round(samplesPerSecond)}/s${left}`;
      terminal.write(`\r\u001b[K${line.slice(0, (terminal.columns ?? 120) - 1)}`);
    },
    onEpochEnd(result) {
      const { learningRate: _, ...history } = historyOf([result]).history;
      const values = Object.fromEntries(Object.entries(history).map(([name, [value = Number.NaN]]) => [name, value]));
      terminal.write(`\r\u001b[Kepoch ${result.epoch}  ${numbers(values)}  ${clock(result.seconds)}\n`);
    },
  };
}
