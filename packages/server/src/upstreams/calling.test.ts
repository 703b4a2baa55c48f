/** @file Deployments that call upstreams: a second platform as a real one, and servers that fail as servers do. */
import type { RequestListener, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "../app.ts";
import { plainTemplate, smallLanguageModel } from "../models/testing/small-language-model.ts";
import { type TestServer, testServer } from "../net/testing/servers.ts";
import { databaseUrl, testAdminKey, testApp } from "../testing/app.ts";

interface Platform {
  readonly app: App;
  /** Settings of the same platform, started again. */
  readonly again: Record<string, string>;
  readonly client: OpenAI;
  readonly key: string;
  call(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object): Promise<Answer>;
}
interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes, looked at by their tests.
  readonly body: any;
  readonly text: string;
}

const closing: (() => Promise<void>)[] = [];
let near: Platform;
let far: Platform;

async function platform(environment: Record<string, string> = {}): Promise<Platform> {
  const { app, home, connection, close } = await testApp(environment);
  closing.unshift(close);
  const again = { ...environment, GRISTMILL_HOME: home, DATABASE_URL: databaseUrl(connection) };
  const call: Platform["call"] = async (method, url, payload) => {
    const type = payload instanceof Buffer ? { "content-type": "application/octet-stream" } : {};
    const headers = { authorization: `Bearer ${testAdminKey}`, ...type };
    const answer = await app.http.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
    return { status: answer.statusCode, body: answer.json(), text: answer.body };
  };
  const { key } = (await call("POST", "/api/keys", { name: "app", scopes: ["inference"] })).body;
  return { app, again, key, call, client: new OpenAI({ apiKey: key, baseURL: `${app.url}/v1`, maxRetries: 0 }) };
}

beforeAll(async () => {
  near = await platform({ GRISTMILL_ALLOWED_ADDRESSES: "127.0.0.0/8" });
  far = await platform();
  const bytes = await smallLanguageModel({ chatTemplate: plainTemplate });
  await far.call("POST", "/api/models/small/versions", Buffer.from(bytes));
  const generation = { context_length: 512, slots: 4 };
  await far.call("POST", "/api/deployments", { name: "talker", model: "small", threads: 1, generation });
  await status(far, "talker", "ready");
}, 120_000);
afterAll(async () => {
  for (const close of closing) await close();
});

/** Waits for it; a revision that has just come up is in the rows a moment later. */
async function status({ call }: Platform, name: string, wanted: string): Promise<Answer["body"]> {
  for (let i = 0; i < 3000; i++) {
    const { body } = await call("GET", `/api/deployments/${name}`);
    if (body.status === wanted && (body.revision !== null || wanted === "unavailable")) return body;
    await sleep(20);
  }
  throw new Error(`"${name}" does not become ${wanted}`);
}

/** Names an upstream and deploys it under the same name. */
async function deploy(name: string, base_url: string, more: { settings?: object; credentials?: object } = {}) {
  const settings = { context_length: 512, retries: 0, ...more.settings };
  const made = await near.call("POST", "/api/upstreams", { name, base_url, model: "talker", ...more, settings });
  if (made.status !== 201) throw new Error(made.text);
  const deployed = await near.call("POST", "/api/deployments", { name, upstreams: [{ name }] });
  if (deployed.status !== 202) throw new Error(deployed.text);
}

/** A server that lists no models and answers chats as told. */
async function server(chat: (response: ServerResponse, request: Parameters<RequestListener>[0]) => void) {
  const listener: RequestListener = (request, response) => {
    if (request.url === "/v1/models") response.end(JSON.stringify({ data: [] }));
    else chat(response, request);
  };
  const made: TestServer = await testServer(listener);
  closing.push(() => made.close());
  return `${made.url}/v1`;
}

