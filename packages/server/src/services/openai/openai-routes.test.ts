/** @file The routes over real HTTP, with OpenAI's own client, unmodified. */
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { afterEach, describe, expect, test } from "vitest";
import { type Harness, httpHarness, testKey, withKey } from "../../http/testing/harness.ts";
import { openaiRoutes } from "./index.ts";
import { type EchoModels, echoModels } from "./testing/echo-models.ts";

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.http.stop(0);
  harness = undefined;
});

async function open(options: Parameters<typeof echoModels>[0] & { failSettle?: boolean } = {}) {
  const models: EchoModels = echoModels(options);
  harness = await httpHarness(openaiRoutes({ deployments: models }), options);
  const { http, told } = harness;
  const port = await http.listen("127.0.0.1", 0);
  const url = `http://127.0.0.1:${port}/v1`;
  const client = new OpenAI({ apiKey: testKey, baseURL: url, maxRetries: 0 });
  const post = (path: string, body: unknown) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { ...withKey, "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  /** Meters of the last settlement. */
  const used = (): Record<string, number> =>
    Object.fromEntries(
      ((told.findLast(({ what }) => what === "settle")?.detail ?? []) as { meter: string; quantity: bigint }[]).map(
        ({ meter, quantity }) => [meter.slice("service.".length), Number(quantity)],
      ),
    );
  return { client, models, told, used, post, calls: () => told.map(({ what }) => what) };
}

const ask = (content: string, more: object = {}) => ({
  model: "echo",
  messages: [{ role: "user" as const, content }],
  ...more,
});
const tools = [{ type: "function" as const, function: { name: "weather", parameters: { type: "object" } } }];

describe("chat completions", () => {
  test("answer whole, with tokens, an id, and headers; what was used is settled", async () => {
    const { client, used, calls } = await open();
    const { data, response } = await client.chat.completions.create(ask("hm one two")).withResponse();
    expect(data).toMatchObject({
      object: "chat.completion",
      model: "echo",
      created: 1767323045,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: " one two", reasoning_content: "hm", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 3,
        total_tokens: 6,
        prompt_tokens_details: { cached_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    });
    expect(data.id).toMatch(/^chatcmpl-[0-9a-z]{26}$/);
    expect(data.system_fingerprint).toMatch(/^fp_[0-9a-f]{10}$/);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(response.headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    expect(calls()).toEqual(["reserve", "settle"]);
    expect(used()).toEqual({
      requests: 1,
      input_tokens: 2,
      cached_input_tokens: 1,
      output_tokens: 2,
      reasoning_tokens: 1,
    });
  });

  test("stream the same answer, framed exactly, with usage at the end where it is asked for", async () => {
    const { post, used } = await open();
    const body = ask("one two", { stream: true, stream_options: { include_usage: true } });
    const answer = await post("/chat/completions", body);
    expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const text = await answer.text();
    expect(text.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
    const chunks = text
      .split("\n\n")
      .slice(0, -2)
      .map((event) => JSON.parse(event.replace(/^data: /, "")));
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: "assistant", content: "" },
      { content: "one" },
      { content: " two" },
      {},
      undefined,
    ]);
    expect(chunks.map(({ usage }) => usage?.total_tokens ?? usage)).toEqual([null, null, null, null, 4]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, "stop", undefined]);
    expect(used()).toMatchObject({ output_tokens: 2 });
  });

  test("a streamed call of a function is put together by the client as the unstreamed one", async () => {
    const { client } = await open();
    const body = ask("weather in Rome", { tools, tool_choice: { type: "function", function: { name: "weather" } } });
    const whole = await client.chat.completions.create(body as OpenAI.ChatCompletionCreateParamsNonStreaming);
    const streamed = await client.chat.completions.stream(body as never).finalChatCompletion();
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: null,
        tool_calls: [{ id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } }],
      },
    });
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject(whole.choices[0]?.message.tool_calls ?? []);
    expect(streamed.choices[0]?.finish_reason).toBe("tool_calls");
  });

  test("n answers are told side by side, and their prompt is paid for once", async () => {
    const { client, used } = await open();
    const { choices, usage } = await client.chat.completions.create(ask("one two", { n: 3 }));
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([0, 1, 2].map((i) => [i, "one two"]));
    expect(usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 6 });
    expect(used()).toEqual({ requests: 1, input_tokens: 1, cached_input_tokens: 1, output_tokens: 6 });
  });

  test("logprobs are of each token", async () => {
    const { client } = await open();
    const { choices } = await client.chat.completions.create(ask("a b", { logprobs: true, top_logprobs: 2 }));
    expect(choices[0]?.logprobs?.content?.map(({ token, top_logprobs }) => [token, top_logprobs.length])).toEqual([
      ["a", 2],
      [" b", 2],
    ]);
  });

  test("a limit of tokens ends an answer for want of length", async () => {
    const { client } = await open();
    const { choices } = await client.chat.completions.create(ask("one two three", { max_tokens: 2 }));
    expect(choices[0]).toMatchObject({ message: { content: "one two" }, finish_reason: "length" });
  });
});

