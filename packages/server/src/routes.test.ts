/** @file Every route that Fastify answers, tried one by one: nothing slips past the pipeline. */
import { AppError, type Role, roleNames, roles, type Scope, scopes } from "@gristmill/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "./app.ts";
import { createHttp, type Http, type Route } from "./http/index.ts";
import { newId } from "./ids.ts";
import { signInTestPerson } from "./sign-in/testing/people.ts";
import { silentLog, testAdminKey, testApp } from "./testing/app.ts";
import { testCaller } from "./testing/caller.ts";
import { type Named, populate } from "./testing/populated-project.ts";

let app: App;
let close: () => Promise<void>;
let named: Named;
let routes: readonly Route[];

beforeAll(async () => {
  ({ app, close } = await testApp());
  routes = app.http.routes;
  named = await populate(app.http, testAdminKey);
});
afterAll(() => close());

const name = ({ method, path }: Route): string => `${method} ${path}`;
const isPublic = (route: Route): boolean => "public" in route.access;
const scopeOf = ({ access }: Route): Scope | undefined => ("scope" in access ? access.scope : undefined);

type Headers = Readonly<Record<string, string>>;

async function call(http: Http, route: Route, headers: Headers, params: Named = {}, body: unknown = undefined) {
  const url = route.path.replace(/:(\w+)/g, (_, parameter: string) => encodeURIComponent(params[parameter] ?? "x"));
  const answer = await http.app.inject({
    method: route.method,
    url: `${url}${queries[name(route)] ?? ""}`,
    headers: { ...headers, ...(body instanceof Uint8Array ? { "content-type": "application/octet-stream" } : {}) },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const failure = answer.statusCode >= 400 ? answer.json() : {};
  return { status: answer.statusCode, body: answer.body, code: failure.error?.code as string | undefined };
}

/** What a route must be asked for to find out whether it finds. */
const queries: Readonly<Record<string, string>> = {
  "DELETE /api/quarantine/:event": "?reason=none",
};

/** Bodies that pass the schemas of routes with parameters: without them a route never looks for what its path names. */
const bodies: Readonly<Record<string, unknown>> = {
  "PATCH /api/organizations/:organization": {},
  "PATCH /api/projects/:project": {},
  "PATCH /api/members/:user": { role: "viewer" },
  "PATCH /api/service-accounts/:service_account": {},
  "PATCH /api/keys/:key": {},
  "POST /api/keys/:key/rotate": {},
  "PATCH /api/limits/:limit": { value: 1 },
  "PATCH /api/budgets/:budget": {},
  "PATCH /api/webhooks/:webhook": {},
  "PATCH /api/deployments/:deployment": {},
  "PATCH /api/upstreams/:upstream": {},
  "POST /v1/chat/completions": { model: "x", messages: [{ role: "user", content: "x" }] },
  "POST /v1/completions": { model: "x", prompt: "x" },
  "POST /v1/responses": { model: "x", input: "x" },
  "POST /v1/embeddings": { model: "x", input: "x" },
  "POST /v1/rerank": { model: "x", query: "x", documents: ["x"] },
  "POST /v2/models/:model/infer": { inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] }] },
  "POST /v2/models/:model/versions/:version/infer": {
    inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] }],
  },
};

/** Routes with parameters that name nothing of a project, or make what they name. */
const exempt: Readonly<Record<string, string>> = {
  "POST /api/models/:model/versions": "makes the model in the caller's own project",
  "DELETE /api/sessions/:session": "a person's own: keys have none",
  "GET /api/identity-providers/:provider": "the operator's",
  "DELETE /api/identity-providers/:provider": "the operator's",
};

