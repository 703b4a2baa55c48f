/** @file Whole flows on the whole platform: a real language model of random weights, in a real replica, by OpenAI's own client. */
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { App } from "../../app.ts";
import { plainTemplate, smallLanguageModel } from "../../models/testing/small-language-model.ts";
import { testAdminKey, testApp } from "../../testing/app.ts";

let app: App;
let close: () => Promise<void>;
let client: OpenAI;

const admin = { authorization: `Bearer ${testAdminKey}` };

beforeAll(async () => {
  ({ app, close } = await testApp());
  const call = async (method: "GET" | "POST", url: string, payload?: Buffer | object) => {
    const type = payload instanceof Buffer ? { "content-type": "application/octet-stream" } : {};
    const headers = { ...admin, ...type };
    const answer = await app.http.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.json();
  };
  const bytes = await smallLanguageModel({ chatTemplate: plainTemplate });
  await call("POST", "/api/models/small/versions", Buffer.from(bytes));
  await call("POST", "/api/deployments", {
    name: "talker",
    model: "small",
    threads: 1,
    generation: { context_length: 512, slots: 4 },
  });
  while ((await call("GET", "/api/deployments/talker")).status !== "ready") await sleep(20);
  const { key } = await call("POST", "/api/keys", { name: "app", scopes: ["inference", "usage:read"] });
  client = new OpenAI({ apiKey: key, baseURL: `${app.url}/v1`, maxRetries: 0 });
}, 60_000);
afterAll(() => close());

/** The end of the text is never chosen, so that answers are as long as they may be. */
const settings = { model: "talker", temperature: 0, logit_bias: { 2: -100 } };
const messages = [{ role: "user" as const, content: "hello there" }];

/** Sums of what was used, by meter. */
async function used(): Promise<Record<string, number>> {
  const query = "group_by=meter&from=2020-01-01T00:00:00Z";
  const answer = await app.http.app.inject({ url: `/api/usage?${query}`, headers: admin });
  const { data } = answer.json() as { data: { meter: string; quantity: string }[] };
  return Object.fromEntries(data.map(({ meter, quantity }) => [meter, Number(quantity)]));
}

test("a chat is answered whole and streamed alike, and its tokens are on the ledger", async () => {
  const before = await used();
  const whole = await client.chat.completions.create({ ...settings, messages, max_tokens: 12 });
  const [choice] = whole.choices;
  expect(choice).toMatchObject({ finish_reason: "length", message: { role: "assistant" } });
  expect(whole.usage?.completion_tokens).toBe(12);
  let [said, usage]: [string, OpenAI.CompletionUsage | null | undefined] = ["", null];
  for await (const chunk of await client.chat.completions.create({
    ...settings,
    messages,
    max_tokens: 12,
    stream: true,
    stream_options: { include_usage: true },
  })) {
    said += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage;
  }
  expect(said).toBe(choice?.message.content);
  expect(usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
  const after = await used();
  const prompt = (meter: string) => (after[meter] ?? 0) - (before[meter] ?? 0);
  expect(prompt("service.output_tokens")).toBe(24);
  expect(prompt("service.requests")).toBe(2);
  expect(prompt("service.input_tokens") + prompt("service.cached_input_tokens")).toBe(2 * (usage?.prompt_tokens ?? 0));
});

test("the same seed writes the same; several answers are of several seeds", async () => {
  const ask = { model: "talker", messages, max_tokens: 8, temperature: 1.5, n: 3, seed: 11 } as const;
  const texts = async () => (await client.chat.completions.create(ask)).choices.map(({ message }) => message.content);
  const first = await texts();
  expect(new Set(first).size).toBeGreaterThan(1);
  expect(await texts()).toEqual(first);
});

test("an answer is held to a JSON schema", async () => {
  const schema = {
    type: "object",
    properties: { mood: { enum: ["good", "bad"] } },
    required: ["mood"],
    additionalProperties: false,
  };
  const { choices } = await client.chat.completions.create({
    model: "talker",
    messages,
    max_tokens: 100,
    response_format: { type: "json_schema", json_schema: { name: "mood", schema, strict: true } },
  });
  expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual({ mood: expect.stringMatching(/^(good|bad)$/) });
});

test("completions go on with a text, with the probabilities of their tokens", async () => {
  const { choices } = await client.completions.create({ ...settings, prompt: "one", max_tokens: 4, logprobs: 2 });
  const [choice] = choices;
  expect(choice?.logprobs?.tokens).toHaveLength(4);
  expect(choice?.logprobs?.token_logprobs?.every((logprob) => logprob <= 0)).toBe(true);
});

test("texts become vectors of length 1, as the client asks for them by itself", async () => {
  const { data, usage } = await client.embeddings.create({ model: "talker", input: ["hello", "there you are"] });
  expect(data.map(({ embedding }) => embedding.length)).toEqual([32, 32]);
  for (const { embedding } of data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
  expect(usage.prompt_tokens).toBeGreaterThan(2);
});

test("a prompt over the context is refused with its field, and the model is listed", async () => {
  const long = [{ role: "user" as const, content: "x ".repeat(2000) }];
  await expect(client.chat.completions.create({ model: "talker", messages: long })).rejects.toMatchObject({
    status: 400,
    code: "context_length_exceeded",
    param: "messages",
  });
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["talker"]);
});

test("a client that goes away frees the slot and pays for what was written", async () => {
  const before = await used();
  const stream = await client.chat.completions.create({ ...settings, messages, max_tokens: 400, stream: true });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 4) break;
  await expect
    .poll(async () => (await used())["service.requests"], { timeout: 5000 })
    .toBe((before["service.requests"] ?? 0) + 1);
  const tokens = ((await used())["service.output_tokens"] ?? 0) - (before["service.output_tokens"] ?? 0);
  expect(tokens).toBeGreaterThanOrEqual(3);
  expect(tokens).toBeLessThan(400);
});
