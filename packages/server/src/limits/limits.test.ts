import { AppError, type KeyId, type Limit, type OrganizationId, type ProjectId, type Scope } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Caller, createHttp, type Http, route } from "../http/index.ts";
import { newId } from "../ids.ts";
import { createMetering, type Metering, noPolicy } from "../metering/index.ts";
import { silentLog } from "../testing/app.ts";
import { testCaller } from "../testing/caller.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createLimits } from "./index.ts";

let database: TestDatabase;
let metering: Metering;
let http: Http;
let mine: ProjectId;
let beside: ProjectId;
let callers: Record<string, Caller>;
let gate: PromiseWithResolvers<void>;

const [keyA, keyB] = [newId("key"), newId("key")];
const reader: readonly Scope[] = ["limits:read", "inference"];
const writer: readonly Scope[] = [...reader, "limits:write"];
/** Tokens that the test's service claims and uses, by query. */
const tokens = (count: number) => [
  { meter: "service.output_tokens", quantity: BigInt(count), dimensions: {} } as const,
];

const work = route({
  method: "POST",
  path: "/work",
  summary: "Use as many tokens as one says",
  tag: "Test",
  access: { scope: "inference" },
  audit: { none: "a test" },
  model: () => "m",
  charge: { reserve: ({ request }) => tokens(Number(request.headers["x-claimed"] ?? 1)) },
  handler: async (context) => {
    if (context.request.headers["x-wait"] === "yes") await gate.promise;
    const used = Number(context.request.headers["x-used"] ?? 1);
    if (used > 0) for (const quantity of tokens(used)) context.use(quantity);
    return { body: {} };
  },
});
const look = route({
  method: "GET",
  path: "/look",
  summary: "Look",
  tag: "Test",
  access: { scope: "limits:read" },
  charge: { free: "a test" },
  handler: async () => ({ body: {} }),
});

