import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageClassification } from "@gristmill/contract";
import { tensor } from "@gristmill/onnx";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Children, createChildren } from "../children/index.ts";
import { processStart } from "../children/process-start.ts";
import { ReplicaDiedError, ReplicaProcess } from "./replica-process.ts";
import { scaling, seer, slow } from "./testing/small-models.ts";

const quiet = (): void => undefined;
const signal = new AbortController().signal;
let folder: string;
let children: Children;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-replica-"));
  children = createChildren({ folder, now: () => new Date(), log: { info: quiet, warn: quiet, error: quiet } });
});
afterEach(async () => {
  await children.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(
  bytes: Uint8Array,
  more: { task?: ImageClassification; patience?: { pingMs: number; silenceMs: number } } = {},
): Promise<ReplicaProcess> {
  const artifactPath = join(folder, "model.onnx");
  await writeFile(artifactPath, bytes);
  const { patience, task = null } = more;
  return await ReplicaProcess.start(children, {
    name: "replica rpl_1",
    signal,
    ...(patience && { patience }),
    start: {
      model: "test@1",
      artifactPath,
      threads: 1,
      settings: { engine: "onnx", batching: { maxBatchSize: 8, maxDelayMs: 1, maxQueue: 100 }, task },
    },
  });
}

const one = { x: tensor("float32", [1, 1], new Float32Array([1])) };

describe("a replica process", () => {
  it("[SRV1] loads the model, answers, and tells its memory", async () => {
    const replica = await start(scaling(3));
    const x = tensor("float32", [2, 3], new Float32Array([1, 2, 3, 4, 5, 6]));
    const { outputs, batchSize } = await replica.call({ type: "infer", inputs: { x } }, signal);
    expect(outputs["y"]).toEqual(tensor("float32", [2, 3], new Float32Array([3, 6, 9, 12, 15, 18])));
    expect(batchSize).toBe(2);
    expect(replica.health.memoryBytes).toBeGreaterThan(1e7);
    expect(await replica.stop()).toMatchObject({ code: 0 });
    expect(replica.hasEnded).toBe(true);
    await expect(replica.call({ type: "infer", inputs: { x } }, signal)).rejects.toBeInstanceOf(ReplicaDiedError);
  });

  it("[SRV7] says why the engine refuses a model, and leaves no process", async () => {
    await expect(start(Buffer.from("no model"))).rejects.toMatchObject({
      code: "engine.failed",
      message: expect.stringMatching(/test@1: the model cannot be loaded/),
    });
  });

  it("[IMG1] classifies the bytes of an image by the model's own task", async () => {
    const task = {
      task: "image-classification" as const,
      height: 2,
      width: 2,
      channels: 1,
      scale: 0.5,
      class_names: [],
    };
    const replica = await start(seer(task), { task });
    const raw = { raw: { height: 2, width: 2, channels: 1 as const } };
    const image = await sharp(Buffer.from([10, 20, 30, 40]), raw)
      .toColourspace("b-w")
      .png()
      .toBuffer();
    const { outputs } = await replica.call({ type: "classify", image }, signal);
    expect(outputs["scores"]?.data).toEqual(new Float32Array([5, 10, 15, 20]));
    await expect(replica.call({ type: "classify", image: Buffer.from("GIF89a") }, signal)).rejects.toMatchObject({
      code: "image.unreadable",
    });
  });

  it("[IMG1] takes no image for a model that is no image classifier", async () => {
    const replica = await start(scaling(3));
    await expect(replica.call({ type: "classify", image: new Uint8Array(9) }, signal)).rejects.toMatchObject({
      code: "engine.input_invalid",
      details: { tensor: "x" },
    });
  });

  it("[SRV5] calls under way fail with the death of the process", async () => {
    const replica = await start(slow(60));
    const call = replica.call({ type: "infer", inputs: one }, signal);
    process.kill(replica.pid, "SIGKILL");
    await expect(call).rejects.toBeInstanceOf(ReplicaDiedError);
  });

  it("[SRV14] is ended when it is silent for longer than it may", async () => {
    const replica = await start(slow(300), { patience: { pingMs: 50, silenceMs: 300 } });
    await expect(replica.call({ type: "infer", inputs: one }, signal)).rejects.toThrow(/SIGKILL/);
    expect(processStart(replica.pid)).toBeUndefined();
  });

  it("[SRV14] is not ended while it idles, since it answers pings", async () => {
    const replica = await start(scaling(3), { patience: { pingMs: 50, silenceMs: 300 } });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(replica.hasEnded).toBe(false);
  });
});