const chunk = (content: string, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`;

/** What a deployment's calls used, by meter. */
async function used(deployment: string): Promise<Record<string, number>> {
  const query = `group_by=meter,deployment,model&from=2020-01-01T00:00:00Z`;
  const { body } = await near.call("GET", `/api/usage?${query}`);
  const rows = body.data as { meter: string; quantity: string; group: { deployment: string; model: string } }[];
  const own = rows.filter(({ group }) => group.deployment === deployment);
  return Object.fromEntries(own.map(({ meter, group, quantity }) => [`${meter} ${group.model}`, Number(quantity)]));
}

const ends = { temperature: 0, logit_bias: { 2: -100 } };
const messages = [{ role: "user" as const, content: "hello there" }];
const bearer = (token: string) => ({ type: "bearer", token });

describe("a deployment of an upstream", () => {
  test("[SRV21] answers as the upstream does, whole and streamed, and meters what it reports", async () => {
    await deploy("real", `${far.app.url}/v1`, {
      credentials: bearer(far.key),
      settings: { abilities: { embed: true } },
    });
    const deployment = await status(near, "real", "ready");
    expect(deployment).toMatchObject({ replicas: [], error: null, revision: { model: "real", model_version: 0 } });
    expect(deployment.revision.upstreams).toEqual([{ name: "real", weight: 1, priority: 0 }]);
    const ask = (client: OpenAI, model: string) =>
      client.chat.completions.create({ model, messages, max_tokens: 12, ...ends });
    const direct = await ask(far.client, "talker");
    const through = await ask(near.client, "real");
    expect(through.choices[0]?.message.content).toBe(direct.choices[0]?.message.content);
    expect(through.model).toBe("real");
    expect(through.usage).toMatchObject({ completion_tokens: 12, prompt_tokens: direct.usage?.prompt_tokens });
    let said = "";
    const stream = { model: "real", messages, max_tokens: 12, ...ends, stream: true } as const;
    for await (const part of await near.client.chat.completions.create(stream))
      said += part.choices[0]?.delta.content ?? "";
    expect(said).toBe(through.choices[0]?.message.content);
    const vectors = await near.client.embeddings.create({ model: "real", input: ["a", "b"] });
    expect(vectors.data.map(({ embedding }) => embedding.length)).toEqual([32, 32]);
    expect(await used("real")).toMatchObject({ "service.requests real": 3, "service.output_tokens real": 24 });
    expect((await near.client.models.list()).data.map(({ id }) => id)).toContain("real");
  });

  test("is no graph of tensors", async () => {
    const { status, body } = await near.call("POST", "/v2/models/real/infer", {
      inputs: [{ name: "x", shape: [1], datatype: "FP32", data: [1] }],
    });
    expect([status, typeof body.error]).toEqual([400, "string"]);
  });

  test("[UPS5] keeps its upstream, until it is gone", async () => {
    await deploy("kept", `${far.app.url}/v1`, { credentials: bearer(far.key) });
    const refused = await near.call("DELETE", "/api/upstreams/kept");
    expect(refused.body.error).toMatchObject({ code: "upstream.in_use", message: expect.stringContaining("kept") });
    await near.call("DELETE", "/api/deployments/kept");
    while ((await near.call("GET", "/api/deployments/kept")).status !== 404) await sleep(20);
    expect((await near.call("DELETE", "/api/upstreams/kept")).status).toBe(200);
    const gone = await near.call("POST", "/api/deployments", { name: "kept", upstreams: [{ name: "kept" }] });
    expect(gone.body.error.code).toBe("upstream.not_found");
  });

  test("[UPS6] with a wrong key is unavailable and says why, without the key; a new key holds at once", async () => {
    const wrong = "gm_wrong_key_that_nobody_may_see";
    await deploy("locked", `${far.app.url}/v1`, { credentials: bearer(wrong) });
    const { error } = await status(near, "locked", "unavailable");
    expect(error.code).toBe("upstream.failed");
    expect(error.message).not.toContain(wrong);
    const failure = await near.client.chat.completions.create({ model: "locked", messages }).catch((e) => e);
    expect(failure).toMatchObject({ status: 503, code: "deployment.not_ready" });
    expect(String(failure)).not.toContain(wrong);
    await near.call("PATCH", "/api/upstreams/locked", { credentials: bearer(far.key) });
    await status(near, "locked", "ready");
    const answer = await near.client.chat.completions.create({ model: "locked", messages, max_tokens: 3, ...ends });
    expect(answer.usage?.completion_tokens).toBe(3);
  });

  test("[UPS7] is found again by its probes when its server comes back", async () => {
    let isAway = true;
    const base = await testServer((_request, response) => {
      if (isAway) response.destroy();
      else response.end(JSON.stringify({ data: [] }));
    });
    closing.push(() => base.close());
    await deploy("away", `${base.url}/v1`);
    await status(near, "away", "unavailable");
    isAway = false;
    expect((await status(near, "away", "ready")).error).toBeNull();
  });

  test("[SRV21] [SRV22] falls back when one fails before its first piece, and is degraded while one is away", async () => {
    const broken = await server((response) => response.writeHead(500).end("no"));
    await near.call("POST", "/api/upstreams", {
      name: "broken",
      base_url: broken,
      model: "x",
      settings: { context_length: 512, retries: 0 },
    });
    const away = { name: "gone", base_url: "http://127.0.0.1:1/v1", model: "x", settings: { context_length: 512 } };
    await near.call("POST", "/api/upstreams", away);
    const upstreams = [{ name: "gone" }, { name: "broken" }, { name: "real", priority: 1 }];
    await near.call("POST", "/api/deployments", { name: "several", upstreams });
    const deployment = await status(near, "several", "degraded");
    expect(deployment.revision.model).toBe("gone+broken+real");
    const answer = await near.client.chat.completions.create({ model: "several", messages, max_tokens: 4, ...ends });
    expect(answer.usage?.completion_tokens).toBe(4);
    expect(await used("several")).toMatchObject({ "service.output_tokens gone+broken+real": 4 });
  });

  test("that breaks off in the middle ends the stream with an error, and what was written is metered", async () => {
    await deploy(
      "dying",
      await server((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(chunk("one"));
        response.write(chunk(" two"), () => setTimeout(() => response.destroy(), 100));
      }),
    );
    await status(near, "dying", "ready");
    let said = "";
    const reading = async () => {
      const stream = { model: "dying", messages, stream: true } as const;
      for await (const part of await near.client.chat.completions.create(stream))
        said += part.choices[0]?.delta.content ?? "";
    };
    await expect(reading()).rejects.toThrow(APIError);
    expect(said).toBe("one two");
    expect(await used("dying")).toMatchObject({ "service.requests dying": 1, "service.output_tokens dying": 2 });
  });

  test("refuses more calls than it may make at once and let wait", async () => {
    const open: ServerResponse[] = [];
    const base = await server((response) => void open.push(response));
    await deploy("narrow", base, { settings: { max_concurrent: 1, max_queue: 0 } });
    await status(near, "narrow", "ready");
    const ask = () => near.client.chat.completions.create({ model: "narrow", messages });
    const first = ask();
    while (open.length === 0) await sleep(10);
    await expect(ask()).rejects.toMatchObject({ status: 429 });
    open[0]?.writeHead(200, { "content-type": "text/event-stream" });
    open[0]?.end(`${chunk("done")}${chunk("", "stop")}data: [DONE]\n\n`);
    expect((await first).choices[0]?.message.content).toBe("done");
  });

  test("[SRV22] may change its upstreams, and turn into a model; settings of what runs here are refused", async () => {
    const refused = await near.call("PATCH", "/api/deployments/dying", { threads: 2 });
    expect(refused.body.error).toMatchObject({ code: "request.invalid", details: { param: "threads" } });
    const both = { name: "both", model: "m", upstreams: [{ name: "real" }] };
    for (const body of [both, { name: "none" }])
      expect((await near.call("POST", "/api/deployments", body)).body.error.code).toBe("request.invalid");
    await near.call("PATCH", "/api/deployments/dying", { upstreams: [{ name: "real" }] });
    for (let i = 0; i < 500; i++) {
      const { body } = await near.call("GET", "/api/deployments/dying");
      if (body.revision?.revision === 2) break;
      await sleep(20);
    }
    const answer = await near.client.chat.completions.create({ model: "dying", messages, max_tokens: 2, ...ends });
    expect(answer.usage?.completion_tokens).toBe(2);
    const same = await near.call("PATCH", "/api/deployments/dying", { upstreams: [{ name: "real" }] });
    expect(same.body.revisions).toHaveLength(2);
    const bytes = await smallLanguageModel({ chatTemplate: plainTemplate });
    await near.call("POST", "/api/models/own/versions", Buffer.from(bytes));
    await near.call("PATCH", "/api/deployments/dying", { model: "own", threads: 1 });
    for (let i = 0; i < 1500; i++) {
      const { body } = await near.call("GET", "/api/deployments/dying");
      if (body.revision?.revision === 3 && body.status === "ready") break;
      await sleep(20);
    }
    const own = await near.client.chat.completions.create({ model: "dying", messages, max_tokens: 2, ...ends });
    expect(own.usage?.completion_tokens).toBe(2);
  });

  test("[SRV12] answers again after a restart of the server, with what was sealed before it", async () => {
    await near.app.stop();
    near = await platform(near.again);
    const deployment = await status(near, "real", "ready");
    expect(deployment).toMatchObject({ error: null, revision: { revision: 1 } });
    const answer = await near.client.chat.completions.create({ model: "real", messages, max_tokens: 2, ...ends });
    expect(answer.usage?.completion_tokens).toBe(2);
  });
});
