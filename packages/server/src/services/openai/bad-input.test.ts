/** @file What must not get through, sent to every route that takes it, on the whole platform with a real model: refused by its field. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "../../app.ts";
import { plainTemplate, smallLanguageModel } from "../../models/testing/small-language-model.ts";
import { testAdminKey, testApp } from "../../testing/app.ts";

let app: App;
let close: () => Promise<void>;

const inject = async (method: "GET" | "POST", url: string, payload?: Buffer | string | object) => {
  const type = payload instanceof Buffer ? "application/octet-stream" : "application/json";
  const headers = { authorization: `Bearer ${testAdminKey}`, ...(payload ? { "content-type": type } : {}) };
  const answer = await app.http.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.json() };
};

beforeAll(async () => {
  ({ app, close } = await testApp());
  const bytes = await smallLanguageModel({ chatTemplate: plainTemplate });
  await inject("POST", "/api/models/small/versions", Buffer.from(bytes));
  const generation = { context_length: 512, slots: 2 };
  await inject("POST", "/api/deployments", { name: "talker", model: "small", threads: 1, generation });
  while ((await inject("GET", "/api/deployments/talker")).body.status !== "ready") await sleep(20);
}, 60_000);
afterAll(() => close());

/** A sound body of each route, and what it calls its prompt. */
const routes = {
  "/v1/chat/completions": { prompt: "messages", body: { messages: [{ role: "user", content: "hi" }], max_tokens: 2 } },
  "/v1/completions": { prompt: "prompt", body: { prompt: "hi", max_tokens: 2 } },
  "/v1/responses": { prompt: "input", body: { input: "hi", max_output_tokens: 2 } },
  "/v1/embeddings": { prompt: "input", body: { input: "hi" } },
  "/v1/rerank": { prompt: "query", body: { query: "hi", documents: ["one"] } },
} as const;
type Path = keyof typeof routes;
const paths = Object.keys(routes) as Path[];
const generating = paths.slice(0, 3);

const post = (path: Path, more: object) => inject("POST", path, { model: "talker", ...routes[path].body, ...more });
/** A body with a text as the prompt. */
const saying = (path: Path, text: string): object =>
  path === "/v1/chat/completions" ? { messages: [{ role: "user", content: text }] } : { [routes[path].prompt]: text };

function refused({ status, body }: { status: number; body: { error: object } }, expected: object): void {
  expect({ status, ...body.error }).toMatchObject({ status: 400, type: "invalid_request_error", ...expected });
}

test.each(generating)("%s: a sound body is answered", async (path) => {
  expect((await post(path, {})).status).toBe(200);
});

describe.each(paths)("%s refuses", (path) => {
  const { prompt } = routes[path];

  test("[HTTP5] bytes that are no UTF-8, and JSON that is none", async () => {
    const sound = JSON.stringify({ model: "talker", ...routes[path].body });
    const headers = { authorization: `Bearer ${testAdminKey}`, "content-type": "application/json" };
    for (const broken of [
      Buffer.from(sound.replace("hi", "\u00ff"), "latin1"),
      "{",
      `${sound}}`,
      "[]",
      "null",
      '{"model":NaN}',
    ]) {
      const { statusCode, body } = await app.http.app.inject({ method: "POST", url: path, headers, payload: broken });
      expect([statusCode, JSON.parse(body).error.type], String(broken)).toEqual([400, "invalid_request_error"]);
    }
  });

  test("half of a letter", async () => {
    const { status, body } = await post(path, saying(path, "half \ud800 a letter"));
    expect([status, body.error.param]).toEqual([400, expect.stringMatching(new RegExp(`^${prompt}`))]);
  });

  test("a megabyte of one token", async () => {
    const { status, body } = await post(path, saying(path, "a".repeat(1_000_000)));
    expect(status).toBe(400);
    if (path === "/v1/rerank") return; // this model ranks nothing, whatever the length
    expect(body.error).toMatchObject({ code: "context_length_exceeded", param: prompt });
    expect(body.error.message).toMatch(/\b512\b/);
  });

  test("a field that it does not know", async () => {
    const { status, body } = await post(path, { nonsense: 1 });
    expect(status).toBe(400);
    expect(body.error.message).toContain("nonsense");
  });
});