describe("completions, embeddings, rerank and models", () => {
  test("completions answer each prompt, whole and streamed", async () => {
    const { client, used } = await open();
    const prompt = ["one two", "three"];
    const { choices, usage } = await client.completions.create({ model: "echo", prompt, logprobs: 0 });
    expect(choices.map(({ text, index }) => [index, text])).toEqual([
      [0, "one two"],
      [1, "three"],
    ]);
    expect(choices[0]?.logprobs?.text_offset).toEqual([0, 3]);
    expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 3 });
    expect(used()).toMatchObject({ requests: 1, input_tokens: 1, output_tokens: 3 });
    const said: string[] = ["", ""];
    for await (const chunk of await client.completions.create({ model: "echo", prompt, stream: true }))
      for (const choice of chunk.choices) said[choice.index] += choice.text;
    expect(said).toEqual(prompt);
  });

  test("embeddings come as the client asks for them by itself (base64), as numbers, and shortened", async () => {
    const { client, used } = await open();
    const { data, usage } = await client.embeddings.create({ model: "echo", input: ["a b", "c"] });
    expect(data.map(({ embedding }) => embedding.map((value) => Number(value.toFixed(3))))).toEqual([
      [0.6, 0.8, 0, 0.25],
      [0.6, 0.8, 0, 0.125],
    ]);
    expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(used()).toEqual({ requests: 1, input_tokens: 3 });
    const short = await client.embeddings.create({
      model: "echo",
      input: "a",
      dimensions: 1,
      encoding_format: "float",
    });
    expect(short.data[0]?.embedding).toEqual([1]);
    await expect(client.embeddings.create({ model: "echo", input: "a", dimensions: 9 })).rejects.toMatchObject({
      status: 400,
      param: "dimensions",
    });
  });

  test("rerank tells the best first", async () => {
    const { post } = await open();
    const body = { model: "echo", query: "cat", documents: ["dog", { text: "a cat" }, "cat"], top_n: 2 };
    const answer = await post("/rerank", { ...body, return_documents: true });
    expect(await answer.json()).toMatchObject({
      results: [
        { index: 1, relevance_score: 0.75, document: { text: "a cat" } },
        { index: 2, relevance_score: 0.75, document: { text: "cat" } },
      ],
      usage: { total_tokens: 3 },
    });
  });

  test("models are the project's language models", async () => {
    const { client } = await open();
    const echo = { id: "echo", object: "model", created: 5, owned_by: "project" };
    expect((await client.models.list()).data).toEqual([echo]);
    expect(await client.models.retrieve("echo")).toEqual(echo);
    await expect(client.models.retrieve("digits")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("what is refused", () => {
  test.each([
    ["a field that is not supported", { audio: {} }, "audio", "unsupported_parameter"],
    [
      "a kind of part",
      { messages: [{ role: "user", content: [{ type: "file", file: {} }] }] },
      "messages.0.content.0",
      "unsupported_parameter",
    ],
    ["a refusal of the engine", { top_k: 13 }, "top_k", "engine.request_invalid"],
    ["a prompt that is too long", { max_tokens: 64 }, "messages", "context_length_exceeded"],
  ])("%s is told by its name, in OpenAI's words", async (_, more, param, code) => {
    const { client, calls } = await open();
    const failure = client.chat.completions.create(ask("one two", more) as never);
    await expect(failure).rejects.toMatchObject({ status: 400, param, code, type: "invalid_request_error" });
    expect(calls().includes("settle")).toBe(false);
  });

  test("unknown fields, unknown models, and what is no JSON", async () => {
    const { client, post } = await open();
    await expect(client.chat.completions.create(ask("a", { temprature: 1 }))).rejects.toThrow(
      "unknown field temprature",
    );
    await expect(client.chat.completions.create({ ...ask("a"), model: "gpt" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    expect((await post("/chat/completions", '{"model": NaN')).status).toBe(400);
  });
});

describe("what goes wrong on the way", () => {
  test("a process that dies in a stream ends it with an error event; what was sent is paid for", async () => {
    const { client, used, models } = await open({ dieAfter: 2 });
    const seen: string[] = [];
    const read = async () => {
      for await (const { choices } of await client.chat.completions.create({ ...ask("a b c"), stream: true }))
        seen.push(choices[0]?.delta.content ?? "");
    };
    await expect(read()).rejects.toThrow("The model's process ended.");
    expect(seen).toEqual(["", "a", " b"]);
    expect(used()).toMatchObject({ requests: 1, output_tokens: 2 });
    expect(models.underWay()).toBe(0);
  });

  test("a process that dies before an unstreamed answer is an error that costs nothing", async () => {
    const { client, calls } = await open({ dieAfter: 2 });
    await expect(client.chat.completions.create(ask("a b c"))).rejects.toMatchObject({ status: 503 });
    expect(calls()).toEqual(["reserve", "release"]);
  });

  test("a client that goes away ends the generation and pays for what was written", async () => {
    const { client, used, models, calls } = await open({ delayMs: 5 });
    const words = Array.from({ length: 60 }, (_, index) => `w${index}`).join(" ");
    const stream = await client.chat.completions.create({ ...ask(words), stream: true });
    let read = 0;
    for await (const _ of stream) if (++read === 5) break;
    await expect.poll(() => calls()).toEqual(["reserve", "settle"]);
    expect(models.underWay()).toBe(0);
    expect(used()["output_tokens"]).toBeGreaterThanOrEqual(4);
    expect(used()["output_tokens"]).toBeLessThan(60);
    const abort = new AbortController();
    const unstreamed = client.chat.completions.create(ask(words), { signal: abort.signal });
    await sleep(50);
    abort.abort();
    await expect(unstreamed).rejects.toThrow();
    await expect.poll(() => calls().length).toBe(4);
    expect([models.underWay(), calls().at(-1)]).toEqual([0, "settle"]);
  });

  test("[HTTP3] a stream whose use can't be written ends with an error and without [DONE]", async () => {
    const { post } = await open({ failSettle: true });
    const answer = await post("/chat/completions", ask("a b", { stream: true }));
    const chunks: string[] = [];
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const chunk of answer.body ?? []) chunks.push(decoder.decode(chunk));
    };
    await read().catch(() => {});
    expect(chunks.join("")).toContain('"content":"a"');
    expect(chunks.join("")).not.toContain("[DONE]");
  });
});
