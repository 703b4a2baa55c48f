import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { errorBody } from "@gristmill/contract";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { documentRoutes } from "./document-routes.ts";
import { type Route, route } from "./route.ts";
import { type Harness, httpHarness, withKey } from "./testing/harness.ts";

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.http.stop(0);
  harness = undefined;
});

const open = async (routes: readonly Route[]): Promise<Harness> => {
  harness = await httpHarness(routes);
  return harness;
};

const base = { tag: "Test", access: { scope: "inference" }, charge: { free: "a test" } } as const;

const failing = (path: string, surface: "api" | "inference-protocol"): Route =>
  route({
    ...base,
    method: "GET",
    path,
    summary: "Fails",
    surface,
    handler: async () => {
      throw new Error("password=hunter2");
    },
  });

/** Answers when `release` is called, or when it is told to stop. */
function waiting(): { route: Route; release: () => void; reached: Promise<void> } {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  return {
    release: gate.resolve,
    reached: reached.promise,
    route: route({
      ...base,
      method: "GET",
      path: "/wait",
      summary: "Waits",
      handler: async ({ signal }) => {
        reached.resolve();
        const stopped = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => stopped.reject(signal.reason), { once: true });
        await Promise.race([gate.promise, stopped.promise]);
        return { body: { done: true } };
      },
    }),
  };
}

describe("failures", () => {
  test("[HTTP6] of ours are told without their cause, and logged once with the request's id", async () => {
    const { http, logged } = await open([failing("/api/fails", "api")]);
    const answer = await http.app.inject({ url: "/api/fails", headers: withKey });
    expect(answer.statusCode).toBe(500);
    const body = errorBody.parse(answer.json());
    expect(body.error).toMatchObject({ code: "internal", request_id: answer.headers["x-request-id"] });
    expect(answer.body).not.toContain("hunter2");
    const errors = logged.filter(({ what }) => what === "error");
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors)).toContain(String(answer.headers["x-request-id"]));
  });

  test("[HTTP6] on the inference protocol are one text", async () => {
    const { http } = await open([failing("/v2/fails", "inference-protocol")]);
    const answer = await http.app.inject({ url: "/v2/fails", headers: withKey });
    expect(Object.keys(answer.json())).toEqual(["error"]);
    expect(answer.json().error).toMatch(/internal/);
  });

  test("[HTTP6] for unknown paths and methods are route.not_found, in the words of the surface", async () => {
    const { http } = await open([failing("/api/fails", "api")]);
    expect((await http.app.inject("/api/nothing")).json().error.code).toBe("route.not_found");
    expect((await http.app.inject({ method: "POST", url: "/api/fails" })).json().error.code).toBe("route.not_found");
    expect((await http.app.inject("/v2/nothing")).json().error).toContain("route.not_found");
  });
});

describe("hosts", () => {
  test.each([
    ["localhost:7070", 500],
    ["127.0.0.1:7070", 500],
    ["[::1]:7070", 500],
    ["192.168.1.5", 500],
    ["ai.example.com", 500],
    ["AI.example.com:80", 500],
    ["evil.example.com", 421],
    ["localhost.evil.com", 421],
    ["127.0.0.1.evil.com", 421],
  ])("[HTTP7] Host %j is answered with %i", async (host, status) => {
    const { http } = await open([failing("/api/fails", "api")]);
    const answer = await http.app.inject({ url: "/api/fails", headers: { ...withKey, host } });
    expect(answer.statusCode).toBe(status);
  });
});

