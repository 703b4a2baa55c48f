/** @file Clients of others that speak OpenAI's protocol, unmodified, over real HTTP. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embedMany, generateText, jsonSchema, streamText, type ToolSet, tool } from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Harness, httpHarness, testKey } from "../../http/testing/harness.ts";
import { openaiRoutes } from "./index.ts";
import { echoModels } from "./testing/echo-models.ts";

let harness: Harness;
let baseURL: string;

beforeAll(async () => {
  harness = await httpHarness(openaiRoutes({ deployments: echoModels() }));
  baseURL = `http://127.0.0.1:${await harness.http.listen("127.0.0.1", 0)}/v1`;
});
afterAll(() => harness.http.stop(0));

describe("the AI SDK", () => {
  const provider = () => createOpenAICompatible({ name: "gristmill", baseURL, apiKey: testKey, includeUsage: true });
  const weather = tool({
    description: "Weather of a city",
    inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } }),
  });

  test("generates text with its thinking and its usage", async () => {
    const { text, reasoningText, usage, finishReason } = await generateText({
      model: provider()("echo"),
      prompt: "hm one two",
      maxRetries: 0,
    });
    expect([text, reasoningText, finishReason]).toEqual([" one two", "hm", "stop"]);
    expect(usage).toMatchObject({ inputTokens: 3, outputTokens: 3, totalTokens: 6 });
  });

  test("streams text", async () => {
    const stream = streamText({ model: provider()("echo"), prompt: "one two three", maxRetries: 0 });
    const pieces: string[] = [];
    for await (const piece of stream.textStream) pieces.push(piece);
    expect(pieces).toEqual(["one", " two", " three"]);
    expect(await stream.usage).toMatchObject({ inputTokens: 3, outputTokens: 3 });
  });

  test("reads calls of functions, whole and streamed", async () => {
    const request = {
      model: provider()("echo"),
      prompt: "weather in Rome",
      // A tool without an implementation is `never` in its result, which exact optional properties don't take for a tool.
      tools: { weather } as unknown as ToolSet,
      toolChoice: { type: "tool", toolName: "weather" },
      maxRetries: 0,
    } as const;
    const { toolCalls, finishReason } = await generateText(request);
    expect(finishReason).toBe("tool-calls");
    expect(toolCalls).toMatchObject([{ toolName: "weather", input: { city: "Rome" } }]);
    expect(await streamText(request).toolCalls).toMatchObject([{ toolName: "weather", input: { city: "Rome" } }]);
  });

  test("embeds", async () => {
    const model = provider().embeddingModel("echo");
    const { embeddings, usage } = await embedMany({ model, values: ["a b", "c"], maxRetries: 0 });
    expect([embeddings.length, embeddings[0]?.length, usage.tokens]).toEqual([2, 4, 3]);
  });
});

describe("LangChain", () => {
  const model = () =>
    new ChatOpenAI({ model: "echo", apiKey: testKey, configuration: { baseURL }, maxRetries: 0, temperature: 0 });

  test("invokes and streams", async () => {
    const answer = await model().invoke("one two");
    expect(answer).toMatchObject({ content: "one two", usage_metadata: { input_tokens: 2, output_tokens: 2 } });
    const pieces: unknown[] = [];
    for await (const { content } of await model().stream("one two")) pieces.push(content);
    expect(pieces.join("")).toBe("one two");
  });

  test("binds tools", async () => {
    const weather = { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } };
    const bound = model().bindTools([weather], { tool_choice: "weather" });
    const { tool_calls } = await bound.invoke("weather in Rome");
    expect(tool_calls).toMatchObject([{ name: "weather", args: { city: "Rome" }, id: "call_a" }]);
  });

  test("embeds", async () => {
    const embeddings = new OpenAIEmbeddings({
      model: "echo",
      apiKey: testKey,
      configuration: { baseURL },
      maxRetries: 0,
    });
    expect((await embeddings.embedQuery("a b")).map((value) => Number(value.toFixed(2)))).toEqual([0.6, 0.8, 0, 0.25]);
  });
});
