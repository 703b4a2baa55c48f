/** @file What each provider writes in a way of its own, replayed over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { delta, finish, json, type ReplayServer, startReplayServer, stream } from "./testing/replay-server.ts";
import { all, calm, chatPath, connect, finished, hello, once, textOf } from "./testing/world.ts";

let server: ReplayServer;
beforeAll(async () => {
  server = await startReplayServer();
});
afterAll(() => server.close());

const usage = (prompt: number, completion: number, more: object = {}) => ({
  choices: [],
  usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion, ...more },
});

describe("answers of providers", () => {
  it("OpenAI: text, probabilities, and the usage of the last chunk", async () => {
    const logprobs = {
      content: [
        { token: "Hi", logprob: -0.5, bytes: [72, 105], top_logprobs: [{ token: "Ho", logprob: -1, bytes: null }] },
      ],
    };
    server.on(
      chatPath,
      stream(
        delta({ role: "assistant", content: "" }),
        delta({ content: "Hi" }, { logprobs }),
        finish("length"),
        usage(9, 1, {
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 0 },
        }),
      ),
    );
    const engine = await connect(server);
    const events = await all(engine.chat({ ...hello, logprobs: 1 }, calm));
    expect(events).toEqual([
      { type: "started", promptTokens: 3, cachedTokens: 0, isEstimated: true },
      {
        type: "text",
        text: "Hi",
        completionTokens: 1,
        tokens: [
          {
            token: -1,
            text: "Hi",
            logprob: -0.5,
            bytes: Uint8Array.of(72, 105),
            top: [{ token: -1, text: "Ho", logprob: -1, bytes: Buffer.from("Ho") }],
          },
        ],
      },
      {
        type: "finished",
        reason: "length",
        usage: { promptTokens: 9, cachedTokens: 4, completionTokens: 1, reasoningTokens: 0 },
        timings: expect.objectContaining({ queueMs: expect.any(Number) }),
      },
    ]);
    expect(server.asked.at(-1)?.body).toMatchObject({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      top_logprobs: 1,
    });
  });

  it("OpenAI's completions: text and lists of probabilities side by side", async () => {
    const logprobs = {
      tokens: [" a"],
      token_logprobs: [-0.1],
      top_logprobs: [{ " b": -3, " a": -0.1 }],
      text_offset: [0],
    };
    server.on(
      "/v1/completions",
      stream({ choices: [{ index: 0, text: " a", logprobs, finish_reason: "stop" }] }, usage(2, 1)),
    );
    const events = await all((await connect(server)).complete({ ...once, logprobs: 2, maxTokens: 5 }, calm));
    const text = events.find(({ type }) => type === "text");
    expect(text).toMatchObject({
      text: " a",
      tokens: [{ text: " a", logprob: -0.1, top: [{ text: " a" }, { text: " b" }] }],
    });
    expect(server.asked.at(-1)?.body).toMatchObject({ prompt: "Once upon", max_tokens: 5, logprobs: 2 });
  });

  it("Azure: a first chunk without choices, its key in a header of its own, the version in the query", async () => {
    server.on(
      "/openai/deployments/d/chat/completions",
      stream(
        { choices: [], prompt_filter_results: [{}] },
        delta({ content: "Hi" }),
        finish("content_filter"),
        usage(5, 1),
      ),
    );
    const engine = await connect(server, {
      baseUrl: server.url.replace("/v1", "/openai/deployments/d/"),
      query: { "api-version": "2024-10-21" },
      credentials: { type: "header", name: "api-key", value: "azure-secret" },
      facts: { contextLength: 8192 },
    });
    expect(finished(await all(engine.chat(hello, calm))).reason).toBe("contentFilter");
    expect(server.asked.at(-1)).toMatchObject({
      path: "/openai/deployments/d/chat/completions?api-version=2024-10-21",
      headers: { "api-key": "azure-secret" },
    });
    expect(engine.card.contextLength).toBe(8192);
  });

  it.each([
    [
      "Bedrock: cached tokens beside the prompt's",
      { prompt_tokens: 10, completion_tokens: 2, total_tokens: 112, prompt_tokens_details: { cached_tokens: 100 } },
      { promptTokens: 110, cachedTokens: 100, completionTokens: 2, reasoningTokens: 0 },
    ],
    [
      "Vertex AI: thinking beside the completion's",
      {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 42,
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      { promptTokens: 10, cachedTokens: 0, completionTokens: 32, reasoningTokens: 30 },
    ],
    [
      "DeepSeek: the cache by another name",
      { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, prompt_cache_hit_tokens: 8 },
      { promptTokens: 10, cachedTokens: 8, completionTokens: 2, reasoningTokens: 0 },
    ],
  ])("%s", async (_title, told, expected) => {
    server.on(chatPath, stream(delta({ content: "a" }), finish("stop"), { choices: [], usage: told }));
    expect(finished(await all((await connect(server)).chat(hello, calm))).usage).toEqual(expected);
  });

  it("Groq: usage under its own name; cached tokens outside by option", async () => {
    const told = { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 4 } };
    server.on(chatPath, stream(delta({ content: "a" }), { ...(finish("stop") as object), x_groq: { usage: told } }));
    const engine = await connect(server, { cachedTokens: "outside" });
    expect(finished(await all(engine.chat(hello, calm))).usage).toMatchObject({ promptTokens: 14, cachedTokens: 4 });
  });

  it("vLLM: counts with every chunk, thinking apart, kwargs of the template, its grammars", async () => {
    const counted = (completion: number) => ({ usage: { prompt_tokens: 7, completion_tokens: completion } });
    server.on(
      chatPath,
      stream(
        { ...(delta({ reasoning_content: "hm" }) as object), ...counted(3) },
        { ...(delta({ content: "yes" }) as object), ...counted(5) },
        { ...(finish("stop") as object), ...counted(6) },
      ),
    );
    const engine = await connect(server, { dialect: "vllm", streamUsage: "everyChunk" });
    const constraint = { type: "grammar", grammar: 'root ::= "yes"' } as const;
    const events = await all(engine.chat({ ...hello, templateVariables: { enable_thinking: true }, constraint }, calm));
    expect(events).toMatchObject([
      { type: "started", promptTokens: 7 },
      { type: "reasoning", text: "hm", completionTokens: 3 },
      { type: "text", text: "yes", completionTokens: 5 },
      { usage: { promptTokens: 7, completionTokens: 6, reasoningTokens: 1 } },
    ]);
    expect(server.asked.at(-1)?.body).toMatchObject({
      stream_options: { continuous_usage_stats: true },
      chat_template_kwargs: { enable_thinking: true },
      structured_outputs: { grammar: 'root ::= "yes"' },
    });
  });

  it("Ollama: no usage, whole calls that all have the number 0, `stop` at their end", async () => {
    const call = (id: string, args: unknown) => ({
      tool_calls: [{ index: 0, id, function: { name: "f", arguments: args } }],
    });
    server.on(
      chatPath,
      stream(delta({ reasoning: "so" }), delta(call("a", { x: 1 })), delta(call("b", "{}")), finish("stop")),
    );
    const events = await all((await connect(server)).chat(hello, calm));
    expect(events.slice(2, -1)).toMatchObject([
      { type: "toolCall", index: 0, id: "a", name: "f" },
      { type: "toolArguments", index: 0, text: '{"x":1}' },
      { type: "toolCall", index: 1, id: "b", name: "f" },
      { type: "toolArguments", index: 1, text: "{}" },
    ]);
    expect(finished(events)).toMatchObject({
      reason: "toolCalls",
      usage: { promptTokens: 3, completionTokens: 3, reasoningTokens: 1, isEstimated: true },
    });
  });

  it("calls in pieces: two at once, ids told once, repeated, new each time, or never", async () => {
    const piece = (index: number, id: string | null | undefined, name: string | undefined, args: string) =>
      delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] });
    server.on(
      chatPath,
      stream(
        piece(0, "a", "f", ""),
        piece(1, undefined, "g", ""),
        piece(0, null, undefined, '{"x"'),
        piece(1, "new", undefined, "{"),
        piece(0, "a", "f", ":1}"),
        piece(1, "newer", undefined, "}"),
        finish("tool_calls"),
      ),
    );
    const events = await all((await connect(server)).chat(hello, calm));
    const args = (index: number) =>
      events.map((event) => (event.type === "toolArguments" && event.index === index ? event.text : "")).join("");
    expect([args(0), args(1)]).toEqual(['{"x":1}', "{}"]);
    expect(events.filter(({ type }) => type === "toolCall")).toMatchObject([
      { id: "a", name: "f" },
      { id: expect.stringMatching(/^call_/), name: "g" },
    ]);
  });

  it("Mistral: content in parts, thinking inside", async () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
      { type: "text", text: "ok" },
    ];
    server.on(chatPath, stream(delta({ content }), finish("stop")));
    const events = await all((await connect(server)).chat(hello, calm));
    expect([textOf(events, "reasoning"), textOf(events)]).toEqual(["hm", "ok"]);
  });

  it("OpenRouter: comments while it waits; LM Studio: no [DONE]", async () => {
    const chunk = JSON.stringify(delta({ content: "a" }));
    const end = JSON.stringify(finish("stop"));
    server.on(chatPath, { body: [": PROCESSING\n\n", `data: ${chunk}\n\n`, ": PROCESSING\n\n", `data: ${end}`] });
    expect(textOf(await all((await connect(server)).chat(hello, calm)))).toBe("a");
  });

  it("a server that does not stream: the whole answer at once", async () => {
    const message = { role: "assistant", content: "all of it", tool_calls: [] };
    server.on(
      chatPath,
      json({ choices: [{ index: 0, message, finish_reason: "stop" }], ...{ usage: usage(4, 3).usage } }),
    );
    const events = await all((await connect(server)).chat(hello, calm));
    expect(textOf(events)).toBe("all of it");
    expect(finished(events).usage).toMatchObject({ promptTokens: 4, completionTokens: 3 });
  });

  it("a character cut in two is one text; half a one at the end is a replacement character", async () => {
    const [high = "", low = ""] = "👋".split("");
    server.on(
      chatPath,
      stream(delta({ content: `a${high}` }), delta({ content: `${low}b` }), delta({ content: high }), finish("stop")),
    );
    const texts = (await all((await connect(server)).chat(hello, calm))).flatMap((event) =>
      event.type === "text" ? [event.text] : [],
    );
    expect(texts).toEqual(["a", "👋b", "\uFFFD"]);
  });
});