describe("every route", () => {
  test("[HTTP1] that is no GET says what the audit log tells of it, or why nothing", () => {
    const silent = routes.filter((route) => route.method !== "GET" && route.audit === undefined);
    expect(silent.map(name)).toEqual([]);
  });

  test("[HTTP3] that does a service's work reserves, and says which model it uses", () => {
    const services = routes.filter((route) => scopeOf(route) === "inference");
    expect(services.filter((route) => route.model === undefined).map(name)).toEqual([]);
    const free = services.filter((route) => route.method === "POST" && "free" in route.charge);
    expect(free.map(name)).toEqual([]);
    expect(services.length).toBeGreaterThan(5);
  });

  test("[HTTP2] refuses whoever lacks its scope, by key", async () => {
    const keys = new Map<Scope, string>();
    for (const scope of scopes) {
      const held = scopes.filter((other) => other !== "admin" && other !== scope);
      const made = await app.http.app.inject({
        method: "POST",
        url: "/api/keys",
        headers: { authorization: `Bearer ${testAdminKey}` },
        payload: { name: `without ${scope}`, scopes: held },
      });
      keys.set(scope, made.json().key);
    }
    for (const route of routes) {
      const scope = scopeOf(route);
      if (scope === undefined) continue;
      const answer = await call(app.http, route, { authorization: `Bearer ${keys.get(scope)}` }, named);
      expect([name(route), answer.status]).toEqual([name(route), 403]);
    }
  });

  test("[HTTP2] refuses every role that is too low, and no other, by session", async () => {
    for (const role of roleNames) {
      const person = await signInTestPerson(app.http, { adminKey: testAdminKey, role });
      const held: readonly Scope[] = roles[role satisfies Role];
      for (const route of routes) {
        const scope = scopeOf(route);
        if (scope === undefined || (held.includes(scope) && route.method !== "GET")) continue;
        // What a role may change is not changed here: that it may read is enough to see that it is let in.
        const answer = await call(app.http, route, person.headers);
        const isRefused =
          answer.status === 403 && answer.code !== "auth.csrf" && answer.code !== "auth.model_forbidden";
        expect([role, name(route), isRefused]).toEqual([role, name(route), !held.includes(scope)]);
      }
    }
  });

  test("[HTTP2] finds nothing of another organization, and lists nothing of it", async () => {
    const admin = { authorization: `Bearer ${testAdminKey}` };
    const make = (url: string, payload: object, headers: Headers = {}) =>
      app.http.app.inject({ method: "POST", url, headers: { ...admin, ...headers }, payload });
    expect((await make("/api/organizations", { name: "others" })).statusCode).toBe(201);
    const all = scopes.filter((scope) => scope !== "admin");
    const organization = { "gristmill-organization": "others" };
    const { key } = (await make("/api/keys", { name: "theirs", scopes: all }, organization)).json();
    const theirs = { authorization: `Bearer ${key}` };
    const ids = Object.values(named).filter((value) => value.length > 20);
    const tried = routes.filter(
      (route) => !isPublic(route) && scopeOf(route) !== "admin" && exempt[name(route)] === undefined,
    );
    // Lists first: afterwards their own audit log tells what they tried to find.
    for (const route of tried.filter(({ method, path }) => method === "GET" && !path.includes(":"))) {
      const answer = await call(app.http, route, theirs);
      expect([name(route), ids.filter((id) => answer.body.includes(id))]).toEqual([name(route), []]);
    }
    for (const route of tried.filter(({ path }) => path.includes(":"))) {
      const answer = await call(app.http, route, theirs, named, bodies[name(route)]);
      expect([name(route), answer.status]).toEqual([name(route), 404]);
    }
  });

  test("[HTTP2] finds nothing of another project of the same organization", async () => {
    const admin = { authorization: `Bearer ${testAdminKey}` };
    const make = (url: string, payload: object, headers: Headers = {}) =>
      app.http.app.inject({ method: "POST", url, headers: { ...admin, ...headers }, payload });
    expect((await make("/api/projects", { name: "neighbour" })).statusCode).toBe(201);
    const project = scopes.filter((scope) => scope !== "admin");
    const made = await make("/api/keys", { name: "neighbour", scopes: project }, { "gristmill-project": "neighbour" });
    const theirs = { authorization: `Bearer ${made.json().key}` };
    const shared = /\/(organizations|projects|members|invitations|limits|budgets|webhooks|service-accounts)\//;
    for (const route of routes) {
      if (isPublic(route) || scopeOf(route) === "admin" || exempt[name(route)] !== undefined) continue;
      if (!route.path.includes(":") || shared.test(route.path)) continue;
      const answer = await call(app.http, route, theirs, named, bodies[name(route)]);
      expect([name(route), answer.status]).toEqual([name(route), 404]);
    }
  });

  test("[HTTP3] counts under limits: free ones before their body is read, others when they reserve or are refused", async () => {
    const full = () => Promise.reject(new AppError("limit.exceeded", "There is no room."));
    let models: ReadonlySet<string> | null = null;
    const http = await createHttp({
      routes,
      authenticator: {
        authenticate: async () => ({ ...testCaller(newId("project"), { scopes }), models }),
      },
      limiter: { count: full },
      ledger: { reserve: full, settle: full, release: full },
      allowedHosts: [],
      now: () => new Date(),
      newId,
      log: silentLog,
    });
    for (const route of routes) {
      if (isPublic(route)) continue;
      const answer = await call(http, route, {}, named);
      expect([name(route), answer.status]).toEqual([name(route), 429]);
      if ("free" in route.charge) continue;
      const takesBody = route.body !== undefined || route.consumes !== undefined;
      const body = bodies[name(route)] ?? (takesBody ? new Uint8Array([1]) : undefined);
      const reserving = await call(http, route, {}, named, body);
      expect([name(route), reserving.status]).toEqual([name(route), 429]);
      // So is one that asks for a model which is not in its key's list.
      models = new Set(["another"]);
      const elsewhere = await call(http, route, {}, named, body);
      expect([name(route), elsewhere.status]).toEqual([name(route), 429]);
      models = null;
    }
    await http.stop(0);
  });
});
