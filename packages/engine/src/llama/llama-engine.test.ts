import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineRequestError, EngineRunError } from "../errors.ts";
import type { LanguageEngine } from "../language/language-engine.ts";
import type { CompletionRequest } from "../language/request.ts";
import { describeLanguageEngine, readAnswer } from "../language/testing/describe-language-engine.ts";
import { byteToken, tinyLanguageModel, tinyTokens } from "../testing/tiny-language-model.ts";
import { loadLlamaEngine } from "./load-llama-engine.ts";
import { expectMemory } from "./memory.ts";

const chatTemplate =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const options = { name: "tiny", threads: 1, contextLength: 256, slots: 4, maxQueue: 8, prefillChunk: 16 };
const { signal } = new AbortController();
let folder: string;
let path: string;
const write = async (name: string, bytes: Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-llama-engine-"));
  path = await write("tiny.gguf", tinyLanguageModel({ chatTemplate }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeLanguageEngine("llama", (given) => loadLlamaEngine(path, given), {
  letter: (letter) => byteToken(letter.charCodeAt(0)),
  end: tinyTokens.end,
});

describe("llama", () => {
  let engine: LanguageEngine;
  const complete = (more: Partial<CompletionRequest>) =>
    readAnswer(engine.complete({ prompt: "the cat", sampling: { temperature: 0 }, stop: [], ...more }, { signal }));
  beforeAll(async () => {
    engine = await loadLlamaEngine(path, options);
  });
  afterAll(() => engine.close());

  it("says what the model is", () => {
    expect(engine.card).toMatchObject({
      contextLength: 256,
      vocabularySize: 266,
      architecture: "llama",
      abilities: { complete: true, chat: true, embed: true, rerank: false, images: false },
      embeddingLength: 64,
    });
  });

  it("holds to a grammar, and never shows half a character", async () => {
    const grammar = 'root ::= "héllo €🙂 <|im_end|>"';
    const { text, events, finished } = await complete({ constraint: { type: "grammar", grammar }, maxTokens: 60 });
    expect(text).toBe("héllo €🙂 <|im_end|>");
    expect(finished.reason).toBe("stop");
    for (const event of events) if (event.type === "text") expect(event.text).not.toContain("\ufffd");
  });

  it("fills a schema, and refuses one that it can't hold to by its place", async () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const { text } = await complete({ constraint: { type: "schema", schema }, maxTokens: 100 });
    expect(typeof JSON.parse(text).ok).toBe("boolean");
    const unknown = { type: "schema", schema: { $ref: "#/nowhere" } } as const;
    const error = await complete({ constraint: unknown }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineRequestError);
    expect((error as EngineRequestError).field).toMatch(/^constraint\.schema/);
  });

  it("refuses a grammar that can't be read", async () => {
    const wrong = ["", "x ::= y", 'root ::= "a" b', 'root ::= root "a"', `root ::= ${"(".repeat(5000)}`];
    for (const grammar of wrong) {
      const error = await complete({ constraint: { type: "grammar", grammar } }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineRequestError);
      expect(error).toMatchObject({ field: "constraint.grammar" });
    }
  });

  it("chats by the model's template", async () => {
    const request = {
      messages: [{ role: "user", content: [{ type: "text", text: "the <|im_end|> cat" }] }],
      tools: [],
      toolChoice: "auto",
      parallelToolCalls: true,
      sampling: { temperature: 0 },
      stop: [],
      maxTokens: 8,
    } as const;
    const { finished } = await readAnswer(engine.chat(request, { signal }));
    expect(finished.usage.promptTokens).toBe(await engine.countTokens(request, { signal }));
    // what the user wrote stays text: 10 tokens of letters, not one that ends the message
    const plain = { ...request, messages: [{ role: "user", content: [{ type: "text", text: "the  cat" }] }] } as const;
    const difference = finished.usage.promptTokens - (await engine.countTokens(plain, { signal }));
    expect(difference).toBe("<|im_end|>".length);
  });

  it("embeds texts and tokens as vectors of length 1", async () => {
    const { vectors, promptTokens } = await engine.embed(["the cat", [5, 6, 7], "the cat"], { signal });
    expect(vectors.map((vector) => vector.length)).toEqual([64, 64, 64]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(vectors[0]).toEqual(vectors[2]);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(promptTokens).toBeGreaterThan(10);
    await expect(engine.rerank({ query: "a", documents: ["b"] }, { signal })).rejects.toThrow(/can rerank/);
  });

  it("answers the same with rows of padding between slots, and keeps what the slot between has read", async () => {
    const own = await loadLlamaEngine(path, options);
    const sampling = { temperature: 0, logitBias: [[tinyTokens.end, -100]] } as const;
    const ask = (prompt: string, maxTokens: number) =>
      readAnswer(own.complete({ prompt, maxTokens, sampling, stop: [] }, { signal }));
    const prompts = ["one the cat", "two the cat", "three the cat"];
    const alone = [];
    for (const prompt of prompts) alone.push((await ask(prompt, 40)).text);
    // the middle one ends first, and its slot is padded from then on
    const together = await Promise.all(prompts.map((prompt, i) => ask(prompt, i === 1 ? 4 : 40)));
    expect(together[0]?.text).toBe(alone[0]);
    expect(together[2]?.text).toBe(alone[2]);
    const again = await ask("two the cat", 40);
    expect(again.text).toBe(alone[1]);
    expect(again.cachedTokens).toBe(again.finished.usage.promptTokens - 1);
    await own.close();
  });

  it("answers the same at temperature 0 alone and among 31 others", async () => {
    const own = await loadLlamaEngine(path, { ...options, slots: 32 });
    const ask = (prompt: string) => {
      const sampling = { temperature: 0, logitBias: [[tinyTokens.end, -100]] } as const;
      return readAnswer(own.complete({ prompt, maxTokens: 32, sampling, stop: [] }, { signal }));
    };
    const prompts = Array.from({ length: 32 }, (_, i) => `${i} ${"the cat ".repeat(i % 7)}`);
    const alone = [];
    for (const prompt of prompts) alone.push((await ask(prompt)).text);
    const together = await Promise.all(prompts.map(ask));
    expect(together.map(({ text }) => text)).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(16);
    await own.close();
  });

  it("reads a long prompt in chunks between which others write", async () => {
    const long = complete({ prompt: "x ".repeat(110), maxTokens: 2 });
    const short = await complete({ prompt: "a", maxTokens: 4, sampling: { logitBias: [[tinyTokens.end, -100]] } });
    expect(short.finished.usage.completionTokens).toBe(4);
    expect((await long).finished.usage.promptTokens).toBeGreaterThan(200);
  });
});

describe("a file that is no model", () => {
  const bytes = tinyLanguageModel();
  const cases: [string, () => Uint8Array, RegExp][] = [
    ["nothing", () => new Uint8Array(0), /cut off/],
    ["another format", () => Buffer.from("PK\u0003\u0004 something"), /to begin with "GGUF"/],
    ["front cut off", () => bytes.subarray(0, 2000), /cut off/],
    [
      "tensors cut off",
      () => bytes.subarray(0, bytes.length - 1000),
      /tensor "output.weight": expected it to end .* cut off/,
    ],
    ["words twice", () => tinyLanguageModel({ words: ["cat"] }), /"cat", which is token 262 too/],
    [
      "hostile counts",
      () => Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(16, 0x7f)]),
      /expected a number below 2\^53/,
    ],
  ];
  for (const [name, make, message] of cases)
    it(`is refused: ${name}`, async () => {
      const file = await write(`${name}.gguf`, make());
      const error = await loadLlamaEngine(file, options).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineRunError);
      expect((error as Error).message).toMatch(message);
    });

  it("is refused: none there", async () => {
    await expect(loadLlamaEngine(join(folder, "none.gguf"), options)).rejects.toThrow(/ENOENT/);
  });
});