beforeEach(async () => {
  database = await testDatabase();
  const { db } = database;
  mine = await insertTestProject(db, "mine");
  beside = await insertTestProject(db, "beside");
  await sql`insert into organization (id, name) values ('org_other', 'other')`.execute(db);
  await sql`insert into project (id, organization_id, name) values ('prj_other', 'org_other', 'theirs')`.execute(db);
  for (const [id, project] of [
    [keyA, mine],
    [keyB, beside],
    ["key_other", "prj_other"],
  ])
    await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
      values (${id}, ${project}, 'key', ${id}, ${Buffer.alloc(32)}, '{}')`.execute(db);
  callers = {
    a: testCaller(mine, { scopes: reader, keyId: keyA }),
    b: testCaller(beside, { scopes: reader, keyId: keyB }),
    admin: testCaller(mine, { scopes: writer }),
    other: {
      ...testCaller("prj_other" as ProjectId, { scopes: writer }),
      organizationId: "org_other" as OrganizationId,
    },
    blind: testCaller(mine, { scopes: ["inference"] }),
  };
  gate = Promise.withResolvers();
  const limits = createLimits({ ground: { newId }, db });
  const now = () => new Date();
  metering = createMetering({ db, now, log: silentLog, policy: { ...noPolicy, rules: [limits.rules] } });
  await metering.start();
  http = await createHttp({
    routes: [...limits.routes, work, look],
    authenticator: {
      authenticate: async ({ key = "" }) => {
        const caller = callers[key];
        if (caller === undefined) throw new AppError("auth.invalid", "unknown key");
        return caller;
      },
    },
    ledger: metering.ledger,
    limiter: metering.limiter,
    allowedHosts: [],
    now,
    newId,
    log: silentLog,
  });
});
afterEach(async () => {
  await http.stop(0);
  await metering.stop();
  await database.close();
});

interface Reply {
  readonly status: number;
  readonly body: {
    readonly data?: readonly Limit[];
    readonly error?: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
  };
  readonly headers: Readonly<Record<string, unknown>>;
}

async function call(
  key: string,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  url: string,
  payload?: object,
): Promise<Reply> {
  const answer = await http.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

async function use(key: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const answer = await http.app.inject({
    method: "POST",
    url: "/work",
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

async function limit(type: string, id: string, metric: string, value: number): Promise<Limit> {
  const { status, body } = await call("admin", "POST", "/api/limits", { subject: { type, id }, metric, value });
  expect(status).toBe(201);
  return body as unknown as Limit;
}
const ids = async (key: string, query = ""): Promise<readonly string[]> =>
  ((await call(key, "GET", `/api/limits${query}`)).body.data ?? []).map(({ id }) => id);

describe("managing", () => {
  test("[LIM1] [LIM2] reading and writing need their scopes; everybody sees what holds for them", async () => {
    const organization = await limit("organization", "org_default", "requests_per_minute", 100);
    const project = await limit("project", mine, "requests_per_minute", 100);
    const key = await limit("key", keyA, "tokens_per_minute", 100);
    const besides = await limit("key", keyB, "tokens_per_minute", 100);
    expect(await ids("admin", "?order=asc")).toEqual([organization, project, key, besides].map(({ id }) => id));
    expect(await ids("a", "?order=asc")).toEqual([organization.id, project.id, key.id]);
    expect(await ids("b")).toEqual([besides.id, organization.id]);
    expect(await ids("other")).toEqual([]);
    expect(await ids("admin", `?subject_type=key&subject_id=${keyB}`)).toEqual([besides.id]);
    expect(await ids("admin", "?metric=tokens_per_minute&order=asc&limit=1")).toEqual([key.id]);
    expect(await ids("admin", `?metric=tokens_per_minute&order=asc&limit=1&after=${key.id}`)).toEqual([besides.id]);
    expect(await call("nobody", "GET", "/api/limits")).toMatchObject({ status: 401 });
    expect(await call("blind", "GET", "/api/limits")).toMatchObject({ status: 403 });
    for (const [method, path] of [
      ["POST", "/api/limits"],
      ["PATCH", `/api/limits/${project.id}`],
      ["DELETE", `/api/limits/${project.id}`],
    ] as const)
      expect(await call("a", method, path, method === "DELETE" ? undefined : {})).toMatchObject({ status: 403 });
  });

  test("[LIM2] subjects and limits of another organization are not found", async () => {
    for (const [type, id] of [
      ["organization", "org_other"],
      ["project", "prj_other"],
      ["key", "key_other"],
      ["key", "' or true --"],
      ["project", keyA],
    ]) {
      const subject = { type, id };
      const answer = await call("admin", "POST", "/api/limits", { subject, metric: "requests_per_minute", value: 1 });
      expect(answer).toMatchObject({ status: 404, body: { error: { code: `${type}.not_found` } } });
    }
    const own = await limit("project", mine, "requests_per_minute", 5);
    for (const path of [`/api/limits/${own.id}`, "/api/limits/lim_'%20or%20true%20--"]) {
      expect(await call("other", "PATCH", path, { value: 6 })).toMatchObject({ status: 404 });
      expect(await call("other", "DELETE", path)).toMatchObject({ status: 404 });
    }
    expect(await call("other", "GET", `/api/limits?after=${own.id}`)).toMatchObject({ status: 400 });
    expect((await call("admin", "GET", "/api/limits")).body.data).toEqual([own]);
  });

  test("[LIM2] there is one limit of each metric for a subject, and its value is a sensible number", async () => {
    const first = await limit("project", mine, "requests_per_minute", 5);
    const subject = { type: "project", id: mine };
    expect(
      await call("admin", "POST", "/api/limits", { subject, metric: "requests_per_minute", value: 9 }),
    ).toMatchObject({
      status: 409,
      body: { error: { code: "limit.conflict", details: { limit_id: first.id } } },
    });
    for (const value of [0, -1, 1.5, 1e300, "5", null, Number.NaN])
      expect(await call("admin", "PATCH", `/api/limits/${first.id}`, { value })).toMatchObject({ status: 400 });
    const more = { value: 6, subject: { type: "project", id: beside }, organization_id: "org_other" };
    expect(await call("admin", "PATCH", `/api/limits/${first.id}`, more)).toMatchObject({ status: 400 });
    const updated = await call("admin", "PATCH", `/api/limits/${first.id}`, { value: 6 });
    expect(updated).toMatchObject({ status: 200, body: { ...first, value: 6 } });
    expect(await call("admin", "DELETE", `/api/limits/${first.id}`)).toMatchObject({ status: 200 });
    expect(await call("admin", "DELETE", `/api/limits/${first.id}`)).toMatchObject({
      status: 404,
      body: { error: { code: "limit.not_found" } },
    });
  });
});

describe("limiting", () => {
  test("[LIM3] [LIM4] the request after the last is refused by name, and answers tell the tightest limit", async () => {
    await limit("organization", "org_default", "requests_per_minute", 100);
    const tight = await limit("key", keyA, "requests_per_minute", 3);
    await limit("key", keyA, "tokens_per_minute", 1000);
    const answers = [await use("a"), await use("a"), await use("a")];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.map(({ headers }) => headers["x-ratelimit-remaining-requests"])).toEqual(["2", "1", "0"]);
    expect(answers[0]?.headers).toMatchObject({
      "x-ratelimit-limit-requests": "3",
      "x-ratelimit-limit-tokens": "1000",
      "x-ratelimit-remaining-tokens": "999",
    });
    expect(answers[0]?.headers["x-ratelimit-reset-requests"]).toMatch(/^1m[01](\.\d+)?s$/);
    const refused = await use("a");
    expect(refused).toMatchObject({
      status: 429,
      body: {
        error: {
          code: "limit.exceeded",
          details: {
            limit_id: tight.id,
            metric: "requests_per_minute",
            subject: { type: "key", id: keyA },
            limit: 3,
            remaining: 0,
          },
        },
      },
    });
    const wait = Number(refused.body.error?.details["retry_after_ms"]);
    expect(wait).toBeGreaterThan(30_000);
    expect(wait).toBeLessThanOrEqual(61_000);
    expect(refused.headers["retry-after"]).toBe(String(Math.ceil(wait / 1000)));
    expect(refused.headers["x-ratelimit-remaining-requests"]).toBe("0");
    // What was refused counts nowhere: the organization's limit has room for 97 still.
    expect((await use("b")).headers["x-ratelimit-remaining-requests"]).toBe("96");
  });

  test("[LIM3] requests of a project's keys count together, and another project's do not", async () => {
    await limit("project", mine, "requests_per_minute", 2);
    expect([await use("a"), await use("admin"), await use("a"), await use("b")].map(({ status }) => status)).toEqual([
      200, 200, 429, 200,
    ]);
  });

  test("[LIM5] tokens are taken as claimed and kept as used", async () => {
    const { id } = await limit("project", mine, "tokens_per_minute", 100);
    expect(await use("a", { "x-claimed": "101" })).toMatchObject({
      status: 429,
      body: { error: { details: { remaining: 100 } } },
    });
    expect(await use("a", { "x-claimed": "100", "x-used": "30" })).toMatchObject({ status: 200 });
    expect(await use("a", { "x-claimed": "71" })).toMatchObject({
      status: 429,
      body: { error: { details: { limit_id: id, remaining: 70 } } },
    });
    expect(await use("a", { "x-claimed": "70", "x-used": "0" })).toMatchObject({ status: 200 });
    expect((await use("a", { "x-claimed": "70", "x-used": "70" })).headers["x-ratelimit-remaining-tokens"]).toBe("0");
  });

  test("[LIM6] requests at once are counted until they are settled, however they end", async () => {
    const { id } = await limit("key", keyA, "concurrent_requests", 2);
    const waiting = [use("a", { "x-wait": "yes" }), use("a", { "x-wait": "yes" })];
    await expect
      .poll(
        async () =>
          (await sql<{ held: string }>`select held from allowance where id = ${id}`.execute(database.db)).rows,
      )
      .toEqual([{ held: "2" }]);
    expect(await use("a")).toMatchObject({
      status: 429,
      body: { error: { code: "limit.exceeded", details: { limit_id: id, metric: "concurrent_requests", limit: 2 } } },
    });
    expect(await call("a", "GET", "/look")).toMatchObject({ status: 200 });
    gate.resolve();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await use("a")).toMatchObject({ status: 200 });
  });

  test("[LIM7] a change holds for the next reservation; what was counted stays counted", async () => {
    const { id } = await limit("key", keyA, "requests_per_minute", 1);
    expect([await use("a"), await use("a")].map(({ status }) => status)).toEqual([200, 429]);
    await call("admin", "PATCH", `/api/limits/${id}`, { value: 2 });
    expect([await use("a"), await use("a")].map(({ status }) => status)).toEqual([200, 429]);
    await call("admin", "DELETE", `/api/limits/${id}`);
    expect(await use("a")).toMatchObject({ status: 200 });
    const { rows } = await sql`select id from rate_window`.execute(database.db);
    expect(rows).toEqual([]);
  });

  test("[LIM6] [LIM7] requests that reserve nothing count too, as soon as their server knows of the limit", async () => {
    expect(await call("a", "GET", "/look")).toMatchObject({ status: 200 });
    const { id } = await limit("key", keyA, "requests_per_minute", 1);
    const code = async (): Promise<string> => (await call("a", "GET", "/look")).body.error?.code ?? "";
    await expect.poll(code, { timeout: 10_000, interval: 100 }).toBe("limit.exceeded");
    expect(await use("a")).toMatchObject({ status: 429, body: { error: { details: { limit_id: id } } } });
    expect(await call("b", "GET", "/look")).toMatchObject({ status: 200 });
  });

  test("[LIM8] running cost waits for no limit", async () => {
    await limit("key", keyA, "requests_per_minute", 1);
    await limit("project", mine, "concurrent_requests", 1);
    const claim = (index: number) => ({
      id: `run_1:1:${index}`,
      projectId: mine,
      keyId: keyA as KeyId,
      estimates: [{ meter: "training.seconds", quantity: "60", dimensions: {} }],
    });
    const claims = await Promise.all([0, 1, 2].map((index) => metering.ledger.claim(claim(index))));
    expect(await use("a")).toMatchObject({ status: 200 });
    for (const each of claims) await metering.ledger.release(each);
  });
});
