import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@gristmill/contract";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Access, type Answer, type Route, type RouteContext, route } from "./route.ts";
import { type Harness, httpHarness, withKey } from "./testing/harness.ts";

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.http.stop(0);
  harness = undefined;
});

async function open(routes: readonly Route[], options: Parameters<typeof httpHarness>[1] = {}): Promise<Harness> {
  harness = await httpHarness(routes, options);
  return harness;
}

type Handler = (context: RouteContext<undefined, undefined, undefined>) => Promise<Answer>;

const charged = (handler: Handler): Route =>
  route({
    method: "POST",
    path: "/paid",
    summary: "Paid",
    tag: "Test",
    access: { scope: "inference" },
    charge: { reserve: () => [{ meter: "service.requests", quantity: 1n, dimensions: {} }] },
    handler,
  });

const free = (handler: Handler, access: Access = { scope: "inference" }): Route =>
  route({
    method: "GET",
    path: "/free",
    summary: "Free",
    tag: "Test",
    access,
    charge: { free: "a test" },
    handler,
  });

const use = { meter: "service.images", quantity: 2n, dimensions: { model: "m" } } as const;

describe("who may call", () => {
  test("[HTTP2] without a key: 401 auth.missing, and the handler is not reached", async () => {
    let reached = false;
    const { http, ledgerCalls } = await open([
      charged(async () => {
        reached = true;
        return { body: {} };
      }),
    ]);
    const answer = await http.app.inject({ method: "POST", url: "/paid" });
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error).toMatchObject({ code: "auth.missing", retryable: false });
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(reached).toBe(false);
    expect(ledgerCalls()).toEqual([]);
  });

  test("[HTTP2] with an unknown key: 401 auth.invalid; without the scope: 403 that names it", async () => {
    const { http } = await open([charged(async () => ({ body: {} }))], { scopes: ["runs:read"] });
    const wrong = await http.app.inject({ method: "POST", url: "/paid", headers: { authorization: "Bearer x" } });
    expect([wrong.statusCode, wrong.json().error.code]).toEqual([401, "auth.invalid"]);
    const weak = await http.app.inject({ method: "POST", url: "/paid", headers: withKey });
    expect([weak.statusCode, weak.json().error.code]).toEqual([403, "auth.forbidden"]);
    expect(weak.json().error.details).toEqual({ scope: "inference" });
  });

  test("a public route needs no key and has no caller", async () => {
    const { http, logged } = await open([free(async ({ caller }) => ({ body: { caller } }), { public: "a test" })]);
    const answer = await http.app.inject("/free");
    expect([answer.statusCode, answer.json().error.code]).toEqual([500, "internal"]);
    expect(logged.filter(({ what }) => what === "error")).toHaveLength(1);
  });

  test("[HTTP2] a body is not read from who may not send it", async () => {
    const { http } = await open([charged(async () => ({ body: {} }))]);
    const answer = await http.app.inject({
      method: "POST",
      url: "/paid",
      headers: { "content-type": "application/json" },
      payload: "{ not json",
    });
    expect(answer.json().error.code).toBe("auth.missing");
  });
});

