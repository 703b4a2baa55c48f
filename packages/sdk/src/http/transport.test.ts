import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";
import { GristmillError } from "./errors.ts";

const client = (baseUrl: string, more: object = {}): Gristmill =>
  new Gristmill({ baseUrl, apiKey: "gm_test", random: () => 0, ...more });
const failure = (work: Promise<unknown>): Promise<GristmillError> =>
  work.then(
    () => Promise.reject(new Error("expected a failure")),
    (error: unknown) => (error instanceof GristmillError ? error : Promise.reject(error)),
  );
const busy = {
  error: {
    code: "engine.queue_full",
    message: "Full.",
    help: "Slow down.",
    retryable: true,
    request_id: "req_1",
    details: { queue: 3 },
  },
};

describe("a call", () => {
  it("carries the key, the project and JSON", async () => {
    const { baseUrl, received } = await serve((_, response) => sendJson(response, 201, { id: "prj_1" }));
    await client(`${baseUrl}/`, { project: "demo" }).projects.create({ name: "demo" });
    expect(received[0]).toMatchObject({
      method: "POST",
      path: "/api/projects",
      headers: { authorization: "Bearer gm_test", "gristmill-project": "demo", "content-type": "application/json" },
    });
    expect(JSON.parse(String(received[0]?.body))).toEqual({ name: "demo" });
  });

  it("names the organization to act in, and a session's cookie and token instead of a key", async () => {
    const { baseUrl, received } = await serve((_, response) => sendJson(response, 200, {}));
    const session = { cookie: "gristmill_session=s", csrfToken: "t" };
    await client(baseUrl, { apiKey: undefined, session, organization: "acme" }).runs.get("x");
    expect(received[0]?.headers).toMatchObject({
      cookie: "gristmill_session=s",
      "x-csrf-token": "t",
      "gristmill-organization": "acme",
    });
    expect(received[0]?.headers).not.toHaveProperty("authorization");
  });

  it("escapes what it puts into a path", async () => {
    const { baseUrl, received } = await serve((_, response) => sendJson(response, 200, {}));
    await client(baseUrl).datasets.get("../keys?x");
    expect(received[0]?.path).toBe("/api/datasets/..%2Fkeys%3Fx");
  });

  it("gives the server's code, help, request id and details on a refusal", async () => {
    const { baseUrl } = await serve((_, response) =>
      sendJson(response, 404, { error: { ...busy.error, code: "run.not_found", retryable: false } }),
    );
    expect(await failure(client(baseUrl).runs.get("run_x"))).toMatchObject({
      status: 404,
      code: "run.not_found",
      message: "Full.",
      help: "Slow down.",
      requestId: "req_1",
      details: { queue: 3 },
      retryable: false,
    });
  });

  it("reads the plain errors of the inference protocol and pages of proxies", async () => {
    const { baseUrl } = await serve((request, response) =>
      request.path.startsWith("/v2")
        ? sendJson(response, 404, { error: "no such model [model.not_found, request req_9]" })
        : response.writeHead(500).end("<html>oops</html>"),
    );
    expect(await failure(client(baseUrl).services.metadata("x"))).toMatchObject({
      code: "model.not_found",
      message: "no such model",
      requestId: "req_9",
    });
    expect(await failure(client(baseUrl).runs.get("x"))).toMatchObject({ code: "http.500", retryable: false });
  });

  it("says when the other side is no Gristmill", async () => {
    const { baseUrl } = await serve((_, response) => response.end("hello"));
    expect(await failure(client(baseUrl).runs.get("x"))).toMatchObject({ code: "client.unexpected_answer" });
  });

  it("refuses an address that is none when the client is made", () => {
    expect(() => client("localhost:7070")).toThrow(/expected an address such as/);
  });
});

