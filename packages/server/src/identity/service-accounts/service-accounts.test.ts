import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);

const account = async (body: object = {}) =>
  (await call("POST", "/api/service-accounts", { body: { name: "robot", role: "developer", ...body } })).json;
const update = (id: string, body: object, more: object = {}) =>
  call("PATCH", `/api/service-accounts/${id}`, { ...more, body });
const tries = (key: string) => call("GET", "/api/keys", { key });
const invalid = { status: 401, code: "auth.invalid" };
const forbidden = { status: 403, code: "auth.forbidden" };

describe("a service account", () => {
  test("is made, listed, shown by name or id, renamed; its name is its organization's alone", async () => {
    const robot = await account();
    expect(robot).toEqual({
      id: expect.stringMatching(/^sva_/),
      object: "service_account",
      name: "robot",
      role: "developer",
      project_id: null,
      created_at: expect.any(String),
      disabled_at: null,
    });
    expect((await call("GET", "/api/service-accounts")).json.data).toEqual([robot]);
    for (const name of ["robot", robot.id])
      expect((await call("GET", `/api/service-accounts/${name}`)).json).toEqual(robot);
    const taken = { status: 409, code: "service_account.name_taken" };
    expect(await call("POST", "/api/service-accounts", { body: { name: "robot", role: "viewer" } })).toMatchObject(
      taken,
    );
    const second = await account({ name: "second" });
    expect(await update(second.id, { name: "robot" })).toMatchObject(taken);
    expect((await update(second.id, { name: "third" })).json.name).toBe("third");
    expect(await update("none", { name: "x" })).toMatchObject({ status: 404, code: "service_account.not_found" });
  });

  test("[IDN15] bounds its keys by its role: when they are made, and by what it is now", async () => {
    const robot = await account({ role: "viewer" });
    const beyond = { name: "k", service_account: robot.id, scopes: ["keys:write"] };
    expect(await call("POST", "/api/keys", { body: beyond })).toMatchObject(forbidden);
    const usual = await world.newKey({ service_account: "robot" });
    expect(usual).toMatchObject({ service_account_id: robot.id, user_id: null });
    expect(usual.scopes).not.toContain("runs:write");
    await update(robot.id, { role: "developer" });
    const { key } = await world.newKey({ service_account: robot.id, scopes: ["keys:read", "keys:write"] });
    expect(
      (await call("POST", "/api/keys", { key, body: { name: "child", scopes: ["keys:read"] } })).json,
    ).toMatchObject({
      service_account_id: robot.id,
    });
    await update(robot.id, { role: "viewer" });
    expect(await call("POST", "/api/keys", { key, body: { name: "k", scopes: ["keys:read"] } })).toMatchObject(
      forbidden,
    );
    expect((await tries(key)).status).toBe(200);
    await update(robot.id, { role: "billing" });
    expect(await tries(key)).toMatchObject(forbidden);
  });

  test("[IDN15] that is disabled or deleted has its keys, and their keys, refused from the moment of the answer", async () => {
    const robot = await account();
    const parent = await world.newKey({ service_account: robot.id, scopes: ["keys:read", "keys:write"] });
    const child = await world.newKey({ scopes: ["keys:read"] }, { key: parent.key });
    const both = async (expected: object) => {
      for (const { key } of [parent, child]) expect(await tries(key)).toMatchObject(expected);
    };
    await both({ status: 200 });
    expect((await update(robot.id, { disabled: true })).json.disabled_at).toBe(world.now().toISOString());
    await both(invalid);
    expect((await update(robot.id, { disabled: false })).json.disabled_at).toBeNull();
    await both({ status: 200 });
    expect((await call("DELETE", "/api/service-accounts/robot")).json).toEqual({
      id: robot.id,
      object: "service_account",
      deleted: true,
    });
    await both(invalid);
    const gone = { status: 404, code: "service_account.not_found" };
    expect(await update(robot.id, { disabled: false })).toMatchObject(gone);
    expect(await call("POST", "/api/keys", { body: { name: "k", service_account: robot.id } })).toMatchObject(gone);
    expect((await call("GET", "/api/service-accounts")).json.data).toEqual([]);
    // The name is free again, and the old keys don't come back with it.
    await account();
    await both(invalid);
  });

  test("[IDN15] of one project acts there alone, by the project's scopes", async () => {
    const { json: vision } = await call("POST", "/api/projects", { body: { name: "vision" } });
    const robot = await account({ role: "owner", project: "vision" });
    expect(robot.project_id).toBe(vision.id);
    const body = { name: "k", service_account: robot.id };
    expect(await call("POST", "/api/keys", { body })).toMatchObject({ status: 404, code: "service_account.not_found" });
    const wide = { ...body, scopes: ["members:write"] };
    expect(await call("POST", "/api/keys", { project: "vision", body: wide })).toMatchObject(forbidden);
    const key = await world.newKey({ ...body, scopes: ["keys:read"] }, { project: "vision" });
    expect((await tries(key.key)).status).toBe(200);
  });

  test("[IDN23] with a role beyond the caller's is not the caller's to change", async () => {
    const robot = await account({ role: "owner" });
    const admin = await world.newMember("admin@example.com", "admin");
    for (const body of [{ role: "viewer" }, { disabled: true }, { name: "mine" }])
      expect(await update(robot.id, body, { user: admin })).toMatchObject(forbidden);
    expect(await call("DELETE", `/api/service-accounts/${robot.id}`, { user: admin })).toMatchObject(forbidden);
    const low = await account({ name: "low", role: "viewer" });
    expect(await update(low.id, { role: "owner" }, { user: admin })).toMatchObject(forbidden);
    expect((await update(low.id, { role: "admin" }, { user: admin })).status).toBe(200);
  });
});
