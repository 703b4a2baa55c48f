import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCsv, parseJsonLines, readEvents } from "../formats/index.ts";
import { dense } from "../layers/core/dense.ts";
import type { FitOptions } from "../model/options.ts";
import { Sequential } from "../model/sequential.ts";
import type { Callback } from "../training/control.ts";
import type { History } from "../training/history.ts";
import { curves } from "./curves.ts";
import { csvLogger, jsonlLogger } from "./log-files.ts";
import { modelCheckpoint } from "./model-checkpoint.ts";
import { progressBar } from "./progress-bar.ts";
import { tensorBoard } from "./tensor-board.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-callbacks-"));
});
afterAll(() => rm(folder, { recursive: true }));

const data = { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [7]] };

/** A model of one weight, trained; what it gives and what is open afterwards are looked at. */
async function train(callbacks: readonly Callback[], options: FitOptions = {}): Promise<History> {
  const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 });
  model.compile({
    optimizer: { type: "sgd", learningRate: 0.05 },
    loss: "meanSquaredError",
    metrics: ["meanAbsoluteError"],
  });
  try {
    return await model.fit(data.x, data.y, {
      epochs: 3,
      batchSize: 2,
      threads: 1,
      validationData: data,
      ...options,
      callbacks,
    });
  } finally {
    await model.close();
  }
}

/** Files of a folder that this process has open. */
async function openFiles(within: string): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((path) => path.startsWith(within));
}

describe("tables and lines", () => {
  it("have a row for each epoch with every number of the history", async () => {
    const [csv, jsonl] = [join(folder, "deep", "log.csv"), join(folder, "deep", "log.jsonl")];
    const { history, epochs } = await train([csvLogger(csv), jsonlLogger(jsonl)]);
    const { columns, rows } = parseCsv(await readFile(csv, "utf8"));
    const names = ["loss", "meanAbsoluteError", "learningRate", "valLoss", "valMeanAbsoluteError"];
    expect(columns).toEqual(["epoch", "seconds", ...names]);
    for (const name of names) expect(rows.map((row) => Number(row[columns.indexOf(name)]))).toEqual(history[name]);
    const lines = parseJsonLines(await readFile(jsonl, "utf8"));
    expect(lines.map(({ epoch, loss, seconds }) => [epoch, loss, seconds])).toEqual(
      epochs.map(({ epoch, loss, seconds }) => [epoch, loss, seconds]),
    );
  });

  it("begin anew, or go on without the epochs that are done again and without half a line", async () => {
    const [csv, jsonl] = [join(folder, "again.csv"), join(folder, "again.jsonl")];
    await train([csvLogger(csv), jsonlLogger(jsonl)], { epochs: 4 });
    await writeFile(csv, `${await readFile(csv, "utf8")}5,0.0`); // killed while it wrote
    await writeFile(jsonl, `${await readFile(jsonl, "utf8")}{"epoch": 5`);
    const on = { append: true };
    await train([csvLogger(csv, on), jsonlLogger(jsonl, on)], { epochs: 5, initialEpoch: 2 });
    const epochsOf = async () => [
      parseCsv(await readFile(csv, "utf8")).rows.map(([epoch]) => Number(epoch)),
      parseJsonLines(await readFile(jsonl, "utf8")).map(({ epoch }) => epoch),
    ];
    expect(await epochsOf()).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    await train([csvLogger(csv), jsonlLogger(jsonl)], { epochs: 1 });
    expect(await epochsOf()).toEqual([[1], [1]]);
    await train([csvLogger(join(folder, "none.csv"), on)], { epochs: 1 }); // nothing to go on with
  });

  it("leave cells empty where an epoch was not validated", async () => {
    const csv = join(folder, "seldom.csv");
    await train([csvLogger(csv)], { validationFreq: 2 });
    const { columns, rows } = parseCsv(await readFile(csv, "utf8"));
    const place = columns.indexOf("valLoss");
    expect(rows.map((row) => row[place] !== "")).toEqual([false, true, false]);
  });
});

it("TensorBoard's files have training and validation as runs, by epochs, and histograms where asked", async () => {
  const logs = join(folder, "logs");
  const { history } = await train([tensorBoard(logs, { histogramEvery: 2 })]);
  const eventsOf = async (run: string) => {
    const [file = "", ...others] = await readdir(join(logs, run));
    expect(others).toEqual([]);
    return [...readEvents(await readFile(join(logs, run, file)))].slice(1); // the first tells the version
  };
  const events = await eventsOf("train");
  const scalarsOf = (list: Awaited<ReturnType<typeof eventsOf>>, tag: string) =>
    list.flatMap(({ step, values }) => {
      const value = values.get(tag);
      return value?.kind === "scalar" ? [[step, value.value]] : [];
    });
  const expected = (name: string) => history[name]?.map((value, i) => [i + 1, Math.fround(value)]);
  expect(scalarsOf(events, "epoch_loss")).toEqual(expected("loss"));
  expect(scalarsOf(events, "epoch_learning_rate")).toEqual(expected("learningRate"));
  expect(scalarsOf(await eventsOf("validation"), "epoch_meanAbsoluteError")).toEqual(expected("valMeanAbsoluteError"));
  const histograms = events.filter(({ values }) => values.get("dense_1/kernel")?.kind === "histogram");
  expect(histograms.map(({ step }) => step)).toEqual([2]);
});