describe("retries", () => {
  it("come back after a retryable refusal, and stop at the bound", async () => {
    const { baseUrl, received } = await serve((_, response, call) =>
      call < 3 ? sendJson(response, 429, busy, { "retry-after": "0" }) : sendJson(response, 200, { id: "run_1" }),
    );
    expect(await client(baseUrl).runs.create({ dataset: "d", spec: {} })).toEqual({ id: "run_1" });
    expect(received).toHaveLength(3);

    const full = await serve((_, response) => sendJson(response, 429, busy, { "retry-after": "0" }));
    expect(await failure(client(full.baseUrl, { maxRetries: 2 }).runs.get("x"))).toMatchObject({
      code: "engine.queue_full",
    });
    expect(full.received).toHaveLength(3);
  });

  it("repeat a read whose connection broke, and never a change that has no idempotency key", async () => {
    const { baseUrl, received } = await serve((_, response, call) =>
      call === 1 ? response.destroy() : sendJson(response, 200, { id: "run_1" }),
    );
    expect(await client(baseUrl).runs.get("run_1")).toEqual({ id: "run_1" });
    expect(received).toHaveLength(2);

    const cut = await serve((_, response) => response.destroy());
    expect(await failure(client(cut.baseUrl).deployments.update("d", { replicas: 2 }))).toMatchObject({
      code: "client.unreachable",
      status: 0,
    });
    expect(cut.received).toHaveLength(1);
  });

  it("of a POST carry the same idempotency key and the same bytes, and every call has a key of its own", async () => {
    const { baseUrl, received } = await serve((_, response, call) =>
      call === 1 ? response.destroy() : call === 2 ? sendJson(response, 503, busy) : sendJson(response, 202, {}),
    );
    const splits = { train: { images: new Blob(["IMAGES"]), labels: new Blob(["LABELS"]) } };
    await client(baseUrl).datasets.upload({ name: "d", format: "idx" }, splits);
    await client(baseUrl).runs.cancel("run_1");
    await client(baseUrl).runs.cancel("run_1", { idempotencyKey: "mine" });
    const keys = received.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(keys[3]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[3]).not.toBe(keys[0]);
    expect(keys[4]).toBe("mine");
    const [first, , third] = received;
    expect(third?.headers["content-type"]).toBe(first?.headers["content-type"]);
    expect(third?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true);
  });

  it("wait as long as a limit says, to the millisecond, and tell whoever listens", async () => {
    const details = { limit: "lim_1", metric: "requests_per_minute", retry_after_ms: 120 };
    const limited = { error: { ...busy.error, code: "limit.exceeded", details } };
    const { baseUrl } = await serve((_, response, call) =>
      call === 1 ? sendJson(response, 429, limited, { "retry-after": "1" }) : sendJson(response, 200, {}),
    );
    const told: unknown[] = [];
    await client(baseUrl, { onRetry: (retry: unknown) => told.push(retry) }).runs.get("x");
    expect(told).toMatchObject([{ attempt: 1, delayMs: 120, error: { code: "limit.exceeded", details } }]);
  });

  it("never come after a budget's refusal: only a raise or a new period helps", async () => {
    const spent = { error: { ...busy.error, code: "budget.exceeded", retryable: false } };
    const { baseUrl, received } = await serve((_, response) => sendJson(response, 429, spent));
    expect(await failure(client(baseUrl).runs.get("x"))).toMatchObject({ code: "budget.exceeded" });
    expect(received).toHaveLength(1);
  });

  it("end when the caller aborts, with the caller's reason", async () => {
    const { baseUrl } = await serve((_, response) => sendJson(response, 503, busy, { "retry-after": "20" }));
    const controller = new AbortController();
    const call = client(baseUrl).runs.get("x", { signal: controller.signal });
    await delay(50);
    controller.abort(new Error("no longer wanted"));
    await expect(call).rejects.toThrow("no longer wanted");
  });
});

it("a server that does not answer in time fails the call as client.timeout", async () => {
  const { baseUrl } = await serve(() => {});
  expect(await failure(client(baseUrl, { timeoutMs: 50, maxRetries: 0 }).runs.get("x"))).toMatchObject({
    code: "client.timeout",
    retryable: true,
  });
});

it("nobody listening is said with the address and the way to start", async () => {
  const error = await failure(client("http://127.0.0.1:2", { maxRetries: 0 }).runs.get("x"));
  expect(error.message).toContain("http://127.0.0.1:2");
  expect(error.help).toContain("gristmill up");
});

it("readiness is an answer, not a failure, when the server says 503", async () => {
  const { baseUrl } = await serve((request, response) =>
    response.writeHead(request.path === "/healthz" ? 200 : 503).end('{"status":"ok"}'),
  );
  const { health } = client(baseUrl);
  expect([await health.live(), await health.ready()]).toEqual([true, false]);
  const other = await serve((_, response) => response.end("hello"));
  expect(await client(other.baseUrl).health.ready()).toBe(false);
});
