/** @file Language models in real replica processes, through everything that serving is. */
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createDeployment, updateDeployment } from "@gristmill/contract";
import { tensor } from "@gristmill/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processStart } from "../children/process-start.ts";
import { smallLanguageModel } from "../models/testing/small-language-model.ts";
import { chat, completion, deployLanguageModel, read, textOf } from "./testing/language-world.ts";
import { scaling } from "./testing/small-models.ts";
import { openWorld, type Running, until, untilStatus, type World } from "./testing/world.ts";

let world: World;
let running: Running;
const never = { signal: new AbortController().signal };

beforeAll(async () => {
  world = await openWorld();
  running = await world.start();
});
afterAll(async () => {
  await world.close();
});

const complete = (name: string, prompt: string, maxTokens: number, options = never) =>
  running.serving.generate(
    world.projectId,
    name,
    { kind: "complete", request: completion(prompt, maxTokens) },
    options,
  );
const inFlight = async (name: string) => (await running.serving.get(world.projectId, name)).replicas[0]?.queue_depth;

describe("a deployed language model", () => {
  beforeAll(async () => {
    await deployLanguageModel(world, running, "words", {
      generation: { slots: 4, context_length: 2048, max_queue: 2 },
    });
  });

  it("[SRV17] writes an answer, piece by piece, and says who wrote it", async () => {
    const { served, revision, modelVersion, events } = await complete("words", "the rain", 20);
    expect({ served, revision, modelVersion }).toEqual({
      served: { deployment: "words", model: "words", model_version: "1" },
      revision: 1,
      modelVersion: 1,
    });
    const all = await read(events);
    expect(all[0]).toMatchObject({ type: "started" });
    expect(all.at(-1)).toMatchObject({ type: "finished", reason: "length", usage: { completionTokens: 20 } });
    expect(textOf(await read((await complete("words", "the rain", 20)).events))).toBe(textOf(all));
  });

  it("[SRV17] writes chats by the model's template, and counts their tokens", async () => {
    const call = chat("hello", 5);
    const { events } = await running.serving.generate(world.projectId, "words", { kind: "chat", request: call }, never);
    const [started] = await read(events);
    const counted = await running.serving.countTokens(world.projectId, "words", call, never);
    expect(started).toMatchObject({ type: "started", promptTokens: counted.tokens });
    expect(counted.tokens).toBeGreaterThan(5);
    expect(
      (await running.serving.countTokens(world.projectId, "words", { prompt: "hello" }, never)).tokens,
    ).toBeLessThan(counted.tokens);
  });

  it("[SRV17] embeds texts as vectors of length 1", async () => {
    const { vectors, promptTokens, served } = await running.serving.embed(
      world.projectId,
      "words",
      ["a", "b c"],
      never,
    );
    expect(vectors.map(({ length }) => length)).toEqual([32, 32]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    expect(promptTokens).toBeGreaterThan(2);
    expect(served.deployment).toBe("words");
  });

  it("[SRV17] tells what it is", async () => {
    const described = await running.serving.describe(world.projectId, "words");
    expect(described).toMatchObject({
      format: "gguf",
      inputs: [],
      language: {
        file: { architecture: "llama", context_length: 4096, chat_template: true },
        contextLength: 2048,
        card: { contextLength: 2048, abilities: { chat: true, complete: true, rerank: false } },
      },
    });
    expect(await running.serving.describeAll(world.projectId)).toContainEqual(described);
    expect((await running.serving.get(world.projectId, "words")).revision).toMatchObject({
      batching: null,
      generation: { slots: 4, context_length: 2048, prefill_chunk: 256, max_queue: 2 },
    });
  });

  it("[SRV18] what is wrong with a request is told before anything is sent, with its place and its counts", async () => {
    await expect(complete("words", "rain ".repeat(2000), 5)).rejects.toMatchObject({
      code: "engine.context_length_exceeded",
      details: { param: "prompt", context_length: 2048, prompt_tokens: expect.any(Number), max_tokens: 5 },
    });
    const request = { ...completion("a", 5), constraint: { type: "grammar", grammar: "no grammar" } as const };
    await expect(
      running.serving.generate(world.projectId, "words", { kind: "complete", request }, never),
    ).rejects.toMatchObject({ code: "engine.request_invalid", details: { param: expect.any(String) } });
    await expect(
      running.serving.rerank(world.projectId, "words", { query: "a", documents: ["b"] }, never),
    ).rejects.toMatchObject({ code: "engine.request_invalid" });
    expect((await read((await complete("words", "a", 3)).events)).at(-1)).toMatchObject({ type: "finished" });
  });

  it("[SRV18] refuses more than may run and wait, and has all room again when the answers are read", async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => complete("words", "a", 600)));
    const waiting = [complete("words", "b", 1), complete("words", "c", 1)];
    await expect(complete("words", "d", 1)).rejects.toMatchObject({ code: "engine.queue_full" });
    await Promise.all(answers.map(({ events }) => read(events)));
    for (const one of waiting) expect((await read((await one).events)).at(-1)).toMatchObject({ type: "finished" });
    expect(await inFlight("words")).toBe(0);
  });

  it("[SRV18] a signal ends an answer at once, also one that nobody reads; its room is free", async () => {
    const ending = new AbortController();
    const reading = await complete("words", "a", 2000, { signal: ending.signal });
    const idle = await complete("words", "b", 2000, { signal: ending.signal });
    const texts = (async () => {
      const seen: string[] = [];
      for await (const event of reading.events) seen.push(event.type);
      return seen;
    })();
    await sleep(20);
    ending.abort(new Error("enough"));
    await expect(texts).rejects.toThrow("enough");
    expect(await inFlight("words")).toBe(0);
    await expect(read(idle.events)).rejects.toThrow("enough");
    const six = await Promise.all(Array.from({ length: 6 }, () => complete("words", "c", 2)));
    await Promise.all(six.map(({ events }) => read(events)));
  });

  it("[SRV18] a reader who leaves ends the answer, also before the first piece", async () => {
    for (let i = 0; i < 10; i++) {
      const { events } = await complete("words", "a", 2000);
      for await (const event of events) if (i % 2 === 0 || event.type !== "started") break;
    }
    expect(await inFlight("words")).toBe(0);
    const unread = await complete("words", "a", 2000);
    await unread.events[Symbol.asyncIterator]().return?.();
    expect(await inFlight("words")).toBe(0);
  });

  it("[SRV19] a slow reader gets every piece and holds up nobody", async () => {
    const slow = await complete("words", "slow", 400);
    const iterator = slow.events[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ type: "started" });
    await sleep(300);
    const quick = await read((await complete("words", "quick", 50)).events);
    expect(quick.at(-1)).toMatchObject({ type: "finished" });
    const rest: unknown[] = [];
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) rest.push(step.value);
    expect(rest.at(-1)).toMatchObject({ type: "finished", usage: { completionTokens: 400 } });
  });
});