describe("what a request costs", () => {
  test("[HTTP3] reserve, handler, settle, answer: in this order, with ids from the request", async () => {
    const { http, told } = await open([
      charged(async ({ use: record, admittedAt }) => {
        told.push({ what: "handler", detail: admittedAt.toISOString() });
        record({ meter: "service.requests", quantity: 1n, dimensions: {} });
        record(use);
        record(use);
        return { body: { ok: true } };
      }),
    ]);
    const answer = await http.app.inject({ method: "POST", url: "/paid", headers: withKey });
    expect(answer.statusCode).toBe(200);
    expect(told.map(({ what }) => what)).toEqual(["reserve", "handler", "settle"]);
    expect(told[1]?.detail).toBe("2026-01-02T03:04:05.000Z");
    const id = answer.headers["x-request-id"];
    expect(told[2]?.detail).toMatchObject([
      { id: `${id}:requests`, meter: "service.requests", quantity: 1n, requestId: id },
      { id: `${id}:images`, meter: "service.images", quantity: 2n, dimensions: { model: "m" } },
      { id: `${id}:images:2` },
    ]);
  });

  test("[HTTP3] a handler that fails having used nothing is released; one that used something is settled", async () => {
    const { http, ledgerCalls } = await open([
      charged(async ({ request, use: record }) => {
        if (request.headers["x-use"] !== undefined) record(use);
        throw new AppError("engine.failed", "It broke.");
      }),
    ]);
    const nothing = await http.app.inject({ method: "POST", url: "/paid", headers: withKey });
    expect(nothing.json().error.code).toBe("engine.failed");
    const something = await http.app.inject({ method: "POST", url: "/paid", headers: { ...withKey, "x-use": "1" } });
    expect(something.json().error.code).toBe("engine.failed");
    expect(ledgerCalls()).toEqual(["reserve", "release", "reserve", "settle"]);
  });

  test("[HTTP3] what can't be settled is not answered", async () => {
    const { http } = await open(
      [
        charged(async ({ use: record }) => {
          record(use);
          return { body: { secret: "result" } };
        }),
      ],
      { failSettle: true },
    );
    const answer = await http.app.inject({ method: "POST", url: "/paid", headers: withKey });
    expect([answer.statusCode, answer.json().error.code]).toEqual([503, "database.unavailable"]);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.body).not.toContain("result");
  });

  test("a free route can't use a meter", async () => {
    const { http } = await open([
      free(async ({ use: record }) => {
        record(use);
        return { body: {} };
      }),
    ]);
    const answer = await http.app.inject({ url: "/free", headers: withKey });
    expect(answer.json().error.code).toBe("internal");
  });

  test("[HTTP3] a stream is settled before its last bytes leave", async () => {
    const { http, told } = await open([
      charged(async ({ use: record }) => {
        record(use);
        return { headers: { "content-type": "text/plain" }, body: Readable.from([Buffer.from("a"), Buffer.from("b")]) };
      }),
    ]);
    const port = await http.listen("127.0.0.1", 0);
    const answer = await fetch(`http://127.0.0.1:${port}/paid`, { method: "POST", headers: withKey });
    expect(await answer.text()).toBe("ab");
    expect(told.map(({ what }) => what)).toEqual(["reserve", "settle"]);
  });
});

