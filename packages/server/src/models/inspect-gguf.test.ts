/** @file The thread that reads what others sent: it keeps nobody waiting, and takes no more than it may. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSink, type GgufValue, writeGguf } from "@gristmill/nn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectGguf } from "./inspect-gguf.ts";
import { Turns } from "./turns.ts";

const tokenCount = 256_000;
const signal = new AbortController().signal;
let folder: string;
let path: string;

/** A front with a vocabulary as large as the largest of today. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-inspect-"));
  path = join(folder, "large.gguf");
  const tokens = Array.from({ length: tokenCount }, (_, i) => `a token of some length, number ${i}`);
  const metadata: [string, GgufValue][] = [
    ["general.architecture", { type: "string", value: "llama" }],
    ["llama.context_length", { type: "uint32", value: 64 }],
    ["llama.embedding_length", { type: "uint32", value: 2 }],
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.tokens", { type: "array", value: { of: "string", values: tokens } }],
    ["tokenizer.ggml.scores", { type: "array", value: { of: "float32", values: new Float32Array(tokenCount) } }],
    ["tokenizer.ggml.merges", { type: "array", value: { of: "string", values: [] } }],
  ];
  await using handle = await open(path, "w");
  await writeGguf(fileSink(handle), {
    metadata,
    tensors: [{ name: "w", shape: [2, 2], type: "F32", load: () => new Float32Array(4) }],
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("inspecting a file with 256,000 tokens", () => {
  it("[MOD13] leaves this thread free: most of the work is done by another", async () => {
    const before = { all: process.cpuUsage(), mine: process.threadCpuUsage() };
    const card = await inspectGguf({ path }, signal);
    const all = process.cpuUsage(before.all);
    const mine = process.threadCpuUsage(before.mine);
    expect(card).toMatchObject({ vocabulary_size: tokenCount, architecture: "llama", parameters: 4 });
    // Processor time, which other programs do not lengthen.
    expect(mine.user + mine.system).toBeLessThan((all.user + all.system) / 2);
  });

  it("[MOD13] refuses what takes too much memory, and this process lives on", async () => {
    await expect(inspectGguf({ path }, signal, { heapMebibytes: 16, milliseconds: 60_000 })).rejects.toMatchObject({
      code: "data.malformed",
      message: "The language model can't be served: its front takes more than 16 MiB of memory to read.",
    });
  });

  it("[MOD13] refuses what takes too long", async () => {
    await expect(inspectGguf({ path }, signal, { heapMebibytes: 512, milliseconds: 1 })).rejects.toMatchObject({
      code: "data.malformed",
      message: "The language model can't be served: its front could not be read within 1 ms.",
    });
  });

  it("[MOD13] ends when its caller goes, under way and waiting", async () => {
    const gone = new AbortController();
    const inspections = [1, 2, 3, 4].map(() => inspectGguf({ path }, gone.signal));
    const refused = inspections.map((inspection) => expect(inspection).rejects.toThrow("gone"));
    gone.abort(new Error("gone"));
    await Promise.all(refused);
    await expect(inspectGguf({ path }, gone.signal)).rejects.toThrow("gone");
    expect(await inspectGguf({ path }, signal)).toMatchObject({ vocabulary_size: tokenCount });
  });
});

it("a file that is not there is our own error, not the sender's", async () => {
  await expect(inspectGguf({ path: join(folder, "none.gguf") }, signal)).rejects.toMatchObject({ code: "ENOENT" });
});

it("turns: so many at once, the others in order, and none is lost to one that fails or goes", async () => {
  const turns = new Turns(2);
  const log: string[] = [];
  const gates = new Map<string, () => void>();
  const enter = (name: string, by = signal): Promise<void> =>
    turns.run(by, async () => {
      log.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      if (name === "b") throw new Error("failed");
    });
  const leave = async (name: string): Promise<void> => {
    gates.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const gone = new AbortController();
  const [a, b, c, d, e] = [enter("a"), enter("b"), enter("c", gone.signal), enter("d"), enter("e")];
  await leave("");
  expect(log).toEqual(["a", "b"]);
  gone.abort(new Error("gone"));
  await expect(c).rejects.toThrow("gone");
  await Promise.all([expect(b).rejects.toThrow("failed"), leave("b")]);
  expect(log).toEqual(["a", "b", "d"]);
  await leave("a");
  expect(log).toEqual(["a", "b", "d", "e"]);
  await leave("d");
  await leave("e");
  await Promise.all([a, d, e]);
});