describe("what can go wrong", () => {
  it("[SRV20] kill -9 in the middle of an answer ends it with engine.replica_died, and the next call is answered", async () => {
    const { replicas } = await deployLanguageModel(world, running, "mortal");
    const { events } = await complete("mortal", "a", 3000);
    const dying = (async () => {
      let pieces = 0;
      for await (const event of events)
        if (event.type === "text" && ++pieces === 3) process.kill(replicas[0]?.pid ?? 0, "SIGKILL");
    })();
    await expect(dying).rejects.toMatchObject({ code: "engine.replica_died", message: /The replica of deployment/ });
    expect((await read((await complete("mortal", "b", 3)).events)).at(-1)).toMatchObject({ type: "finished" });
    await running.serving.delete(world.projectId, "mortal");
  });

  it("[SRV20] kill -9 while a prompt is read: another replica answers, and nobody notices", async () => {
    const name = "patient";
    const { replicas } = await deployLanguageModel(world, running, name, {
      generation: { slots: 1, prefill_chunk: 16 },
    });
    const begun = complete(name, "rain ".repeat(780), 5);
    await sleep(10);
    process.kill(replicas[0]?.pid ?? 0, "SIGKILL");
    const all = await read((await begun).events);
    expect(all.filter(({ type }) => type === "started")).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ type: "finished", usage: { completionTokens: 5 } });
    expect((await running.serving.get(world.projectId, name)).replicas[0]?.restarts).toBe(1);
    await running.serving.delete(world.projectId, name);
  });

  it("[SRV7] a file that was damaged since, and one that llama.cpp refuses, are never served", async () => {
    const { replicas } = await deployLanguageModel(world, running, "rotten");
    await running.serving.delete(world.projectId, "rotten");
    await until(() => processStart(replicas[0]?.pid ?? 0) === undefined, "its memory is given back");
    const version = await running.models.resolve(world.projectId, "rotten");
    await writeFile(await running.models.artifactPath(version), "GGUF damaged");
    const input = createDeployment.parse({ name: "rotten-2", model: "rotten", threads: 1 });
    await running.serving.create(world.projectId, input);
    const failed = await untilStatus(running, world.projectId, "rotten-2", "failed");
    expect(failed.error?.code).toBe("artifact.corrupt");
    const headless = await smallLanguageModel({ blocks: 2 });
    await running.models.importFile(world.projectId, "headless", Readable.from([Buffer.from(headless)]), {
      notes: null,
      ...never,
    });
    await running.serving.create(
      world.projectId,
      createDeployment.parse({ name: "headless", model: "headless", threads: 1 }),
    );
    const refused = await untilStatus(running, world.projectId, "headless", "failed");
    expect(refused.error).toMatchObject({ code: "engine.failed" });
    expect(refused.replicas.map(({ pid }) => pid)).toEqual([null]);
  });

  it("[SRV17] two deployments answer at once, each with its own model", async () => {
    await deployLanguageModel(world, running, "one", { model: { seed: 1 } });
    await deployLanguageModel(world, running, "two", { model: { seed: 2 } });
    const texts = await Promise.all(
      ["one", "two", "one"].map(async (name) => textOf(await read((await complete(name, "a", 30)).events))),
    );
    expect(texts[0]).toBe(texts[2]);
    expect(texts[0]).not.toBe(texts[1]);
  });

  it("[SRV17] settings and calls of the other kind of model are refused", async () => {
    await running.models.importOnnx(world.projectId, "graph", scaling(2), {
      notes: null,
      signal: new AbortController().signal,
    });
    const settings = { generation: { slots: 2 } };
    const input = createDeployment.parse({ name: "graph", model: "graph", threads: 1, ...settings });
    await expect(running.serving.create(world.projectId, input)).rejects.toMatchObject({ code: "request.invalid" });
    await running.serving.create(
      world.projectId,
      createDeployment.parse({ name: "graph", model: "graph", threads: 1 }),
    );
    await untilStatus(running, world.projectId, "graph", "ready");
    await expect(complete("graph", "a", 1)).rejects.toMatchObject({
      code: "engine.request_invalid",
      details: { param: "model" },
    });
    const x = tensor("float32", [1, 3], new Float32Array(3));
    await expect(running.serving.infer(world.projectId, "one", { inputs: { x } }, never)).rejects.toMatchObject({
      code: "engine.input_invalid",
    });
    await expect(
      running.serving.update(world.projectId, "one", updateDeployment.parse({ batching: { max_queue: 1 } })),
    ).rejects.toMatchObject({ code: "request.invalid" });
  });

  it("[SRV8] other settings make a new revision; the same again makes none", async () => {
    const change = (generation: object) =>
      running.serving.update(world.projectId, "two", updateDeployment.parse({ generation }));
    expect((await change({ slots: 8 })).revisions).toHaveLength(1);
    await change({ slots: 2 });
    await until(async () => (await running.serving.describe(world.projectId, "two")).revision === 2, "2 answers");
    expect((await running.serving.get(world.projectId, "two")).revision?.generation).toEqual({
      context_length: null,
      slots: 2,
      prefill_chunk: 256,
      max_queue: 256,
    });
    expect((await read((await complete("two", "a", 3)).events)).at(-1)).toMatchObject({ type: "finished" });
  });
});