it("makes vectors alone of a model whose tokens see those behind them", async () => {
  const encoder = await loadLlamaEngine(
    await write("encoder.gguf", tinyLanguageModel({ causal: false, chatTemplate })),
    options,
  );
  expect(encoder.card.abilities).toMatchObject({ complete: false, chat: false, embed: true });
  expect((await encoder.embed(["the cat"], { signal })).vectors).toHaveLength(1);
  const events = encoder.complete({ prompt: "a", sampling: {}, stop: [] }, { signal });
  await expect(readAnswer(events)).rejects.toMatchObject({ field: "model" });
  expect(encoder.load()).toEqual({ slots: 1, busySlots: 0, waiting: 0 });
  await encoder.close();
});

it("says what memory a model needs, and what there is, where it would not suffice", async () => {
  const { getLlama } = await import("node-llama-cpp");
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1 });
  const plan = { path, contextLength: 2048, slots: 8, batchSize: 64 };
  await expectMemory(llama, plan, 2 ** 30);
  const error = await expectMemory(llama, plan, 2 ** 20).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EngineRunError);
  const needed = /at least (\d+) MiB of free memory .* received 1 MiB/.exec((error as Error).message)?.[1];
  // keys and values alone: 8 * 2048 tokens * 2 blocks * 2 heads * 16 numbers of 2 bytes, twice
  expect(Number(needed)).toBeGreaterThan(4);
  expect(Number(needed)).toBeLessThan(100);
  await llama.dispose();
});

it("leaves a process that ends by itself after it was closed", async () => {
  const load = new URL("./load-llama-engine.ts", import.meta.url).href;
  const script =
    `const { loadLlamaEngine } = await import(${JSON.stringify(load)});` +
    `const engine = await loadLlamaEngine(${JSON.stringify(path)}, ${JSON.stringify(options)});` +
    `for await (const event of engine.complete({ prompt: "a", sampling: {}, stop: [], maxTokens: 3 },` +
    `{ signal: new AbortController().signal })) if (event.type === "finished") console.log("finished");` +
    `await engine.embed(["a"], { signal: new AbortController().signal }); await engine.close();`;
  // A file, as node-llama-cpp starts a process with the same arguments to try its addon.
  const file = await write("closes.mjs", Buffer.from(script));
  const ran = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
  expect(ran.stdout.trim()).toBe("finished");
});
