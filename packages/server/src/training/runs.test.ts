import { readFile } from "node:fs/promises";
import { getPriority } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { decodeModel } from "@gristmill/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunStore } from "./store.ts";
import type { Site } from "./testing/site.ts";
import { smallSpec, World } from "./testing/world.ts";

let world: World;
let site: Site;

beforeAll(async () => {
  world = await World.create();
  site = await world.site({ timing: { cancelGraceMs: 2000 } });
  await site.start();
});

afterAll(() => world.close());

const typesOf = async (id: string): Promise<string[]> => {
  const store = new RunStore(world.database.db);
  const { id: runId } = await site.runs.get(world.project, id);
  const events = await store.eventsAfter(world.project, runId as Parameters<RunStore["find"]>[1], 0, 1000);
  expect(events.map((event) => event.id)).toEqual([...new Set(events.map((event) => event.id))].sort((a, b) => a - b));
  return events.map(({ type }) => type).filter((type) => type !== "run.progress");
};

describe("a run that succeeds", () => {
  it("[RUN6] trains, checkpoints every epoch, evaluates, registers, and tells each step", async () => {
    const { id } = await world.create(site, {
      fit: { epochs: 3, validation_split: 0.25, seed: 7 },
      register: { model: "digits-cnn", notes: "small" },
      labels: { team: "a" },
    });
    const run = await world.ended(site, id);
    expect(run).toMatchObject({
      status: "succeeded",
      attempts: 1,
      error: null,
      labels: { team: "a" },
      progress: { epoch: 3, epochs: 3, step: 12, steps: 12 },
      checkpoint: { epoch: 3 },
      model_version: { model: "digits-cnn", version: 1 },
    });
    expect(run.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(Object.keys(run.history[0]?.metrics ?? {})).toEqual(["loss", "accuracy", "val_loss", "val_accuracy"]);
    expect(run.history[2]?.metrics["loss"]).toBeLessThan(run.history[0]?.metrics["loss"] ?? 0);
    expect(Object.keys(run.evaluation ?? {})).toEqual(["loss", "accuracy"]);
    const epoch = ["run.epoch_finished", "run.checkpoint_saved"];
    expect(await typesOf(id)).toEqual([
      "run.queued",
      "run.started",
      ...epoch,
      ...epoch,
      ...epoch,
      "run.evaluated",
      "run.registered",
      "run.succeeded",
    ]);
    expect(await site.objects.has(run.checkpoint?.sha256 ?? "")).toBe(true);
  });

  it("[RUN13] makes a version with a card, a task, and an artifact that says the task too", async () => {
    const version = await site.models.resolve(world.project, "digits-cnn");
    const task = { task: "image-classification", height: 28, width: 28, channels: 1, scale: 1 / 255 };
    expect(version).toMatchObject({
      inputs: [{ name: "input", dtype: "float32", shape: [-1, 28, 28, 1] }],
      outputs: [{ name: "output", dtype: "float32", shape: [-1, 10] }],
      task: { ...task, class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] },
      card: {
        dataset: { name: "digits", version: 1, licence: "MIT", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        spec: { inputShape: [28, 28, 1] },
        compile: { loss: { type: "sparseCategoricalCrossentropy" } },
        fit: { epochs: 3, seed: 7, threads: 2 },
        metrics: { val_accuracy: expect.any(Number), test_accuracy: expect.any(Number) },
        parameters: 40 + 6760 + 10,
        environment: { node: process.version, onnxruntime: expect.stringMatching(/^1\./), threads: "2" },
        preprocessing: expect.stringContaining("float32 [batch, 28, 28, 1]"),
        notes: "small",
      },
    });
    expect(version.card.training_seconds).toBeGreaterThan(0);
    const artifact = await buffer(await site.models.openArtifact(version, new AbortController().signal));
    expect(artifact.length).toBe(version.size_bytes);
    expect(JSON.parse(decodeModel(artifact).metadata["gristmill.task"] ?? "")).toEqual(version.task);
  });

  it("[RUN12] meters exactly the time that the run says, with its dimensions", async () => {
    const { data } = await site.runs.list(world.project, { limit: 1, order: "asc" });
    const [run] = data;
    const usage = await world.usage(run?.id ?? "");
    expect(usage).toEqual([
      {
        id: `${run?.id}:1:0`,
        quantity: run?.training_seconds,
        dimensions: { run: run?.id, dataset: "digits", model: "digits-cnn", hardware: "cpu-2" },
      },
    ]);
  });

  it("does without a test split and without a model", async () => {
    const { id } = await world.create(site, { test_split: null });
    expect(await world.ended(site, id)).toMatchObject({ status: "succeeded", evaluation: null, model_version: null });
  });

  it.each([
    ["categoricalCrossentropy", 10],
    ["meanSquaredError", 10],
    ["binaryCrossentropy", 10],
  ])("[RUN3] trains with %s", async (loss, units) => {
    const layers = [{ type: "flatten" }, { type: "dense", units, activation: "sigmoid" }];
    const { id } = await world.create(site, { spec: { inputShape: [28, 28, 1], layers }, compile: { loss } });
    expect(await world.ended(site, id)).toMatchObject({ status: "succeeded", error: null });
  });
});

describe("a run that fails", () => {
  it("[RUN14] whose loss becomes NaN says what to do and keeps its last good checkpoint", async () => {
    // Too high a rate: weights grow by a factor an epoch, so the first epochs are finite and a later one is not.
    const spec = { inputShape: [28, 28, 1], layers: [{ type: "flatten" }, { type: "dense", units: 10 }] };
    const optimizer = { type: "sgd", learningRate: 3 };
    const { id } = await world.create(site, {
      spec,
      compile: { optimizer, loss: "meanSquaredError" },
      fit: { epochs: 50, batch_size: 256, shuffle: false },
      register: { model: "never" },
    });
    const run = await world.ended(site, id);
    expect(run).toMatchObject({
      status: "failed",
      model_version: null,
      error: { code: "run.not_finite", message: expect.stringMatching(/lower the learning rate/) },
    });
    expect(run.checkpoint?.epoch).toBe(run.history.length);
    expect(run.checkpoint?.epoch).toBeGreaterThan(0);
    expect(await site.objects.has(run.checkpoint?.sha256 ?? "")).toBe(true);
    expect((await typesOf(id)).at(-1)).toBe("run.failed");
    expect((await world.usage(id)).reduce((sum, { quantity }) => sum + quantity, 0)).toBe(run.training_seconds);
    await expect(site.models.get(world.project, "never")).rejects.toMatchObject({ code: "model.not_found" });
  });
});

describe("cancelling", () => {
  it("[RUN10] stops a running worker soon, keeps the checkpoint, and meters what it ran", async () => {
    const { id } = await world.create(site, { fit: { epochs: 10_000 } });
    await world.until(site, id, (run) => run.checkpoint !== null);
    const asked = await site.runs.cancel(world.project, id);
    expect(asked.status).toBe("cancelling");
    const run = await world.ended(site, id);
    expect(run).toMatchObject({ status: "cancelled", error: null });
    expect(run.checkpoint?.epoch).toBe(run.history.length);
    expect((await typesOf(id)).at(-1)).toBe("run.cancelled");
    expect((await world.usage(id)).reduce((sum, { quantity }) => sum + quantity, 0)).toBe(run.training_seconds);
    await expect(site.runs.cancel(world.project, id)).rejects.toMatchObject({ code: "run.finished" });
  });

  it("[RUN10] kills a worker that does not stop, after the deadline", async () => {
    const { id } = await world.create(site, { fit: { epochs: 10_000 } });
    await world.until(site, id, (run) => run.checkpoint !== null);
    process.kill(site.pids.at(-1) ?? 0, "SIGSTOP"); // hears nothing any more
    await site.runs.cancel(world.project, id);
    expect((await world.ended(site, id)).status).toBe("cancelled");
  });

  it("[RUN5] [RUN10] a queued run waits its turn, and is cancelled at once without a worker", async () => {
    const first = await world.create(site, { fit: { epochs: 10_000 } });
    const second = await world.create(site);
    const third = await world.create(site);
    await world.until(site, first.id, ({ status }) => status === "running");
    expect((await site.runs.get(world.project, second.id)).status).toBe("queued");
    expect((await site.runs.cancel(world.project, second.id)).status).toBe("cancelled");
    await site.runs.cancel(world.project, first.id);
    await world.ended(site, third.id);
    expect(await typesOf(second.id)).toEqual(["run.queued", "run.cancelled"]);
    expect(await site.runs.get(world.project, second.id)).toMatchObject({ attempts: 0, training_seconds: 0 });
    expect(await world.usage(second.id)).toEqual([]);
  });
});

it("[RUN5] the worker is a process of its own, nice, that may read its data and write its folder", async () => {
  const { id } = await world.create(site, { fit: { epochs: 10_000 } });
  await world.until(site, id, ({ checkpoint }) => checkpoint !== null);
  const pid = site.pids.at(-1) ?? 0;
  expect(getPriority(pid)).toBe(10);
  const flags = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  expect(flags).toContain("--permission");
  expect(flags.filter((flag) => flag.startsWith("--allow-fs-write"))).toEqual([
    `--allow-fs-write=${join(world.home, "work", "runs", `${id}-1`)}/`,
  ]);
  expect(flags.filter((flag) => flag.startsWith(`--allow-fs-read=${join(world.home, "objects")}`))).toHaveLength(4);
  const environment = await readFile(`/proc/${pid}/environ`, "utf8");
  expect(environment).not.toMatch(/DATABASE_URL|GRISTMILL|KEY/);
  await site.runs.cancel(world.project, id);
  await world.ended(site, id);
});

it("[RUN16] a dataset that an unfinished run reads is not deleted", async () => {
  const { id } = await world.create(site, { fit: { epochs: 10_000 }, spec: smallSpec });
  const datasets = site.datasets as unknown as { delete(projectId: string, name: string): Promise<unknown> };
  await expect(datasets.delete(world.project, "digits")).rejects.toMatchObject({ code: "dataset.in_use" });
  await site.runs.cancel(world.project, id);
  await world.ended(site, id);
});
