import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);
const newKey: TestIdentity["newKey"] = (...args) => world.newKey(...args);
const newMember: TestIdentity["newMember"] = (...args) => world.newMember(...args);

const tries = (key: string) => call("GET", "/api/keys", { key });
const forbidden = { status: 403, code: "auth.forbidden" };

describe("nobody gets more by a key than they have", () => {
  test("[IDN7] scopes: when a key is made, changed or rotated", async () => {
    const weak = await newKey({ scopes: ["keys:read", "keys:write", "runs:read"] });
    const strong = await newKey({ scopes: ["keys:read", "deployments:write"] });
    const own = await newKey({ scopes: ["runs:read"] }, { key: weak.key });
    const as = { key: weak.key };
    for (const scopes of [["deployments:write"], ["runs:read", "members:write"]])
      expect(await call("PATCH", `/api/keys/${own.id}`, { ...as, body: { scopes } })).toMatchObject(forbidden);
    expect(await call("PATCH", `/api/keys/${weak.id}`, { ...as, body: { scopes: ["runs:write"] } })).toMatchObject(
      forbidden,
    );
    // To rotate a key is to get its secret; to lengthen its life, or take its list of models away, is to give what one lacks.
    expect(await call("POST", `/api/keys/${strong.id}/rotate`, { ...as, body: {} })).toMatchObject(forbidden);
    expect(await call("PATCH", `/api/keys/${strong.id}`, { ...as, body: { expires_at: null } })).toMatchObject(
      forbidden,
    );
    expect((await tries(strong.key)).status).toBe(200);
    // Taking away is allowed: whoever may write keys can end one that has leaked.
    expect((await call("DELETE", `/api/keys/${strong.id}`, as)).status).toBe(200);
  });

  test("[IDN7] scopes of the organization: only by who holds them there", async () => {
    const owner = await newMember("owner@example.com", "owner");
    const developer = await newMember("dev@example.com", "developer");
    const body = { name: "k", scopes: ["members:write"] };
    expect(await call("POST", "/api/keys", { user: developer, body })).toMatchObject(forbidden);
    const key = await newKey({ scopes: ["members:write"] }, { user: owner });
    expect(key.user_id).toBe(owner);
    expect((await call("GET", "/api/invitations", { key: key.key })).status).toBe(200);
    const narrow = await newMember("narrow@example.com", "owner", { projectId: key.project_id });
    expect(await call("POST", "/api/keys", { user: narrow, body })).toMatchObject(forbidden);
    expect(
      (await call("POST", "/api/keys", { user: narrow, body: { name: "k", scopes: ["runs:write"] } })).status,
    ).toBe(201);
  });

  test("[IDN7] time: a key's keys end no later than it does", async () => {
    const at = (ms: number) => new Date(world.now().getTime() + ms).toISOString();
    const parent = await newKey({ scopes: ["keys:read", "keys:write", "runs:read"], expires_at: at(1_000) });
    const as = { key: parent.key };
    expect((await newKey({}, as)).expires_at).toBe(parent.expires_at);
    expect((await newKey({ expires_at: at(500) }, as)).expires_at).toBe(at(500));
    expect(await call("POST", "/api/keys", { ...as, body: { name: "k", expires_at: at(1_001) } })).toMatchObject(
      forbidden,
    );
    for (const expires_at of [null, at(1_001)])
      expect(await call("PATCH", `/api/keys/${parent.id}`, { ...as, body: { expires_at } })).toMatchObject(forbidden);
  });

  test("[IDN16] models: a key's keys have no wider list", async () => {
    const parent = await newKey({ scopes: ["keys:read", "keys:write", "inference"], models: ["small", "large"] });
    const wide = await newKey({ scopes: ["keys:read", "inference"] });
    const as = { key: parent.key };
    expect((await newKey({}, as)).models).toEqual(["small", "large"]);
    expect((await newKey({ models: ["small"] }, as)).models).toEqual(["small"]);
    for (const models of [["other"], ["small", "other"]])
      expect(await call("POST", "/api/keys", { ...as, body: { name: "k", models } })).toMatchObject(forbidden);
    for (const models of [null, ["other"]])
      expect(await call("PATCH", `/api/keys/${parent.id}`, { ...as, body: { models } })).toMatchObject(forbidden);
    expect(await call("POST", `/api/keys/${wide.id}/rotate`, { ...as, body: {} })).toMatchObject(forbidden);
  });

  test("[IDN16] the caller of a key with a list has that list, and all others have none", async () => {
    const { authenticator } = world.identity;
    const some = await newKey({ models: ["small"] });
    const all = await newKey();
    const caller = (key: string) =>
      authenticator.authenticate({
        key,
        cookie: undefined,
        csrfToken: undefined,
        origin: undefined,
        host: undefined,
        method: "GET",
        project: undefined,
        organization: undefined,
      });
    expect((await caller(some.key)).models).toEqual(new Set(["small"]));
    expect((await caller(all.key)).models).toBeNull();
    await call("PATCH", `/api/keys/${some.id}`, { body: { models: null } });
    expect((await caller(some.key)).models).toBeNull();
  });
});

describe("a member's key", () => {
  test("[IDN14] does what the member may do now, and no more", async () => {
    const member = await newMember("m@example.com", "developer");
    const { key } = await newKey({ scopes: ["keys:read", "keys:write", "runs:read"] }, { user: member });
    expect((await call("POST", "/api/keys", { key, body: { name: "k" } })).status).toBe(201);
    await call("PATCH", `/api/members/${member}`, { body: { role: "viewer" } });
    expect((await tries(key)).status).toBe(200);
    expect(await call("POST", "/api/keys", { key, body: { name: "k" } })).toMatchObject(forbidden);
  });

  test("[IDN14] is refused from the moment that the member is removed, with all keys that it made", async () => {
    const member = await newMember("m@example.com", "developer");
    const parent = await newKey({ scopes: ["keys:read", "keys:write"] }, { user: member });
    const child = await newKey({ scopes: ["keys:read"] }, { key: parent.key });
    expect(child.user_id).toBe(member);
    for (const { key } of [parent, child]) expect((await tries(key)).status).toBe(200);
    expect((await call("DELETE", `/api/members/${member}`)).status).toBe(200);
    for (const { key } of [parent, child])
      expect(await tries(key)).toMatchObject({ status: 401, code: "auth.invalid" });
  });

  test("[IDN14] holds by a role in its own project, not by one in another", async () => {
    const { json: other } = await call("POST", "/api/projects", { body: { name: "other" } });
    const { json: here } = await call("GET", "/api/projects/default");
    const member = await newMember("m@example.com", "developer");
    const { key } = await newKey({ scopes: ["keys:read"] }, { user: member });
    const url = (project: string) => `/api/members/${member}?project=${project}`;
    await call("PATCH", url(other.id), { body: { role: "developer" } });
    await call("PATCH", url(here.id), { body: { role: "viewer" } });
    await sql`delete from membership where project_id is null`.execute(world.db);
    world.wait(1_001);
    expect((await tries(key)).status).toBe(200);
    await call("DELETE", url(here.id));
    expect((await tries(key)).code).toBe("auth.invalid");
  });
});
