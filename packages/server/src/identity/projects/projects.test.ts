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
});
