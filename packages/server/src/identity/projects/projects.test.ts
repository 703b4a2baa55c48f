import { scopes } from "@gristmill/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

describe("projects", () => {
  test("[IDN6] are closed to each other's keys: not found, never forbidden", async () => {
    await call("POST", "/api/projects", { body: { name: "other" } });
    const mine = await newKey({ scopes: ["keys:read", "keys:write"] });
    const theirs = await newKey({ scopes: ["keys:read", "keys:write"] }, { project: "other" });
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

  test("[IDN20] are shown to those who may act in them, and made by who holds projects:write", async () => {
    await call("POST", "/api/projects", { body: { name: "other" } });
    const names = async (who: object) =>
      (await call("GET", "/api/projects?order=asc", who)).json.data.map((row: { name: string }) => row.name);
    const blind = await newKey({ scopes: ["runs:read"] });
    expect(await names({ key: blind.key })).toEqual(["default"]);
    expect(await call("GET", "/api/projects/other", { key: blind.key })).toMatchObject({
      status: 404,
      code: "project.not_found",
    });
    const seeing = await newKey({ scopes: ["organization:read"] });
    expect(await names({ key: seeing.key })).toEqual(["default", "other"]);
    const rest = scopes.filter((scope) => scope !== "admin" && scope !== "projects:write");
    const key = await newKey({ scopes: rest });
    const refused = await call("POST", "/api/projects", { key: key.key, body: { name: "third" } });
    expect(refused).toMatchObject({ status: 403, code: "auth.forbidden" });
    const maker = await newKey({ scopes: ["projects:write"] });
    expect((await call("POST", "/api/projects", { key: maker.key, body: { name: "third" } })).status).toBe(201);
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
      world.wait(1);
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

  test("[IDN11] have a name that another organization may have too", async () => {
    await call("POST", "/api/organizations", { body: { name: "acme" } });
    const one = await call("POST", "/api/projects", { body: { name: "vision" } });
    const two = await call("POST", "/api/projects", { organization: "acme", body: { name: "vision" } });
    expect([one.status, two.status]).toEqual([201, 201]);
    expect((await call("GET", "/api/projects/vision", { organization: "acme" })).json).toEqual(two.json);
    const { key } = await newKey({ scopes: ["keys:read"] }, { organization: "acme", project: "vision" });
    expect((await call("GET", "/api/keys", { key, organization: "acme", project: "vision" })).status).toBe(200);
    expect(await call("GET", "/api/keys", { key, organization: "default" })).toMatchObject({
      code: "project.not_found",
    });
  });

  test("are renamed and described; an id wins over a name that looks like one", async () => {
    const { json: one } = await call("POST", "/api/projects", { body: { name: "one", description: "first" } });
    const { json: two } = await call("POST", "/api/projects", { body: { name: "two" } });
    const taken = await call("PATCH", "/api/projects/two", { body: { name: "one" } });
    expect(taken).toMatchObject({ status: 409, code: "project.name_taken" });
    const renamed = await call("PATCH", "/api/projects/two", { body: { name: one.id, description: "second" } });
    expect(renamed.json).toEqual({ ...two, name: one.id, description: "second" });
    expect((await call("GET", `/api/projects/${one.id}`)).json.name).toBe("one");
  });

  test("[IDN4] [IDN6] are selected by a key under their new name from the moment of the answer", async () => {
    const { json: one } = await call("POST", "/api/projects", { body: { name: "one" } });
    const { key } = await newKey({ scopes: ["keys:read"] }, { project: "one" });
    expect((await call("GET", "/api/keys", { key, project: "one" })).status).toBe(200);
    await call("PATCH", `/api/projects/${one.id}`, { body: { name: "uno" } });
    expect((await call("GET", "/api/keys", { key, project: "uno" })).status).toBe(200);
    expect(await call("GET", "/api/keys", { key, project: "one" })).toMatchObject({ code: "project.not_found" });
  });

  test("[IDN18] that are archived refuse their keys from the moment of the answer, and can be taken back", async () => {
    await call("POST", "/api/projects", { body: { name: "old" } });
    const { key } = await newKey({ scopes: ["keys:read"] }, { project: "old" });
    expect((await tries(key)).status).toBe(200);
    const archived = await call("POST", "/api/projects/old/archive");
    expect(archived.json.archived_at).toBe(world.now().toISOString());
    expect(await tries(key)).toMatchObject({ status: 403, code: "project.archived" });
    world.wait(5);
    expect((await call("POST", "/api/projects/old/archive")).json).toEqual(archived.json);
    const back = await call("PATCH", "/api/projects/old", { body: { archived: false } });
    expect(back.json.archived_at).toBeNull();
    expect((await tries(key)).status).toBe(200);
    const never = await call("PATCH", "/api/projects/old", { body: { archived: true } });
    expect(never).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("[IDN18] that are archived can be looked at by their members, and not changed", async () => {
    const { json: old } = await call("POST", "/api/projects", { body: { name: "old" } });
    const owner = await world.newMember("owner@example.com", "owner");
    await newKey({}, { project: "old" });
    await call("POST", "/api/projects/old/archive", { user: owner });
    const inside = { user: owner, project: old.id };
    expect((await call("GET", "/api/keys", inside)).json.data).toHaveLength(1);
    const refused = await call("POST", "/api/keys", { ...inside, body: { name: "k" } });
    expect(refused).toMatchObject({ status: 403, code: "auth.forbidden" });
    const { scopes: left } = await world.identity.memberships.callerOf(owner, { project: old.id });
    expect(
      [...left].filter((scope) => ["inference", "runs:write", "events:write", "keys:write"].includes(scope)),
    ).toEqual([]);
    expect((await call("PATCH", `/api/projects/${old.id}`, { ...inside, body: { archived: false } })).status).toBe(200);
    expect((await call("POST", "/api/keys", { ...inside, body: { name: "k" } })).status).toBe(201);
  });

  test("[IDN22] that are archived are nobody's default", async () => {
    const { json: first } = await call("POST", "/api/projects", { body: { name: "first" } });
    const { json: second } = await call("POST", "/api/projects", { body: { name: "second" } });
    const user = await world.newMember("u@example.com", "viewer", { projectId: first.id });
    await call("PATCH", `/api/members/${user}?project=second`, { body: { role: "viewer" } });
    const { callerOf } = world.identity.memberships;
    expect((await callerOf(user, {})).projectId).toBe(first.id);
    await call("POST", "/api/projects/first/archive");
    expect((await callerOf(user, {})).projectId).toBe(second.id);
    await call("POST", "/api/projects/second/archive");
    expect((await callerOf(user, {})).projectId).toBe(first.id);
  });

  test("[IDN19] of the name `default` keep it and are not archived", async () => {
    const kept = { status: 409, code: "project.is_default" };
    expect(await call("POST", "/api/projects/default/archive")).toMatchObject(kept);
    expect(await call("PATCH", "/api/projects/default", { body: { name: "other" } })).toMatchObject(kept);
    const described = await call("PATCH", "/api/projects/default", { body: { name: "default", description: "d" } });
    expect(described.json).toMatchObject({ name: "default", description: "d" });
  });
});
