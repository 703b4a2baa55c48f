import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CreatedKey, scopes } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Feature, Log } from "../feature.ts";
import { createHttp, type Http, type UsageLedger } from "../http/index.ts";
import { newId } from "../ids.ts";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { createIdentity, homeAdminKey } from "./index.ts";
import { makeKey, prefixOf } from "./secret.ts";

const adminKey = "gm_admin_0123456789012345678901234567890123456789012";
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const noLedger: UsageLedger = {
  reserve: () => Promise.reject(new Error("identity charges nothing")),
  settle: () => Promise.reject(new Error("identity charges nothing")),
  release: () => Promise.reject(new Error("identity charges nothing")),
};

let database: TestDatabase;
let identity: Feature;
let http: Http;
let clockMs: number;

beforeEach(async () => {
  database = await testDatabase();
  clockMs = Date.now();
  const now = () => new Date(clockMs);
  const created = createIdentity({
    ground: { now, newId, log: silent },
    db: database.db,
    random: randomBytes,
    adminKey,
  });
  identity = created;
  await created.start?.();
  http = await createHttp({
    routes: created.routes,
    authenticator: created.authenticator,
    ledger: noLedger,
    allowedHosts: [],
    now,
    newId,
    log: silent,
  });
});

afterEach(async () => {
  await http.stop(0);
  await identity.stop?.();
  await database.close();
});

interface Call {
  readonly key?: string;
  readonly project?: string;
  readonly body?: object;
}

