import { AppError, createChatCompletion } from "@gristmill/contract";
import type { ChatRequest } from "@gristmill/engine";
import { describe, expect, it, test } from "vitest";
import { chatRequests } from "./chat-request.ts";
import { chatBound } from "./prompt-bound.ts";

const user = { role: "user", content: "Hi" } as const;
const read = (more: object) => chatRequests(createChatCompletion.parse({ model: "m", messages: [user], ...more }));

/** The field and the sentence of a refusal. */
function refusal(more: object): readonly [string, string] {
  const parsed = createChatCompletion.safeParse({ model: "m", messages: [user], ...more });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return [issue?.path.join(".") ?? "", issue?.message ?? ""];
  }
  try {
    chatRequests(parsed.data);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [problem] = error.details["problems"] as { field: string; problem: string }[];
    return [problem?.field ?? "", problem?.problem ?? ""];
  }
  throw new Error("nothing was refused");
}

test("a bare request has no settings but OpenAI's defaults", () => {
  expect(read({})).toEqual([
    {
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      tools: [],
      toolChoice: "none",
      parallelToolCalls: true,
      stop: [],
      sampling: {},
    },
  ]);
});

test("null is the same as leaving a field out", () => {
  const fields = ["temperature", "top_p", "seed", "stop", "n", "stream", "tools", "tool_choice", "logit_bias", "store"];
  expect(read(Object.fromEntries(fields.map((field) => [field, null])))).toEqual(read({}));
});

test("every setting arrives", () => {
  const [request] = read({
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    min_p: 0.05,
    frequency_penalty: -1,
    presence_penalty: 2,
    seed: -1,
    logit_bias: { 7: -100 },
    max_completion_tokens: 9,
    stop: "END",
    logprobs: true,
    top_logprobs: 3,
    parallel_tool_calls: false,
    chat_template_kwargs: { enable_thinking: false },
    response_format: { type: "json_schema", json_schema: { name: "n", schema: { type: "object" } } },
  });
  expect(request).toMatchObject({
    sampling: {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      minP: 0.05,
      frequencyPenalty: -1,
      presencePenalty: 2,
      seed: 0xffff_ffff,
      logitBias: [[7, -100]],
    },
    maxTokens: 9,
    stop: ["END"],
    logprobs: 3,
    parallelToolCalls: false,
    templateVariables: { enable_thinking: false },
    constraint: { type: "schema", schema: { type: "object" } },
  });
});

test("each of n answers has a seed of its own", () => {
  expect(read({ n: 3, seed: 41 }).map(({ sampling }) => sampling.seed)).toEqual([41, 42, 43]);
  expect(read({ n: 2 }).map(({ sampling }) => sampling.seed)).toEqual([undefined, undefined]);
});

describe("messages", () => {
  test("of developers are the system's, and calls meet their answers", () => {
    const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
    const [request] = read({
      messages: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "Now?" }], name: "ada" },
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", content: "noon", tool_call_id: "call_1" },
      ],
    });
    expect(request?.messages).toEqual([
      { role: "system", content: [{ type: "text", text: "Be brief." }] },
      { role: "user", content: [{ type: "text", text: "Now?" }], name: "ada" },
      { role: "assistant", content: [], toolCalls: [{ id: "call_1", name: "f", arguments: "{}" }] },
      { role: "tool", content: [{ type: "text", text: "noon" }], toolCallId: "call_1" },
    ]);
  });

  test("carry images as data URLs only, told by their bytes", () => {
    const image = (url: string) => ({
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
    });
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2]);
    const [request] = read(image(`data:image/jpeg;base64,${png.toString("base64")}`));
    expect(request?.messages[0]?.content).toEqual([{ type: "image", bytes: new Uint8Array(png) }]);
    expect(chatBound(request as ChatRequest)).toBe(Number.POSITIVE_INFINITY);
    const field = "messages.0.content.0.image_url.url";
    expect(refusal(image("http://169.254.169.254/x.png"))[1]).toContain("URLs are not fetched");
    expect(refusal(image("file:///etc/passwd"))).toEqual([field, "expected a data URL: data:image/png;base64,…"]);
    expect(refusal(image("data:image/png;base64,****"))).toEqual([field, "this is not base64"]);
    expect(refusal(image("data:image/png;base64,AAAA"))[1]).toContain("expected an image as PNG, JPEG, WebP");
  });
});

test("tools may be few of those that are told", () => {
  const tool = (name: string) => ({ type: "function", function: { name } });
  const tools = [tool("a"), tool("b")];
  expect(read({ tools })[0]).toMatchObject({ toolChoice: "auto" });
  expect(read({ tools, tool_choice: tool("b") })[0]).toMatchObject({ toolChoice: { name: "b" } });
  const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [tool("b")] } };
  expect(read({ tools, tool_choice: allowed })[0]).toMatchObject({
    tools: [{ name: "b", strict: false }],
    toolChoice: "required",
  });
});

it.each([
  ["messages", { messages: [] }, "messages"],
  ["an unknown role", { messages: [{ role: "robot", content: "x" }] }, "messages.0.role"],
  ["no content", { messages: [{ role: "assistant" }] }, "messages.0.content"],
  ["a lone surrogate", { messages: [{ role: "user", content: "\ud800" }] }, "messages.0.content"],
  [
    "an answer without its call",
    { messages: [{ role: "tool", content: "x", tool_call_id: "c" }] },
    "messages.0.tool_call_id",
  ],
  ["NaN", { temperature: Number.NaN }, "temperature"],
  ["a negative temperature", { temperature: -0.1 }, "temperature"],
  ["a huge n", { n: 1e9 }, "n"],
  ["a fraction of a token", { max_tokens: 1.5 }, "max_tokens"],
  ["two limits", { max_tokens: 1, max_completion_tokens: 2 }, "max_tokens"],
  ["five stops", { stop: ["a", "b", "c", "d", "e"] }, "stop"],
  ["top_logprobs alone", { top_logprobs: 2 }, "top_logprobs"],
  ["a choice without tools", { tool_choice: "required" }, "tool_choice"],
  [
    "an unknown function",
    {
      tools: [{ type: "function", function: { name: "a" } }],
      tool_choice: { type: "function", function: { name: "b" } },
    },
    "tool_choice.function.name",
  ],
  ["twins", { tools: [1, 2].map(() => ({ type: "function", function: { name: "a" } })) }, "tools"],
  ["a grammar and a format", { grammar: 'root ::= "a"', response_format: { type: "json_object" } }, "grammar"],
  ["a bias out of range", { logit_bias: { 1: 101 } }, "logit_bias.1"],
  ["a bias of no token", { logit_bias: { cat: 1 } }, "logit_bias.cat"],
  ["stored chats", { store: true }, "store"],
  ["audio", { modalities: ["text", "audio"] }, "modalities"],
  ["old functions", { functions: [] }, "functions"],
  ["a prediction", { prediction: { type: "content", content: "x" } }, "prediction"],
])("[SVC8] refuses %s by the field's name", (_, more, field) => {
  expect(refusal(more)[0]).toBe(field);
});

test("refuses schemas that nest without end, and says how deep they may be", () => {
  let schema: object = {};
  for (let depth = 0; depth < 5000; depth++) schema = { items: schema };
  const [field, problem] = refusal({ tools: [{ type: "function", function: { name: "a", parameters: schema } }] });
  expect(field).toBe("tools.0.function.parameters");
  expect(problem).toBe("expected JSON of at most 100 levels");
});
