import { createCompletion } from "@gristmill/contract";
import { expect, test } from "vitest";
import { wireWords } from "./bad-field.ts";
import { tokenBound, tokenUse } from "./charge.ts";
import { completionRequests, promptsOf } from "./completion-request.ts";
import { chatLogprobsOf, completionLogprobsOf } from "./logprobs.ts";
import { promptBound } from "./prompt-bound.ts";
import { shortened, toBase64 } from "./vectors.ts";

const served = { deployment: "d", model: "m", model_version: "2" };

test("[SVC10] no token is counted by two meters, and what was not used is not told", () => {
  const use = tokenUse("chat-completions", served, {
    promptTokens: 10,
    cachedTokens: 4,
    completionTokens: 7,
    reasoningTokens: 7,
  });
  expect(use.map(({ meter, quantity }) => [meter, quantity])).toEqual([
    ["service.requests", 1n],
    ["service.input_tokens", 6n],
    ["service.cached_input_tokens", 4n],
    ["service.reasoning_tokens", 7n],
  ]);
  expect(use[0]?.dimensions).toEqual({ service: "chat-completions", ...served });
});

test("[SVC11] a bound is never more than the context holds, and never less than the bytes", () => {
  const bound = (prompt: number, completion: number | undefined, context?: number) =>
    tokenBound("completions", served, [{ prompt, completion, answers: 2 }], context).map(({ quantity }) => quantity);
  expect(bound(100, 5, 4096)).toEqual([1n, 100n, 10n]);
  expect(bound(Number.POSITIVE_INFINITY, undefined, 4096)).toEqual([1n, 4096n, 8192n]);
  expect(bound(Number.POSITIVE_INFINITY, 2 ** 31 - 1)).toEqual([1n, 1_000_000n, 2_000_000n]);
  expect(promptBound("é")).toBe(10);
  expect(promptBound([1, 2, 3])).toBe(11);
});

test("prompts are texts or tokens, alone or several", () => {
  expect(promptsOf("")).toEqual([""]);
  expect(promptsOf(["a", "b"])).toEqual(["a", "b"]);
  expect(promptsOf([1, 2])).toEqual([[1, 2]]);
  expect(promptsOf([[1], [2]])).toEqual([[1], [2]]);
});

test("completions are n of each prompt, of 16 tokens when nothing is said", () => {
  const read = (more: object) => completionRequests(createCompletion.parse({ model: "m", ...more }));
  const requests = read({ prompt: ["a", "b"], n: 2, seed: 5, logprobs: 2 });
  expect(requests.map(({ prompt, sampling, maxTokens }) => [prompt, sampling.seed, maxTokens])).toEqual([
    ["a", 5, 16],
    ["a", 6, 16],
    ["b", 5, 16],
    ["b", 6, 16],
  ]);
  expect(requests[0]?.logprobs).toBe(2);
  expect(() => read({ prompt: Array.from({ length: 128 }, () => "a"), n: 2 })).toThrow("at most 128 answers");
});

test.each([
  ["sampling.topP", "top_p"],
  ["sampling.temperature", "temperature"],
  ["constraint.schema.properties.age", "response_format.json_schema.schema.properties.age"],
  ["messages[2].content[0]", "messages.2.content.0"],
  ["tools[1].parameters.properties.x", "tools.1.function.parameters.properties.x"],
  ["toolChoice", "tool_choice"],
])("the engine's field %s is told as %s", (ours, theirs) => {
  expect(wireWords("prompt").name(ours)).toBe(theirs);
});

test("logprobs have no infinity, and places count UTF-16 code units", () => {
  const token = (text: string, logprob: number) => ({ token: 1, text, bytes: new TextEncoder().encode(text), logprob });
  const tokens = [
    { ...token("😀", Number.NEGATIVE_INFINITY), top: [token("a", -1)] },
    { ...token("b", -0.5), top: [] },
  ];
  expect(chatLogprobsOf(tokens).content?.[0]).toEqual({
    token: "😀",
    logprob: -9999,
    bytes: [240, 159, 152, 128],
    top_logprobs: [{ token: "a", logprob: -1, bytes: [97] }],
  });
  expect(completionLogprobsOf(tokens, 3)).toEqual({
    tokens: ["😀", "b"],
    token_logprobs: [-9999, -0.5],
    top_logprobs: [{ a: -1 }, {}],
    text_offset: [3, 5],
  });
});

test("vectors are shortened to length 1 and written as little-endian floats", () => {
  expect(Array.from(shortened(Float32Array.of(3, 4, 12), 2), (value) => value.toFixed(4))).toEqual([
    "0.6000",
    "0.8000",
  ]);
  expect(shortened(Float32Array.of(0, 0, 1), 2)).toEqual(new Float32Array(2));
  expect(shortened(Float32Array.of(1, 0), undefined)).toEqual(Float32Array.of(1, 0));
  expect(toBase64(Float32Array.of(1, -2))).toBe(Buffer.from([0, 0, 128, 63, 0, 0, 0, 192]).toString("base64"));
});
