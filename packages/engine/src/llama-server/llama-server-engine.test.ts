/** @file The operator's own llama.cpp server, where GRISTMILL_LLAMA_SERVER names one; what needs none is tested beside this. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, EngineClosedError, EngineRunError } from "../errors.ts";
import type { CompletionRequest } from "../language/request.ts";
import { byteToken, tinyLanguageModel, tinyTokens } from "../testing/tiny-language-model.ts";
import { all } from "../upstream/testing/world.ts";
import { type LlamaServerEngine, loadLlamaServer } from "./llama-server-engine.ts";

const binaryPath = process.env["GRISTMILL_LLAMA_SERVER"];
const chatTemplate = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: ";
const { signal } = new AbortController();
const common = { name: "tiny", threads: 1, contextLength: 256, slots: 2, maxQueue: 8, prefillChunk: 64 };

if (binaryPath === undefined) console.log("llama-server: not tested, for GRISTMILL_LLAMA_SERVER names no program");

it("a program that is no server is told by its last words", async () => {
  const load = loadLlamaServer("/no/model.gguf", { ...common, binaryPath: "/bin/false" });
  await expect(load).rejects.toThrow("/bin/false ended with 1 before it listened");
});

describe.skipIf(binaryPath === undefined)("llama-server (GRISTMILL_LLAMA_SERVER)", () => {
  let folder: string;
  let path: string;
  let engine: LlamaServerEngine;
  const options = { ...common, binaryPath: binaryPath ?? "" };
  const request = (more: Partial<CompletionRequest> = {}): CompletionRequest => ({
    prompt: "the cat",
    stop: [],
    maxTokens: 8,
    ...more,
    sampling: { temperature: 0, logitBias: [[tinyTokens.end, -100]], ...more.sampling },
  });
  const answer = async (given: CompletionRequest) => {
    const events = await all(engine.complete(given, { signal }));
    const last = events.at(-1);
    if (last?.type !== "finished") throw new Error(`expected finished last, received ${last?.type}`);
    return { events, last, text: events.map((event) => (event.type === "text" ? event.text : "")).join("") };
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gristmill-llama-server-"));
    path = join(folder, "tiny.gguf");
    await writeFile(path, tinyLanguageModel({ chatTemplate }));
    engine = await loadLlamaServer(path, options);
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("says what the model is", () => {
    expect(engine.card).toMatchObject({ contextLength: 256, vocabularySize: 266, countsTokens: true });
  });

  it("writes, and counts what it wrote", async () => {
    const bias = [[byteToken("z".charCodeAt(0)), 100]] as const;
    const { last, text } = await answer(request({ logprobs: 2, sampling: { logitBias: bias } }));
    expect(text).toBe("z".repeat(8));
    expect(last).toMatchObject({ reason: "length", usage: { completionTokens: 8 } });
    expect(last.usage.promptTokens).toBe(await engine.countTokens({ prompt: "the cat" }, { signal }));
    expect(last.usage.isEstimated).toBeUndefined();
  });

  it("holds to a grammar", async () => {
    const { text } = await answer(
      request({ constraint: { type: "grammar", grammar: 'root ::= "yes"' }, sampling: { logitBias: [] } }),
    );
    expect(text).toBe("yes");
  });

  it("chats by the model's template", async () => {
    const chat = {
      sampling: request().sampling,
      stop: [],
      maxTokens: 8,
      messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "hi" }] }],
      tools: [],
      toolChoice: "auto" as const,
      parallelToolCalls: true,
    };
    const events = await all(engine.chat(chat, { signal }));
    const promptTokens = await engine.countTokens(chat, { signal });
    expect(events.at(-1)).toMatchObject({ type: "finished", usage: { promptTokens, completionTokens: 8 } });
  });

  it("refuses what does not fit into the context, with counts", async () => {
    const error = await answer(request({ prompt: "x ".repeat(300) })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ContextLengthError);
    expect(error).toMatchObject({ contextLength: 256, maxTokens: 8 });
    expect((error as ContextLengthError).promptTokens).toBeGreaterThan(256);
  });

  it("makes embeddings of length 1", async () => {
    const embedder = await loadLlamaServer(path, { ...options, use: "embed", pooling: "mean" });
    const { vectors } = await embedder.embed(["a", "b c"], { signal });
    expect(embedder.card.embeddingLength).toBe(64);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    await embedder.close();
  });

  it("a file that is no model is told in the server's words", async () => {
    const bad = join(folder, "bad.gguf");
    await writeFile(bad, "nonsense");
    await expect(loadLlamaServer(bad, options)).rejects.toThrow(EngineRunError);
  });

  it("closing ends the program and what is under way", async () => {
    const own = await loadLlamaServer(path, options);
    const call = all(own.complete(request({ maxTokens: 200 }), { signal })).catch((reason: unknown) => reason);
    await own.close();
    expect(await call).toBeInstanceOf(EngineClosedError);
    expect(await own.ended).toContain("ended with");
    expect(own.isAvailable()).toBe(false);
  });
});