describe("clients that go away", () => {
  test("[HTTP4] abort the handler's signal, and what was used until then is settled", async () => {
    const { promise: gone, resolve } = Promise.withResolvers<unknown>();
    const { http, ledgerCalls } = await open([
      charged(async ({ signal, use: record }) => {
        record(use);
        await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
        resolve(signal.reason);
        throw signal.reason;
      }),
    ]);
    const port = await http.listen("127.0.0.1", 0);
    const client = new AbortController();
    const request = fetch(`http://127.0.0.1:${port}/paid`, { method: "POST", headers: withKey, signal: client.signal });
    while (!ledgerCalls().includes("reserve")) await sleep(5);
    client.abort();
    await expect(request).rejects.toThrow();
    expect(await gone).toMatchObject({ code: "request.cancelled" });
    while (ledgerCalls().length < 2) await sleep(5);
    expect(ledgerCalls()).toEqual(["reserve", "settle"]);
  });

  test("[HTTP4] end the stream that they were reading", async () => {
    const source = new PassThrough();
    source.write("first");
    const { http } = await open([
      free(async () => ({ headers: { "content-type": "text/event-stream" }, body: source })),
    ]);
    const port = await http.listen("127.0.0.1", 0);
    const client = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/free`, { headers: withKey, signal: client.signal });
    await answer.body?.getReader().read();
    const closed = new Promise((resolve) => source.once("close", resolve));
    client.abort();
    await closed;
    expect(source.destroyed).toBe(true);
  });
});

describe("what a request brings", () => {
  const checked = route({
    method: "POST",
    path: "/checked/:name",
    summary: "Checked",
    tag: "Test",
    access: { scope: "inference" },
    charge: { free: "a test" },
    params: z.strictObject({ name: z.string().max(4) }),
    query: z.strictObject({ limit: z.coerce.number().int().default(20) }),
    body: z.strictObject({ fit: z.strictObject({ epochs: z.number() }), tag: z.string().default("none") }),
    handler: async ({ params, query, body }) => ({ body: { params, query, body } }),
  });

  test("is parsed, with defaults", async () => {
    const { http } = await open([checked]);
    const answer = await http.app.inject({
      method: "POST",
      url: "/checked/abc?limit=3",
      headers: withKey,
      payload: { fit: { epochs: 2 } },
    });
    expect(answer.json()).toEqual({
      params: { name: "abc" },
      query: { limit: 3 },
      body: { fit: { epochs: 2 }, tag: "none" },
    });
  });

  test("[HTTP5] is refused with every problem at once, each with its field", async () => {
    const { http } = await open([checked]);
    const answer = await http.app.inject({
      method: "POST",
      url: "/checked/abcdef?limit=x&wat=1",
      headers: withKey,
      payload: { fit: { epochs: "2", batch: 1 } },
    });
    expect(answer.statusCode).toBe(400);
    const { code, details } = answer.json().error;
    expect(code).toBe("request.invalid");
    expect(details.problems.map((problem: { in: string; field: string }) => `${problem.in}.${problem.field}`)).toEqual([
      "params.name",
      "query.limit",
      "query.",
      "body.fit.epochs",
      "body.fit",
    ]);
    expect(answer.body).toContain("unknown field batch");
  });

  test.each([
    ["not JSON", "application/json", "{", 400, "request.invalid"],
    ["nothing", "application/json", "", 400, "request.invalid"],
    ["a type that the route does not take", "text/xml", "<a/>", 415, "request.unsupported_media_type"],
    ["over the limit", "application/json", JSON.stringify({ tag: "x".repeat(1024 * 1024) }), 413, "request.too_large"],
    ["__proto__", "application/json", '{"__proto__": {"a": 1}}', 400, "request.invalid"],
  ])("[HTTP5] %s is refused with its own code", async (_name, type, payload, status, code) => {
    const { http } = await open([checked]);
    const answer = await http.app.inject({
      method: "POST",
      url: "/checked/abc",
      headers: { ...withKey, "content-type": type },
      payload,
    });
    expect([answer.statusCode, answer.json().error.code]).toEqual([status, code]);
  });

  test("arrives as bytes whatever its type, or without one, where the route takes all", async () => {
    const { http } = await open([
      route({
        ...checked,
        path: "/all",
        params: z.strictObject({}),
        consumes: ["*/*"],
        handler: async ({ body }) => ({ body: { text: String(body) } }),
      }),
    ]);
    for (const type of ["application/json", "application/x-www-form-urlencoded", "odd/type", undefined]) {
      const headers = { ...withKey, ...(type === undefined ? {} : { "content-type": type }) };
      const answer = await http.app.inject({ method: "POST", url: "/all", headers, payload: Buffer.from("{}") });
      expect([type, answer.json()]).toEqual([type, { text: "{}" }]);
    }
  });

  test("arrives as bytes where the route consumes them, up to its own limit", async () => {
    const { http } = await open([
      route({
        method: "POST",
        path: "/bytes",
        summary: "Bytes",
        tag: "Test",
        access: { scope: "inference" },
        charge: { free: "a test" },
        consumes: ["application/octet-stream", "image/png"],
        bodyLimit: 8,
        handler: async ({ body }) => ({ body: { bytes: Buffer.isBuffer(body) ? (body as Buffer).length : "no" } }),
      }),
    ]);
    const send = (type: string, bytes: number) =>
      http.app.inject({
        method: "POST",
        url: "/bytes",
        headers: { ...withKey, "content-type": type },
        payload: Buffer.alloc(bytes),
      });
    expect((await send("application/octet-stream", 8)).json()).toEqual({ bytes: 8 });
    expect((await send("image/png", 3)).json()).toEqual({ bytes: 3 });
    expect((await send("image/png", 9)).json().error.code).toBe("request.too_large");
    const json = await send("application/json", 3);
    expect(json.json().error.code).toBe("request.unsupported_media_type");
    expect(json.json().error.message).toContain("application/octet-stream, image/png");
  });
});
