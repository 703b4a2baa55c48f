import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);
const newKey: TestIdentity["newKey"] = (...args) => world.newKey(...args);

const tries = (key: string) => call("GET", "/api/keys", { key });
const rotate = (id: string, body: object = {}, more: object = {}) =>
  call("POST", `/api/keys/${id}/rotate`, { ...more, body });

describe("a rotated key", () => {
  test("[IDN12] [IDN3] keeps its id; its old secret goes on until the grace ends, then only the new one is right", async () => {
    const old = await newKey({ scopes: ["keys:read"] });
    expect((await tries(old.key)).status).toBe(200);
    const { status, json: rotated, headers } = await rotate(old.id, { grace_seconds: 60 });
    expect(status).toBe(200);
    expect(headers["cache-control"]).toBe("no-store");
    expect(rotated.id).toBe(old.id);
    expect(rotated.key).not.toBe(old.key);
    expect(rotated.key.startsWith(rotated.prefix)).toBe(true);
    expect(rotated.grace_ends_at).toBe(new Date(world.now().getTime() + 60_000).toISOString());
    await world.identity.stop(); // the last use is written
    expect((await call("GET", `/api/keys/${old.id}`)).json).toEqual({
      ...rotated,
      key: undefined,
      last_used_at: expect.any(String),
    });
    for (const key of [old.key, rotated.key]) expect((await tries(key)).status).toBe(200);
    world.wait(59_999);
    for (const key of [old.key, rotated.key]) expect((await tries(key)).status).toBe(200);
    world.wait(1);
    expect(await tries(old.key)).toMatchObject({ status: 401, code: "auth.invalid" });
    expect((await tries(rotated.key)).status).toBe(200);
  });

  test("[IDN12] without a grace has one right secret from the moment of the answer, also when the old one was used just before", async () => {
    const old = await newKey({ scopes: ["keys:read"] });
    await tries(old.key);
    const { json: rotated } = await rotate(old.id);
    expect((await tries(old.key)).code).toBe("auth.invalid");
    expect((await tries(rotated.key)).status).toBe(200);
  });

  test("[IDN12] has two right secrets at most: a second rotation ends the first one's old secret", async () => {
    const first = await newKey({ scopes: ["keys:read"] });
    const { json: second } = await rotate(first.id, { grace_seconds: 600_000 });
    const { json: third } = await rotate(first.id, { grace_seconds: 10 });
    expect((await tries(first.key)).code).toBe("auth.invalid");
    for (const key of [second.key, third.key]) expect((await tries(key)).status).toBe(200);
  });

  test("[IDN12] by several at once has as many answers, of which the last two are right", async () => {
    const first = await newKey({ scopes: ["keys:read"] });
    const answers = await Promise.all(Array.from({ length: 6 }, () => rotate(first.id, { grace_seconds: 60 })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    const statuses = await Promise.all(answers.map(({ json }) => tries(json.key)));
    expect(statuses.filter(({ status }) => status === 200)).toHaveLength(2);
  });

  test("[IDN5] expires with both secrets when the key does", async () => {
    const expiry = new Date(world.now().getTime() + 1_000).toISOString();
    const old = await newKey({ scopes: ["keys:read"], expires_at: expiry });
    const { json: rotated } = await rotate(old.id, { grace_seconds: 60 });
    world.wait(1_000);
    for (const key of [old.key, rotated.key]) expect((await tries(key)).code).toBe("auth.invalid");
  });

  test("[IDN4] is refused with both secrets when it is revoked, and can't be changed any more", async () => {
    const old = await newKey({ scopes: ["keys:read"] });
    const { json: rotated } = await rotate(old.id, { grace_seconds: 60 });
    await call("DELETE", `/api/keys/${old.id}`);
    for (const key of [old.key, rotated.key]) expect((await tries(key)).code).toBe("auth.invalid");
    expect(await rotate(old.id)).toMatchObject({ status: 409, code: "key.revoked" });
    const body = { name: "again" };
    expect(await call("PATCH", `/api/keys/${old.id}`, { body })).toMatchObject({ status: 409, code: "key.revoked" });
  });

  test("[IDN12] takes no grace that is negative, longer than a week, or no whole number", async () => {
    const { id } = await newKey();
    for (const grace_seconds of [-1, 604_801, 1.5, "60", null, 1e300])
      expect(await rotate(id, { grace_seconds })).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("can rotate itself", async () => {
    const own = await newKey({ scopes: ["keys:read", "keys:write"] });
    const { json } = await rotate(own.id, {}, { key: own.key });
    expect((await tries(json.key)).status).toBe(200);
    expect((await tries(own.key)).code).toBe("auth.invalid");
  });
});

describe("a key's changes", () => {
  test("[IDN4] hold from the moment of the answer", async () => {
    const { id, key } = await newKey({ scopes: ["keys:read"] });
    expect((await tries(key)).status).toBe(200);
    const { json } = await call("PATCH", `/api/keys/${id}`, { body: { name: "n", scopes: ["runs:read"] } });
    expect(json).toMatchObject({ name: "n", scopes: ["runs:read"] });
    expect(await tries(key)).toMatchObject({ status: 403, code: "auth.forbidden" });
    await call("PATCH", `/api/keys/${id}`, { body: { scopes: ["keys:read"] } });
    expect((await tries(key)).status).toBe(200);
    const expires_at = new Date(world.now().getTime() + 10).toISOString();
    await call("PATCH", `/api/keys/${id}`, { body: { expires_at } });
    world.wait(10);
    expect((await tries(key)).code).toBe("auth.invalid");
    expect((await call("PATCH", `/api/keys/${id}`, { body: { expires_at: null } })).json.expires_at).toBeNull();
    expect((await tries(key)).status).toBe(200);
  });
});
