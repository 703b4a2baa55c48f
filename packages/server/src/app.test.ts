import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "./app.ts";
import { testAdminKey, testApp } from "./testing/app.ts";

let app: App;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ app, close } = await testApp());
});
afterAll(() => close());

/** Every way in without a key, and why. A new line here is a decision. */
const publicRoutes = {
  "GET /healthz": "load balancers and start scripts ask without a key",
  "GET /readyz": "load balancers and start scripts ask without a key",
  "GET /v2/health/live": "probes ask without a key",
  "GET /v2/health/ready": "probes ask without a key",
  "GET /openapi.json": "the API reference is no secret",
  "GET /api/identity-providers": "who signs in is not known yet",
  "GET /api/sign-in/:provider": "who signs in is not known yet",
  "GET /api/sign-in/:provider/callback": "who signs in is not known yet",
  "POST /api/sessions": "who signs in is not known yet",
  "POST /api/invitations/accept": "who is invited may not be known yet; the token says that somebody wants this person",
  "GET /docs": "the API reference is no secret",
  "GET /docs/:file": "the API reference is no secret",
};

const name = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

describe("every route", () => {
  test("[HTTP1] that Fastify answers is one of the pipeline's", () => {
    expect([...app.http.registered].sort()).toEqual(app.http.routes.map(name).sort());
    expect(app.http.routes.length).toBeGreaterThan(20);
  });

  test("[HTTP1] says who may call it and what it costs", () => {
    for (const route of app.http.routes) {
      const [access = ""] = Object.values(route.access);
      expect([name(route), access.length > 3]).toEqual([name(route), true]);
      const charge = "free" in route.charge ? route.charge.free : "reserves";
      expect([name(route), charge.length > 3]).toEqual([name(route), true]);
    }
  });

  test("[HTTP2] that needs no key is in the one list, with its reason", () => {
    const found = app.http.routes.flatMap((route) =>
      "public" in route.access ? [[name(route), route.access.public]] : [],
    );
    expect(Object.fromEntries(found)).toEqual(publicRoutes);
  });

  test("[HTTP2] that needs a key is refused without one, before anything else is looked at", async () => {
    for (const route of app.http.routes) {
      if ("public" in route.access) continue;
      const url = route.path.replace(/:\w+/g, "x");
      const answer = await app.http.app.inject({ method: route.method, url });
      expect([name(route), answer.statusCode]).toEqual([name(route), 401]);
    }
  });

  test("[HTTP9] is in the OpenAPI document, with its schemas", async () => {
    const document = (await app.http.app.inject("/openapi.json")).json();
    for (const route of app.http.routes) {
      if (route.tag === "Documentation") continue;
      const path = document.paths[route.path.replace(/:(\w+)/g, "{$1}")];
      expect([name(route), path?.[route.method.toLowerCase()]?.summary]).toEqual([name(route), route.summary]);
    }
    const ids = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
      (path) => Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test("it listens, knows its admin key, and is ready", async () => {
  expect(app.adminKey).toBe(testAdminKey);
  expect(await (await fetch(`${app.url}/readyz`)).json()).toEqual({ status: "ok" });
  const projects = await fetch(`${app.url}/api/projects`, { headers: { authorization: `Bearer ${testAdminKey}` } });
  expect(await projects.json()).toMatchObject({ data: [{ name: "default" }] });
});
