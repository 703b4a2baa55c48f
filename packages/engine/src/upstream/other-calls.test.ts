/** @file Embeddings, reranking, counts and cards of upstreams, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineRequestError } from "../errors.ts";
import type { UpstreamOptions } from "./options.ts";
import { json, type ReplayServer, startReplayServer } from "./testing/replay-server.ts";
import { baseSettings, calm, connect, hello } from "./testing/world.ts";
import { connectUpstream } from "./upstream-engine.ts";

let server: ReplayServer;
beforeAll(async () => {
  server = await startReplayServer();
});
afterAll(() => server.close());

const base64 = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
const abilities = { embed: true, rerank: true };
const embedding = { facts: { abilities, embeddingLength: 2 } };

describe("embeddings", () => {
  it("come as base64 or numbers, in any order, and leave with length 1 in the order of the inputs", async () => {
    const data = [
      { index: 1, embedding: [0, 2] },
      { index: 0, embedding: base64(3, 4) },
    ];
    server.on("/v1/embeddings", json({ data, usage: { prompt_tokens: 6, total_tokens: 6 } }));
    const { vectors, promptTokens } = await (await connect(server, embedding)).embed(["a", "b"], calm);
    expect(vectors.map((vector) => [...vector])).toEqual([
      [Math.fround(0.6), Math.fround(0.8)],
      [0, 1],
    ]);
    expect(promptTokens).toBe(6);
    expect(server.asked.at(-1)?.body).toEqual({ model: "m", input: ["a", "b"], encoding_format: "base64" });
  });

  it("texts and tokens are asked for apart and told together", async () => {
    const one = (x: number) => json({ data: [{ index: 0, embedding: [x, 1 - x] }], usage: { prompt_tokens: 2 } });
    server.on("/v1/embeddings", one(1));
    const { vectors, promptTokens } = await (await connect(server, embedding)).embed([[5, 6], "text"], calm);
    expect([vectors.length, promptTokens]).toEqual([2, 4]);
    expect(server.asked.slice(-2).map(({ body }) => (body as { input: unknown }).input)).toEqual(
      expect.arrayContaining([["text"], [[5, 6]]]),
    );
  });

  it.each([
    ["too few", [], "expected 1 embeddings, received 0"],
    ["zeros", [{ index: 0, embedding: [0, 0] }], "finite numbers that are not all 0"],
    ["no numbers", [{ index: 0, embedding: ["1"] }], "finite numbers that are not all 0"],
    ["cut base64", [{ index: 0, embedding: "AAA" }], "finite numbers that are not all 0"],
    ["a wrong place", [{ index: 4, embedding: [1] }], "number 4"],
  ])("%s are refused", async (_name, data, message) => {
    server.on("/v1/embeddings", json({ data }));
    await expect((await connect(server, embedding)).embed(["a"], calm)).rejects.toThrow(message);
  });

  it("of no input are refused, and where the model is not said to make any", async () => {
    await expect((await connect(server, embedding)).embed([], calm)).rejects.toThrow(EngineRequestError);
    await expect((await connect(server)).embed(["a"], calm)).rejects.toThrow("facts.abilities.embed");
  });
});

describe("reranking", () => {
  const results = (...scores: number[]) => ({
    results: scores.map((score, index) => ({ index, relevance_score: score })).reverse(),
    usage: { total_tokens: 12 },
  });
  const ask = { query: "q", documents: ["a", "b"] };

  it("tells scores in the order of the documents", async () => {
    server.on("/v1/rerank", json(results(0.25, 0.75)));
    expect(await (await connect(server, embedding)).rerank(ask, calm)).toEqual({
      scores: [0.25, 0.75],
      promptTokens: 12,
    });
  });

  it("turns llama.cpp's logits into probabilities; elsewhere scores beyond 1 are refused", async () => {
    server.on("/v1/rerank", json(results(0, 1000)));
    const engine = await connect(server, { ...embedding, dialect: "llama-server" });
    expect((await engine.rerank(ask, calm)).scores).toEqual([0.5, 1]);
    await expect((await connect(server, embedding)).rerank(ask, calm)).rejects.toThrow('set rerankScores to "logit"');
  });

  it("needs a score for each document once", async () => {
    server.on(
      "/v1/rerank",
      json({
        results: [
          { index: 0, score: 1 },
          { index: 0, score: 1 },
        ],
      }),
    );
    await expect((await connect(server, embedding)).rerank(ask, calm)).rejects.toThrow(
      "a score for each document once",
    );
  });
});

describe("counts of tokens", () => {
  it("vLLM's and llama.cpp's servers tell them, of texts and of chats", async () => {
    server.on("/tokenize", json({ count: 5, tokens: [1, 2, 3, 4, 5] }), json({ tokens: [1, 2] }));
    server.on("/v1/chat/completions/input_tokens", json({ input_tokens: 17 }));
    const vllm = await connect(server, { dialect: "vllm" });
    const llama = await connect(server, { dialect: "llama-server" });
    expect(await vllm.countTokens(hello, calm)).toBe(5);
    expect(server.asked.at(-1)?.body).toMatchObject({ add_generation_prompt: true, messages: [{ role: "user" }] });
    expect(await llama.countTokens({ prompt: "a b" }, calm)).toBe(2);
    expect(server.asked.at(-1)?.body).toEqual({ content: "a b", add_special: true });
    expect(await llama.countTokens(hello, calm)).toBe(17);
  });

  it("others refuse rather than guess; tokens are counted anywhere", async () => {
    const engine = await connect(server);
    expect(engine.card.countsTokens).toBe(false);
    await expect(engine.countTokens({ prompt: "a" }, calm)).rejects.toThrow("does not count tokens");
    expect(await engine.countTokens({ prompt: [1, 2, 3] }, calm)).toBe(3);
  });
});

describe("cards", () => {
  const card = async (entry: object, more: Partial<UpstreamOptions> = {}) => {
    server.on(
      "/v1/models",
      json({
        data: [
          { id: "other", max_model_len: 1 },
          { id: "m", ...entry },
        ],
      }),
    );
    return (await connectUpstream({ name: "test", baseUrl: server.url, model: "m", fetch, ...more })).card;
  };

  it("llama.cpp's server tells its numbers, and by them whose it is", async () => {
    const meta = { n_ctx: 2048, n_ctx_train: 8192, n_vocab: 100, n_embd: 64, n_params: 5000 };
    expect(await card({ owned_by: "llamacpp", meta }, { facts: { abilities: { embed: true } } })).toMatchObject({
      contextLength: 2048,
      vocabularySize: 100,
      parameters: 5000,
      embeddingLength: 64,
      dialect: "llama-server",
      countsTokens: true,
      abilities: { chat: true, embed: true, images: false },
    });
    expect(await card({ owned_by: "vllm", max_model_len: 9 })).toMatchObject({ dialect: "vllm", contextLength: 9 });
  });

  it("the operator's facts go before the server's; without either there is no card", async () => {
    expect((await card({ max_model_len: 9 }, { facts: { contextLength: 5 } })).contextLength).toBe(5);
    await expect(card({})).rejects.toThrow('how long the context of "m" is; set facts.contextLength');
  });

  it("the length of vectors that nobody tells is found by making one", async () => {
    server.on("/v1/embeddings", json({ data: [{ index: 0, embedding: [1, 2, 3] }] }));
    const { embeddingLength } = await card({ max_model_len: 9 }, { facts: { abilities: { embed: true } } });
    expect(embeddingLength).toBe(3);
  });

  it("a server without a list is fine where the operator knows; one that refuses the key is not", async () => {
    const options = { name: "test", baseUrl: server.url, model: "m", fetch, facts: { contextLength: 5 } };
    server.on("/v1/models", json({}, 404));
    expect((await connectUpstream(options)).card.contextLength).toBe(5);
    server.on("/v1/models", json({}, 401));
    await expect(connectUpstream(options)).rejects.toThrow("check its credentials");
  });
});

describe("options", () => {
  it.each<[Partial<UpstreamOptions>, string]>([
    [{ baseUrl: "ftp://x" }, 'option "baseUrl": expected an http or https URL'],
    [{ baseUrl: "https://user:secret@x/v1" }, "expected no user and password"],
    [{ baseUrl: "https://x/v1?key=1" }, "give `query` instead"],
    [{ slots: 0 }, 'option "slots": expected a whole number from 1'],
    [{ timeouts: { firstTokenMs: 2 ** 31 } }, 'option "timeouts.'],
    [{ retry: { retries: Number.NaN } }, 'option "retry.retries"'],
  ])("%j is refused", async (more, message) => {
    const made = connectUpstream({ name: "test", baseUrl: "http://x/v1", model: "m", fetch, ...more });
    await expect(made).rejects.toThrow(message);
  });
});

describe("requests", () => {
  it("say all that was asked, in OpenAI's words", async () => {
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1);
    const engine = await connect(server, {
      facts: { abilities: { images: true } },
      maxTokensField: "max_completion_tokens",
    });
    const events = engine.chat(
      {
        ...baseSettings,
        sampling: {
          temperature: 0,
          topP: 0.5,
          topK: 3,
          minP: 0.1,
          frequencyPenalty: 1,
          presencePenalty: -1,
          seed: 7,
          logitBias: [[5, -100]],
        },
        stop: ["x"],
        maxTokens: 9,
        constraint: { type: "schema", schema: { type: "object" } },
        messages: [
          { role: "system", content: [{ type: "text", text: "be" }] },
          {
            role: "user",
            content: [
              { type: "text", text: "see" },
              { type: "image", bytes: png },
            ],
            name: "Ann",
          },
          { role: "assistant", content: [], toolCalls: [{ id: "c", name: "f", arguments: "{}" }] },
          { role: "tool", content: [{ type: "text", text: "42" }], toolCallId: "c" },
        ],
        tools: [{ name: "f", description: "does", parameters: { type: "object" }, strict: true }],
        toolChoice: { name: "f" },
        parallelToolCalls: false,
      },
      calm,
    );
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow("status 404");
    expect(server.asked.at(-1)?.body).toEqual({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      min_p: 0.1,
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
      logit_bias: { 5: -100 },
      stop: ["x"],
      max_completion_tokens: 9,
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", schema: { type: "object" }, strict: true },
      },
      messages: [
        { role: "system", content: "be" },
        {
          role: "user",
          name: "Ann",
          content: [
            { type: "text", text: "see" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${Buffer.from(png).toString("base64")}` } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c", content: "42" },
      ],
      tools: [
        {
          type: "function",
          function: { name: "f", description: "does", parameters: { type: "object" }, strict: true },
        },
      ],
      tool_choice: { type: "function", function: { name: "f" } },
      parallel_tool_calls: false,
    });
  });

  it("what a server can't be asked is refused before a call", async () => {
    const engine = await connect(server);
    const before = server.asked.length;
    const ask = (more: object) =>
      engine
        .chat({ ...hello, ...more }, calm)
        [Symbol.asyncIterator]()
        .next();
    await expect(ask({ constraint: { type: "grammar", grammar: "" } })).rejects.toThrow("constraint.grammar: ");
    await expect(ask({ templateVariables: { a: 1 } })).rejects.toThrow("templateVariables: ");
    await expect(ask({ sampling: { temperature: Number.NaN } })).rejects.toThrow("sampling.temperature: ");
    const half = [{ role: "user", content: [{ type: "text", text: "\ud800" }] }];
    await expect(ask({ messages: half })).rejects.toThrow("messages[0].content[0]: ");
    const image = [{ role: "user", content: [{ type: "image", bytes: new Uint8Array(3) }] }];
    await expect(ask({ messages: image })).rejects.toThrow("facts.abilities.images");
    expect(server.asked.length).toBe(before);
  });
});
