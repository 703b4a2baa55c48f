/** @file Real models on the whole platform, by the clients that people use, over real HTTP. */
import { readFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, streamText, type ToolSet, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home, Platform } from "../e2e/platform.ts";

const paths = JSON.parse(process.env["GRISTMILL_TEST_MODELS"] ?? "{}") as Record<string, string>;
const parameters = {
  type: "object",
  properties: { city: { type: "string", maxLength: 20 } },
  required: ["city"],
  additionalProperties: false,
} as const;
const weather = {
  type: "function",
  function: { name: "weather", description: "Weather of a city", parameters, strict: true },
} as const;
const ask = (content: string) => [{ role: "user" as const, content }];

describe.each(Object.entries(paths))("%s", (_, path) => {
  const home = new Home();
  let platform: Platform;
  let client: OpenAI;
  let to: { baseURL: string; apiKey: string };
  const settings = { model: "talker", temperature: 0, max_tokens: 24 };

  beforeAll(async () => {
    platform = await Platform.start(home);
    await platform.expect(201, "POST", "/api/models/talker/versions", new Uint8Array(readFileSync(path)));
    const generation = { context_length: 512, slots: 16 };
    await platform.expect(202, "POST", "/api/deployments", { name: "talker", model: "talker", threads: 1, generation });
    await platform.until<{ status: string }>("/api/deployments/talker", ({ status }) => status === "ready");
    const named = { name: "app", scopes: ["inference"] };
    const { key } = await platform.expect<{ key: string }>(201, "POST", "/api/keys", named);
    to = { baseURL: `${platform.url}/v1`, apiKey: key };
    client = new OpenAI({ ...to, maxRetries: 0 });
  });
  afterAll(async () => {
    await platform?.stop();
    home.remove();
  });

  test("goes on with a text as it must", async () => {
    const { choices } = await client.completions.create({ ...settings, prompt: "The capital of France is" });
    expect(choices[0]?.text).toContain("Paris");
  });

  test("chats, streamed and whole alike, and its tokens are on the ledger", async () => {
    const messages = ask("What is the capital of France?");
    const { data: whole, request_id } = await client.chat.completions.create({ ...settings, messages }).withResponse();
    const said = whole.choices[0]?.message.content ?? "";
    expect(said).not.toBe("");
    let streamed = "";
    for await (const { choices } of await client.chat.completions.create({ ...settings, messages, stream: true }))
      streamed += choices[0]?.delta.content ?? "";
    expect(streamed).toBe(said);
    const { data } = await platform.expect<{ data: { meter: string; quantity: string }[] }>(
      200,
      "GET",
      `/api/usage/events?request_id=${request_id}`,
    );
    const used = Object.fromEntries(data.map(({ meter, quantity }) => [meter, Number(quantity)]));
    expect(used["service.output_tokens"]).toBe(whole.usage?.completion_tokens);
    const read = (used["service.input_tokens"] ?? 0) + (used["service.cached_input_tokens"] ?? 0);
    expect(read).toBe(whole.usage?.prompt_tokens);
  });

  test("writes the same alone and among 15 others", async () => {
    const messages = ask("Count from one to ten.");
    const answer = async () =>
      (await client.chat.completions.create({ ...settings, messages })).choices[0]?.message.content;
    const alone = await answer();
    const others = Array.from({ length: 15 }, (_, index) =>
      client.chat.completions.create({ ...settings, messages: ask(`Tell me of the number ${index}.`) }),
    );
    expect(await answer()).toBe(alone);
    await Promise.all(others);
  });

  test("calls a function that it must call, by required and by name", async () => {
    for (const tool_choice of ["required", { type: "function", function: { name: "weather" } }] as const) {
      const messages = ask("How is the weather in Rome?");
      const request = { ...settings, max_tokens: 80, messages, tools: [weather], tool_choice };
      const { choices } = await client.chat.completions.create({ ...request, parallel_tool_calls: false });
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      const call = choices[0]?.message.tool_calls?.[0];
      if (call?.type !== "function") throw new Error("expected a call of a function");
      expect(call.function.name).toBe("weather");
      expect(JSON.parse(call.function.arguments)).toEqual({ city: expect.any(String) });
    }
  });

  test("fills a JSON schema", async () => {
    const { choices } = await client.chat.completions.create({
      ...settings,
      max_tokens: 80,
      messages: ask("Which city is the capital of Italy? Answer in JSON."),
      response_format: { type: "json_schema", json_schema: { name: "city", schema: parameters, strict: true } },
    });
    expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual({ city: expect.any(String) });
  });

  test("tells probabilities, and keeps a chat's beginning for its second turn", async () => {
    const messages = ask("Name three colours of the rainbow, and nothing else, please.");
    const first = await client.chat.completions.create({ ...settings, messages, logprobs: true, top_logprobs: 2 });
    const tokens = first.choices[0]?.logprobs?.content ?? [];
    expect(tokens.length).toBeGreaterThan(0);
    for (const { logprob, top_logprobs } of tokens) expect(logprob).toBe(top_logprobs[0]?.logprob);
    const said = { role: "assistant" as const, content: first.choices[0]?.message.content ?? "" };
    const turns = [...messages, said, ...ask("And one more?")];
    const { usage } = await client.chat.completions.create({ ...settings, messages: turns });
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThanOrEqual((first.usage?.prompt_tokens ?? 0) - 5);
  });

  test("talks with the AI SDK and with LangChain", async () => {
    const model = createOpenAICompatible({ name: "gristmill", ...to })("talker");
    const request = {
      model,
      prompt: "What is the capital of France?",
      temperature: 0,
      maxOutputTokens: 24,
      maxRetries: 0,
    };
    const { text } = await generateText(request);
    const messages = ask(request.prompt);
    const own = await client.chat.completions.create({ ...settings, messages });
    expect(text).toBe(own.choices[0]?.message.content);
    expect(await streamText(request).text).toBe(text);
    const inputSchema = jsonSchema<{ city: string }>(parameters);
    // A tool without an implementation is `never` in its result, which exact optional properties don't take for a tool.
    const tools = { weather: tool({ inputSchema }) } as unknown as ToolSet;
    const { toolCalls } = await generateText({ ...request, maxOutputTokens: 80, tools, toolChoice: "required" });
    expect(toolCalls[0]).toMatchObject({ toolName: "weather", input: { city: expect.any(String) } });

    const chat = new ChatOpenAI({
      model: "talker",
      apiKey: to.apiKey,
      configuration: to,
      maxRetries: 0,
      temperature: 0,
      maxTokens: 24,
    });
    let pieces = "";
    for await (const { content } of await chat.stream(request.prompt)) pieces += content;
    expect(pieces).toBe(text);
    const { tool_calls } = await chat.bindTools([weather], { tool_choice: "weather" }).invoke("Weather in Rome?");
    expect(tool_calls?.[0]).toMatchObject({ name: "weather", args: { city: expect.any(String) } });
  });
});