describe("requests that are not requests", () => {
  async function raw(text: string): Promise<string> {
    const { http } = await open([failing("/api/fails", "api")]);
    const port = await http.listen("127.0.0.1", 0);
    const socket = connect(port, "127.0.0.1");
    socket.write(text);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  test("[HTTP6] are answered with our body and closed", async () => {
    const answer = await raw("HELLO\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(errorBody.parse(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).error.code).toBe("request.invalid");
  });

  test("[HTTP5] with huge headers are too large", async () => {
    const answer = await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("stopping", () => {
  test("[HTTP8] lets a request under way finish, and refuses new ones with server.stopping", async () => {
    const { route: waits, release, reached } = waiting();
    const { http } = await open([waits]);
    const first = http.app.inject({ url: "/wait", headers: withKey });
    await reached;
    const stopped = http.stop(10_000);
    const late = await http.app.inject({ url: "/wait", headers: withKey });
    expect([late.statusCode, late.json().error.code]).toEqual([503, "server.stopping"]);
    release();
    expect((await first).json()).toEqual({ done: true });
    await stopped;
  });

  test("[HTTP8] cuts what is still under way at the deadline, which is told why", async () => {
    const { route: waits, reached } = waiting();
    const { http } = await open([waits]);
    const first = http.app.inject({ url: "/wait", headers: withKey });
    await reached;
    await http.stop(50);
    expect((await first).json().error.code).toBe("server.stopping");
  });

  test("[HTTP8] ends event streams at once: their readers come back by themselves", async () => {
    const events = new PassThrough();
    events.write("data: 1\n\n");
    const { http } = await open([
      route({
        ...base,
        method: "GET",
        path: "/events",
        summary: "Events",
        handler: async () => ({ headers: { "content-type": "text/event-stream" }, body: events }),
      }),
    ]);
    const port = await http.listen("127.0.0.1", 0);
    const answer = await fetch(`http://127.0.0.1:${port}/events`, { headers: withKey });
    const reader = answer.body?.getReader();
    await reader?.read();
    const begun = Date.now();
    await http.stop(60_000);
    expect(Date.now() - begun).toBeLessThan(30_000);
    expect(events.destroyed).toBe(true);
    await reader?.read().catch(() => {});
  });
});

test("a port that is taken is port.in_use", async () => {
  const first = await open([]);
  const port = await first.http.listen("127.0.0.1", 0);
  const second = await httpHarness([]);
  await expect(second.http.listen("127.0.0.1", port)).rejects.toMatchObject({ code: "port.in_use" });
  await second.http.stop(0);
});

test("[HTTP10] each request is logged by its pattern, with the client's own id beside ours", async () => {
  const { http, logged } = await open([failing("/api/things/:thing", "api")]);
  await http.app.inject({ url: "/api/things/gm_secret", headers: { ...withKey, "x-request-id": "mine" } });
  await sleep(5);
  const line = logged.find(({ what }) => what === "info");
  expect(line?.detail).toMatchObject({
    detail: { route: "/api/things/:thing", status: 500, client_request_id: "mine", method: "GET" },
  });
  expect(JSON.stringify(line)).not.toContain("gm_secret");
});

describe("the API reference", () => {
  const described = [
    route({
      ...base,
      method: "POST",
      path: "/api/things/:thing",
      summary: "Make a thing",
      params: z.strictObject({ thing: z.string() }),
      query: z.strictObject({ limit: z.coerce.number().int().default(20) }),
      body: z.strictObject({ at: z.iso.datetime(), size: z.number().default(1) }),
      response: z.object({ id: z.string() }),
      successStatus: 202,
      handler: async () => ({ status: 202, body: {} }),
    }),
  ];
  const routes = [...described, ...documentRoutes(described, { title: "T", version: "1", description: "D" })];

  test("[HTTP9] describes a route by the schemas that check it", async () => {
    const { http } = await open(routes);
    const document = (await http.app.inject("/openapi.json")).json();
    expect(document.openapi).toBe("3.1.0");
    const operation = document.paths["/api/things/{thing}"].post;
    expect(operation.parameters).toMatchObject([
      { name: "thing", in: "path", required: true },
      { name: "limit", in: "query", required: false },
    ]);
    expect(operation.requestBody.content["application/json"].schema).toMatchObject({
      required: ["at"],
      additionalProperties: false,
      properties: { at: { type: "string", format: "date-time" } },
    });
    expect(operation.responses["202"].content["application/json"].schema.properties).toHaveProperty("id");
    expect(operation.responses.default.content["application/json"].schema.$ref).toBe("#/components/schemas/Error");
    expect(operation["x-required-scope"]).toBe("inference");
  });

  test("[HTTP9] is a page that loads everything from this server and sets no cookie", async () => {
    const { http } = await open(routes);
    const page = await http.app.inject("/docs");
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? "");
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      const file = await http.app.inject(link);
      expect([link, file.statusCode]).toEqual([link, 200]);
      expect(file.headers["set-cookie"]).toBeUndefined();
      expect(file.rawPayload.length).toBeGreaterThan(0);
    }
    expect((await http.app.inject("/docs/..%2f..%2fpackage.json")).json().error.code).toBe("route.not_found");
  });
});