it("curves are one picture of all epochs, also of those before a resume", async () => {
  const path = join(folder, "curves.svg");
  const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 });
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const options = { threads: 1, validationData: data, callbacks: [curves(path)] };
  await model.fit(data.x, data.y, { ...options, epochs: 4 });
  const unbroken = await readFile(path, "utf8");
  expect(unbroken).toMatch(/^<svg/);
  expect(unbroken).toContain("valLoss");
  const again = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 });
  again.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  await again.fit(data.x, data.y, { ...options, epochs: 2 });
  const resumed = Sequential.load(again.save());
  await resumed.fit(data.x, data.y, { ...options, epochs: 4, initialEpoch: 2 });
  expect(await readFile(path, "utf8")).toBe(unbroken);
  for (const one of [model, again, resumed]) await one.close();
});

describe("a progress bar", () => {
  const shownOn = async (columns: number | undefined, options: FitOptions = {}): Promise<string> => {
    let text = "";
    const write = (more: string) => {
      text += more;
    };
    const terminal = { write, ...(columns === undefined ? {} : { columns }) };
    let time = 0;
    const now = () => {
      time += 1000;
      return time;
    };
    await train([progressBar(terminal)], { epochs: 2, now, ...options }).catch(() => undefined);
    return text;
  };

  it("moves on a terminal, no wider than it, and leaves a line for each epoch", async () => {
    const shown = await shownOn(60);
    // what stays when each line start and erasure is carried out
    const visible = shown.split("\n").map((line) => line.split("\r\u001b[K").at(-1) ?? "");
    expect(visible).toHaveLength(3);
    expect(visible[0]).toMatch(/^epoch 1 {2}loss [\d.]+ {2}meanAbsoluteError [\d.]+ {2}valLoss [\d.]+ .* \d+:\d\d$/);
    expect(visible[1]).toMatch(/^epoch 2 {2}/);
    expect(visible[2]).toBe("");
    const moving = shown.split("\r\u001b[K").filter((line) => line.includes("━"));
    expect(moving[0]).toMatch(/^epoch 1\/2 {2}━{12}─{12} 1\/2 {2}loss/);
    for (const line of moving) expect(line.length).toBeLessThan(60);
  });

  it("writes plain lines, one for each epoch, where there is no terminal", async () => {
    const shown = await shownOn(undefined);
    expect(shown.split("\n")).toHaveLength(3);
    expect(shown).not.toContain("\r");
  });

  it("ends its line when the training breaks off", async () => {
    const shown = await shownOn(80, {
      onProgress({ step }) {
        if (step === 2) throw new Error("enough");
      },
    });
    expect(shown).toMatch(/1\/2 [^\n]*\n$/);
  });
});

describe("a checkpoint of the model", () => {
  it("is named by epoch and numbers, and only the best where asked", async () => {
    const named = join(folder, "named");
    const { history } = await train([modelCheckpoint(join(named, "m-{epoch}-{valLoss}.nn"), { every: 2 })], {
      epochs: 4,
    });
    const nameOf = (epoch: number) => `m-00${epoch}-${history["valLoss"]?.[epoch - 1]?.toFixed(4)}.nn`;
    expect((await readdir(named)).sort()).toEqual([nameOf(2), nameOf(4)]);
    const loaded = Sequential.load(await readFile(join(named, nameOf(4))));
    expect([loaded.epoch, loaded.step]).toEqual([4, 8]);
    const best = join(folder, "best");
    // the loss falls, so its negative side: more is better at the first epoch only
    await train([modelCheckpoint(join(best, "{epoch}.nn"), { saveBestOnly: true, mode: "max" })]);
    expect(await readdir(best)).toEqual(["001.nn"]);
  });

  it("refuses names that the history does not have", async () => {
    await expect(train([modelCheckpoint(join(folder, "{acc}.nn"))])).rejects.toThrow(
      "modelCheckpoint: expected {epoch} or one of loss, meanAbsoluteError, learningRate, valLoss, valMeanAbsoluteError in the path, received {acc}",
    );
    expect(() => modelCheckpoint("x", { every: 0 })).toThrow("expected every to be a whole number from 1, received 0");
  });

  it("is whole or not there: a failed write leaves the file of before and nothing beside it", async () => {
    const place = join(folder, "blocked");
    await mkdir(join(place, "model.nn", "in-the-way"), { recursive: true }); // a folder where the file should go
    await expect(train([modelCheckpoint(join(place, "model.nn"))])).rejects.toThrow();
    expect(await readdir(place)).toEqual(["model.nn"]);
  });
});

describe("a callback that fails", () => {
  const failing = (at: keyof Callback): Callback => ({
    name: `fails ${at}`,
    [at]: () => Promise.reject(new Error(`failed ${at}`)),
  });

  it.each(["onTrainBegin", "onRunEnd", "onEpochEnd", "onTrainEnd"] as const)(
    "at %s fails the training, and every file is closed",
    async (at) => {
      const place = join(folder, at);
      const files = [
        csvLogger(join(place, "a.csv")),
        jsonlLogger(join(place, "a.jsonl")),
        tensorBoard(join(place, "logs")),
      ];
      await expect(train([...files, failing(at)])).rejects.toThrow(`failed ${at}`);
      await expect(train([failing(at), ...files])).rejects.toThrow(`failed ${at}`);
      expect(await openFiles(place)).toEqual([]);
    },
  );

  it("is heard of first, whatever the end makes of it", async () => {
    await expect(train([failing("onTrainEnd"), failing("onEpochEnd")])).rejects.toThrow("failed onEpochEnd");
  });

  it("comes once under one name", async () => {
    await expect(train([failing("onRunEnd"), failing("onRunEnd")])).rejects.toThrow('received "fails onRunEnd" twice');
  });

  it("may stop the training with a reason that the history tells, the first one given", async () => {
    const stops = (name: string): Callback => ({ name, onRunEnd: (_, control) => control.stop(`${name} says so`) });
    const { stopped, epochs } = await train([stops("one"), stops("other")]);
    expect([stopped, epochs.length]).toEqual(["one says so", 1]);
    expect((await train([])).stopped).toBeUndefined();
  });
});