async function call(method: "GET" | "POST" | "DELETE", url: string, { key = adminKey, project, body }: Call = {}) {
  const answer = await http.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}`, ...(project === undefined ? {} : { "gristmill-project": project }) },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json = answer.json();
  return { status: answer.statusCode, json, code: json.error?.code as string | undefined };
}

async function newKey(body: object = {}, more: Call = {}): Promise<CreatedKey> {
  const { status, json } = await call("POST", "/api/keys", { ...more, body: { name: "k", ...body } });
  expect(status).toBe(201);
  return json;
}

/** A call that any key with keys:write may make. */
const tries = (key: string) => call("GET", "/api/keys", { key });

describe("keys", () => {
  test("[IDN1] have a prefix to find them by and 256 bits that nobody can guess", () => {
    const keys = new Set(Array.from({ length: 1000 }, () => makeKey(randomBytes)));
    expect(keys.size).toBe(1000);
    for (const key of keys) expect(key).toMatch(/^gm_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$/);
    const text = [...keys].join("").replaceAll("gm_", "");
    expect(new Set(text.replaceAll("_", "")).size).toBe(62);
    expect(prefixOf("gm_short_x")).toBeUndefined();
  });

  test("[IDN2] [IDN3] are stored as a hash, and shown whole only when they are made", async () => {
    const created = await newKey();
    expect(created.prefix).toBe(created.key.slice(0, 11));
    const shown = await call("GET", `/api/keys/${created.id}`);
    expect(shown.json).toEqual({ ...created, key: undefined });
    const listed = await call("GET", "/api/keys");
    expect(listed.json.data).toEqual([shown.json]);
    const { rows } = await sql<{ row: string }>`select to_jsonb(k)::text as row from api_key k`.execute(database.db);
    expect(rows[0]?.row).not.toContain(created.key.slice(12));
  });

  test("without scopes hold the usual ones, which are not keys:write", async () => {
    const created = await newKey();
    expect(created.scopes).toContain("inference");
    expect(created.scopes).not.toContain("admin");
    expect((await tries(created.key)).code).toBe("auth.forbidden");
  });

  test("[IDN4] are refused from the moment that their revocation is answered, also when they were used just before", async () => {
    const created = await newKey({ scopes: ["keys:write"] });
    expect((await tries(created.key)).status).toBe(200);
    const revoked = await call("DELETE", `/api/keys/${created.id}`);
    expect(revoked.json).toEqual({ id: created.id, object: "key", deleted: true });
    expect(await tries(created.key)).toMatchObject({ status: 401, code: "auth.invalid" });
    const row = await call("GET", `/api/keys/${created.id}`);
    expect(row.json.revoked_at).not.toBeNull();
  });

  test("[IDN4] a revocation that meets a request half-way is not forgotten by the cache", async () => {
    const created = await newKey({ scopes: ["keys:write"] });
    const racing = Array.from({ length: 20 }, () => tries(created.key));
    const revoked = call("DELETE", `/api/keys/${created.id}`);
    await Promise.all([...racing, revoked]);
    expect((await tries(created.key)).code).toBe("auth.invalid");
  });

  test("[IDN4] a revocation by another process counts within a second", async () => {
    const created = await newKey({ scopes: ["keys:write"] });
    expect((await tries(created.key)).status).toBe(200);
    await sql`update api_key set revoked_at = now()`.execute(database.db);
    clockMs += 1_001;
    expect((await tries(created.key)).code).toBe("auth.invalid");
  });

  test("[IDN5] are refused from their expiry on", async () => {
    const expiry = new Date(clockMs + 500);
    const created = await newKey({ scopes: ["keys:write"], expires_at: expiry.toISOString() });
    expect((await tries(created.key)).status).toBe(200);
    clockMs += 500;
    expect((await tries(created.key)).code).toBe("auth.invalid");
    const past = await call("POST", "/api/keys", {
      body: { name: "late", expires_at: new Date(clockMs - 1).toISOString() },
    });
    expect(past).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("with one wrong character are refused like any unknown one", async () => {
    const { key } = await newKey({ scopes: ["keys:write"] });
    const last = key.endsWith("0") ? "1" : "0";
    for (const wrong of [key.slice(0, -1) + last, makeKey(randomBytes), "gm_", "x"])
      expect(await tries(wrong)).toMatchObject({ status: 401, code: "auth.invalid" });
  });

  test("[IDN7] make only keys with scopes that they hold themselves", async () => {
    const parent = await newKey({ scopes: ["keys:write", "runs:read"] });
    const child = await newKey({}, { key: parent.key });
    expect(child.scopes).toEqual(["runs:read"]);
    const wider = await call("POST", "/api/keys", { key: parent.key, body: { name: "w", scopes: ["inference"] } });
    expect(wider).toMatchObject({ status: 403, code: "auth.forbidden" });
    const admin = await call("POST", "/api/keys", { body: { name: "a", scopes: ["admin"] } });
    expect(admin).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("[IDN10] remember their last use to a minute, beside the request", async () => {
    const created = await newKey({ scopes: ["keys:write"] });
    const lastUse = async () => {
      await identity.stop?.();
      return (await call("GET", `/api/keys/${created.id}`)).json.last_used_at;
    };
    const first = new Date(clockMs).toISOString();
    await tries(created.key);
    expect(await lastUse()).toBe(first);
    clockMs += 59_000;
    await tries(created.key);
    expect(await lastUse()).toBe(first);
    clockMs += 1_000;
    await tries(created.key);
    expect(await lastUse()).toBe(new Date(clockMs).toISOString());
  });
});

describe("projects", () => {
  test("[IDN6] are closed to each other's keys: not found, never forbidden", async () => {
    await call("POST", "/api/projects", { body: { name: "other" } });
    const mine = await newKey({ scopes: ["keys:write"] });
    const theirs = await newKey({ scopes: ["keys:write"] }, { project: "other" });
    expect(theirs.project_id).not.toBe(mine.project_id);
    for (const method of ["GET", "DELETE"] as const)
      expect(await call(method, `/api/keys/${theirs.id}`, { key: mine.key })).toMatchObject({
        status: 404,
        code: "key.not_found",
      });
    expect((await tries(theirs.key)).status).toBe(200);
    expect((await tries(mine.key)).json.data.map((row: { id: string }) => row.id)).toEqual([mine.id]);
    for (const project of ["other", theirs.project_id, "nowhere"])
      expect(await call("GET", "/api/keys", { key: mine.key, project })).toMatchObject({
        status: 404,
        code: "project.not_found",
      });
    expect((await call("GET", "/api/keys", { key: mine.key, project: "default" })).status).toBe(200);
  });

  test("[IDN8] are open to the admin key, by name or id, and its own is `default`", async () => {
    const other = (await call("POST", "/api/projects", { body: { name: "other" } })).json;
    const inOther = await newKey({}, { project: other.id });
    expect(inOther.project_id).toBe(other.id);
    const inDefault = await newKey();
    const standard = (await call("GET", "/api/projects/default")).json;
    expect(inDefault.project_id).toBe(standard.id);
    expect(await call("GET", "/api/keys", { project: "nowhere" })).toMatchObject({ code: "project.not_found" });
  });

  test("are the admin's alone", async () => {
    const key = await newKey({ scopes: scopes.filter((scope) => scope !== "admin") });
    for (const [method, url] of [
      ["GET", "/api/projects"],
      ["GET", "/api/projects/default"],
      ["POST", "/api/projects"],
    ] as const)
      expect(await call(method, url, { key: key.key })).toMatchObject({ status: 403, code: "auth.forbidden" });
  });

  test("[IDN11] have names of their own", async () => {
    expect((await call("POST", "/api/projects", { body: { name: "one" } })).status).toBe(201);
    expect(await call("POST", "/api/projects", { body: { name: "one" } })).toMatchObject({
      status: 409,
      code: "project.name_taken",
    });
    expect(await call("GET", "/api/projects/none")).toMatchObject({ status: 404, code: "project.not_found" });
  });

  test("are listed in pages", async () => {
    for (const name of ["a", "b", "c"]) {
      clockMs += 1;
      await call("POST", "/api/projects", { body: { name } });
    }
    const first = (await call("GET", "/api/projects?limit=3&order=asc")).json;
    expect(first.data.map((row: { name: string }) => row.name)).toHaveLength(3);
    expect(first.has_more).toBe(true);
    const second = (await call("GET", `/api/projects?limit=3&order=asc&after=${first.last_id}`)).json;
    expect(second.data).toHaveLength(1);
    expect(second.has_more).toBe(false);
    const names = [...first.data, ...second.data].map((row: { name: string }) => row.name);
    expect(names.sort()).toEqual(["a", "b", "c", "default"]);
  });
});

describe("the admin key of a home", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gm-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  test("[IDN9] is made once, also by two starters at one moment, and is readable by its owner only", async () => {
    const [one, two] = await Promise.all([homeAdminKey(home, randomBytes), homeAdminKey(home, randomBytes)]);
    expect(one).toBe(two);
    expect(await homeAdminKey(home, randomBytes)).toBe(one);
    const file = join(home, "admin-key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, "utf8")).trim()).toBe(one);
  });

  test("[IDN9] is refused when its file holds something else", async () => {
    await writeFile(join(home, "admin-key"), "short\n");
    await expect(homeAdminKey(home, randomBytes)).rejects.toMatchObject({ code: "config.invalid" });
  });
});