describe.each(generating)("%s refuses", (path) => {
  const tokens = path === "/v1/responses" ? "max_output_tokens" : "max_tokens";
  test.each<[string, unknown]>([
    ["temperature", -1],
    ["temperature", "NaN"],
    ["temperature", 1e308],
    ["top_p", -0.1],
    ["top_p", 2],
    ["top_k", -5],
    ["min_p", 7],
    ["tokens", -1],
    ["tokens", 1.5],
    ["tokens", 2 ** 40],
    ["grammar", 'root ::= root "a"'],
  ])("%s of %j", async (field, value) => {
    const name = field === "tokens" ? tokens : field;
    refused(await post(path, { [name]: value }), { param: name });
  });

  test("an answer that has no room", async () => {
    refused(await post(path, { [tokens]: 512 }), { code: "context_length_exceeded", param: routes[path].prompt });
  });
});

describe("chats refuse", () => {
  const deep = (levels: number): object =>
    levels === 0 ? { type: "string" } : { type: "object", properties: { a: deep(levels - 1) }, required: ["a"] };
  const format = (schema: object) => ({
    response_format: { type: "json_schema", json_schema: { name: "deep", strict: true, schema } },
  });
  const cyclic = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } };
  test.each<[string, object, RegExp]>([
    ["a huge n", { n: 1_000_000 }, /^n$/],
    ["no answers", { n: 0 }, /^n$/],
    ["a role that nobody has", { messages: [{ role: "wizard", content: "hi" }] }, /^messages\.0/],
    ["no messages", { messages: [] }, /^messages/],
    [
      "a tool's answer without a call",
      { messages: [{ role: "tool", tool_call_id: "c", content: "x" }] },
      /^messages\.0\.tool_call_id/,
    ],
    ["a penalty", { frequency_penalty: -3 }, /^frequency_penalty/],
    ["a bias", { logit_bias: { 99999999: 1 } }, /^logit_bias/],
    ["a seed", { seed: 1.5 }, /^seed/],
    ["an empty stop", { stop: [""] }, /^stop/],
    ["probabilities", { logprobs: true, top_logprobs: 50 }, /^top_logprobs/],
    ["a schema that is only a cycle", format(cyclic), /^response_format\.json_schema\.schema/],
    ["a schema of 100 levels", format(deep(100)), /^response_format\.json_schema\.schema/],
    [
      "a reference to elsewhere",
      format({ $ref: "https://example.com/a.json" }),
      /^response_format\.json_schema\.schema/,
    ],
  ])("%s", async (_, more, param) => {
    refused(await post("/v1/chat/completions", more), { param: expect.stringMatching(param) });
  });
});

describe("vectors and ranks refuse", () => {
  test.each<[Path, object, RegExp]>([
    ["/v1/embeddings", { input: [] }, /^input/],
    ["/v1/embeddings", { input: [[99_999_999]] }, /^input/],
    ["/v1/embeddings", { input: [[-1]] }, /^input/],
    ["/v1/embeddings", { dimensions: 0 }, /^dimensions/],
    ["/v1/embeddings", { dimensions: 1_000_000 }, /^dimensions/],
    ["/v1/rerank", { documents: [] }, /^documents/],
    ["/v1/rerank", { top_n: -1 }, /^top_n/],
    ["/v1/rerank", { documents: ["\udc00"] }, /^documents\.0/],
  ])("%s %j", async (path, more, param) => {
    refused(await post(path, more), { param: expect.stringMatching(param) });
  });
});

test("after all of it the model answers, with all its room", async () => {
  const { replicas } = (await inject("GET", "/api/deployments/talker")).body;
  expect(replicas).toMatchObject([{ restarts: 0, queue_depth: 0 }]);
  const answers = await Promise.all([post("/v1/chat/completions", {}), post("/v1/completions", {})]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
});
