import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeKey, prefixOf } from "../secret.ts";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);
const newKey: TestIdentity["newKey"] = (...args) => world.newKey(...args);

/** A call that any key with keys:read may make. */
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
    const { rows } = await sql<{ row: string }>`select to_jsonb(k)::text as row from api_key k`.execute(world.db);
    expect(rows[0]?.row).not.toContain(created.key.slice(12));
  });

  test("without scopes hold the usual ones, which are not keys:write", async () => {
    const created = await newKey();
    expect(created.scopes).toContain("inference");
    expect(created.scopes).not.toContain("admin");
    expect((await tries(created.key)).code).toBe("auth.forbidden");
  });

  test("[IDN4] are refused from the moment that their revocation is answered, also when they were used just before", async () => {
    const created = await newKey({ scopes: ["keys:read", "keys:write"] });
    expect((await tries(created.key)).status).toBe(200);
    const revoked = await call("DELETE", `/api/keys/${created.id}`);
    expect(revoked.json).toEqual({ id: created.id, object: "key", deleted: true });
    expect(await tries(created.key)).toMatchObject({ status: 401, code: "auth.invalid" });
    const row = await call("GET", `/api/keys/${created.id}`);
    expect(row.json.revoked_at).not.toBeNull();
  });

  test("[IDN4] a revocation that meets a request half-way is not forgotten by the cache", async () => {
    const created = await newKey({ scopes: ["keys:read", "keys:write"] });
    const racing = Array.from({ length: 20 }, () => tries(created.key));
    const revoked = call("DELETE", `/api/keys/${created.id}`);
    await Promise.all([...racing, revoked]);
    expect((await tries(created.key)).code).toBe("auth.invalid");
  });

  test("[IDN4] a revocation by another process counts within a second", async () => {
    const created = await newKey({ scopes: ["keys:read", "keys:write"] });
    expect((await tries(created.key)).status).toBe(200);
    await sql`update api_key set revoked_at = now()`.execute(world.db);
    world.wait(1_001);
    expect((await tries(created.key)).code).toBe("auth.invalid");
  });

  test("[IDN5] are refused from their expiry on", async () => {
    const expiry = new Date(world.now().getTime() + 500);
    const created = await newKey({ scopes: ["keys:read", "keys:write"], expires_at: expiry.toISOString() });
    expect((await tries(created.key)).status).toBe(200);
    world.wait(500);
    expect((await tries(created.key)).code).toBe("auth.invalid");
    const past = await call("POST", "/api/keys", {
      body: { name: "late", expires_at: new Date(world.now().getTime() - 1).toISOString() },
    });
    expect(past).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("with one wrong character are refused like any unknown one", async () => {
    const { key } = await newKey({ scopes: ["keys:read", "keys:write"] });
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
    const created = await newKey({ scopes: ["keys:read", "keys:write"] });
    const lastUse = async () => {
      await world.identity.stop();
      return (await call("GET", `/api/keys/${created.id}`)).json.last_used_at;
    };
    const first = world.now().toISOString();
    await tries(created.key);
    expect(await lastUse()).toBe(first);
    world.wait(59_000);
    await tries(created.key);
    expect(await lastUse()).toBe(first);
    world.wait(1_000);
    await tries(created.key);
    expect(await lastUse()).toBe(world.now().toISOString());
  });
});
