import type { UserId } from "@gristmill/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);

const newMember: TestIdentity["newMember"] = (...args) => world.newMember(...args);
const forbidden = { status: 403, code: "auth.forbidden" };
const notFound = { status: 404, code: "member.not_found" };
const setRole = (id: string, role: string, more: object = {}, query = "") =>
  call("PATCH", `/api/members/${id}${query}`, { ...more, body: { role } });
const remove = (id: string, more: object = {}, query = "") => call("DELETE", `/api/members/${id}${query}`, more);
const roleOf = async (id: string) => {
  const { json } = await call("GET", "/api/members?limit=100");
  return json.data.find((member: { id: string }) => member.id === id)?.role;
};

describe("members", () => {
  test("are listed with their roles, in pages, of an organization or of one project", async () => {
    const { json: vision } = await call("POST", "/api/projects", { body: { name: "vision" } });
    const ada = await newMember("ada@example.com", "owner");
    const bob = await newMember("bob@example.com", "viewer");
    await setRole(bob, "developer", {}, "?project=vision");
    const guest = await newMember("guest@example.com", "viewer", { projectId: vision.id });
    const { json } = await call("GET", "/api/members?order=asc&limit=2");
    expect(json.data).toEqual([
      {
        id: ada,
        object: "member",
        email: "ada@example.com",
        name: "ada",
        role: "owner",
        projects: [],
        created_at: expect.any(String),
      },
      expect.objectContaining({ id: bob, role: "viewer", projects: [{ project_id: vision.id, role: "developer" }] }),
    ]);
    expect(json.has_more).toBe(true);
    const rest = await call("GET", `/api/members?order=asc&limit=2&after=${json.last_id}`);
    expect(rest.json.data).toMatchObject([{ id: guest, role: null }]);
    const back = await call("GET", "/api/members?limit=1");
    expect(back.json.data).toMatchObject([{ id: guest }]);
    const inVision = await call("GET", "/api/members?project=vision&order=asc");
    expect(inVision.json.data.map((member: { id: string }) => member.id)).toEqual([bob, guest]);
    expect(await call("GET", "/api/members?project=none")).toMatchObject({ code: "project.not_found" });
  });

  test("[IDN21] do what their roles hold: in the organization everywhere, in a project there alone", async () => {
    const { json: vision } = await call("POST", "/api/projects", { body: { name: "vision" } });
    const { memberships } = world.identity;
    const viewer = await newMember("v@example.com", "viewer");
    await setRole(viewer, "developer", {}, "?project=vision");
    const inDefault = await memberships.callerOf(viewer, {});
    const inVision = await memberships.callerOf(viewer, { project: "vision" });
    expect(inDefault.scopes.has("keys:write")).toBe(false);
    expect(inVision.scopes.has("keys:write")).toBe(true);
    expect(inVision).toMatchObject({ kind: "user", userId: viewer, keyId: null, projectId: vision.id, models: null });
    // An owner of one project governs nothing of the organization.
    const lord = await newMember("lord@example.com", "owner", { projectId: vision.id });
    const { scopes } = await memberships.callerOf(lord, {});
    for (const scope of [
      "organization:read",
      "members:write",
      "projects:write",
      "budgets:write",
      "audit:read",
    ] as const)
      expect(scopes.has(scope)).toBe(false);
    expect(scopes.has("keys:write")).toBe(true);
    expect(await call("GET", "/api/members", { user: lord })).toMatchObject(forbidden);
    expect(await setRole(lord, "owner", { user: lord })).toMatchObject(forbidden);
  });

  test("[IDN22] act in the oldest project of their first membership, or where the request says", async () => {
    const { json: acme } = await call("POST", "/api/organizations", { body: { name: "acme" } });
    const { json: beta } = await call("POST", "/api/projects", { organization: "acme", body: { name: "beta" } });
    const { memberships } = world.identity;
    const user = await newMember("u@example.com", "viewer", { organization: "acme" });
    const first = await memberships.callerOf(user, {});
    expect(first.organizationId).toBe(acme.id);
    const { json: names } = await call("GET", "/api/projects", { user });
    expect(names.data.at(-1)).toMatchObject({ id: first.projectId, name: "default" });
    for (const selected of [{ project: "beta" }, { project: beta.id }, { organization: "acme", project: "beta" }])
      expect((await memberships.callerOf(user, selected)).projectId).toBe(beta.id);
    const { json: foreign } = await call("GET", "/api/projects/default");
    for (const selected of [
      { organization: "default" },
      { project: foreign.id },
      { organization: acme.id, project: foreign.id },
      { project: "none" },
      { organization: "none" },
    ])
      await expect(memberships.callerOf(user, selected)).rejects.toMatchObject({ code: "project.not_found" });
    const narrow = await newMember("n@example.com", "viewer", { organization: "acme", projectId: beta.id });
    expect((await memberships.callerOf(narrow, {})).projectId).toBe(beta.id);
    await expect(memberships.callerOf(narrow, { project: "default" })).rejects.toMatchObject({
      code: "project.not_found",
    });
    const nobody = await world.newUser("nobody@example.com");
    await expect(memberships.callerOf(nobody, {})).rejects.toMatchObject({ code: "project.not_found" });
    expect(await memberships.membershipsOf(narrow)).toEqual([
      { organizationId: acme.id, organization: "acme", projectId: beta.id, project: "beta", role: "viewer" },
    ]);
  });

  test("[IDN22] lose what they had in the moment that it is taken from them", async () => {
    const user = await newMember("u@example.com", "admin");
    expect((await call("GET", "/api/invitations", { user })).status).toBe(200);
    await setRole(user, "viewer");
    expect(await call("GET", "/api/invitations", { user })).toMatchObject(forbidden);
    expect((await remove(user)).json).toEqual({ id: user, object: "member", deleted: true });
    expect(await call("GET", "/api/members", { user })).toMatchObject({ status: 404, code: "project.not_found" });
    expect(await remove(user)).toMatchObject(notFound);
  });
});

describe("roles", () => {
  test("[IDN23] nobody gives a role that holds more than they do, nobody raises themselves", async () => {
    const admin = await newMember("admin@example.com", "admin");
    const other = await newMember("other@example.com", "viewer");
    expect(await setRole(admin, "owner", { user: admin })).toMatchObject(forbidden);
    expect(await setRole(other, "owner", { user: admin })).toMatchObject(forbidden);
    expect((await setRole(other, "admin", { user: admin })).json.role).toBe("admin");
    for (const role of ["billing", "developer", "viewer"] as const) {
      const low = await newMember(`${role}@example.com`, role);
      for (const wanted of ["viewer", role, "admin", "owner"])
        for (const query of ["", "?project=default"])
          expect(await setRole(low, wanted, { user: low }, query)).toMatchObject(forbidden);
    }
    const invite = { email: "new@example.com", role: "owner" };
    expect(await call("POST", "/api/invitations", { user: admin, body: invite })).toMatchObject(forbidden);
    const account = { name: "robot", role: "owner" };
    expect(await call("POST", "/api/service-accounts", { user: admin, body: account })).toMatchObject(forbidden);
  });

  test("[IDN23] nobody takes a role that holds more than they do: an administrator unmakes no owner", async () => {
    const owner = await newMember("owner@example.com", "owner");
    await newMember("second@example.com", "owner");
    const admin = await newMember("admin@example.com", "admin");
    expect(await setRole(owner, "viewer", { user: admin })).toMatchObject(forbidden);
    expect(await remove(owner, { user: admin })).toMatchObject(forbidden);
    expect(await roleOf(owner)).toBe("owner");
    expect((await setRole(owner, "viewer", { user: owner })).status).toBe(200);
  });

  test("[IDN23] a key with members:write gives and takes only what it holds", async () => {
    const key = await world.newKey({ scopes: ["members:write", "organization:read", "runs:read"] });
    const low = await newMember("low@example.com", "viewer");
    for (const role of ["developer", "viewer"])
      expect(await setRole(low, role, { key: key.key })).toMatchObject(forbidden);
    const { json: standard } = await call("GET", "/api/projects/default");
    const guest = await newMember("guest@example.com", "developer", { projectId: standard.id });
    for (const query of ["", "?project=default"])
      expect(await remove(guest, { key: key.key }, query)).toMatchObject(forbidden);
    expect((await remove(guest)).status).toBe(200);
  });

  test("[IDN24] the last owner is neither demoted nor removed", async () => {
    const owner = await newMember("owner@example.com", "owner");
    const last = { status: 409, code: "member.last_owner" };
    for (const as of [{}, { user: owner }]) {
      expect(await setRole(owner, "admin", as)).toMatchObject(last);
      expect(await remove(owner, as)).toMatchObject(last);
    }
    expect((await setRole(owner, "owner")).status).toBe(200);
    const second = await newMember("second@example.com", "owner");
    expect((await remove(owner, { user: owner })).status).toBe(200);
    expect(await remove(second)).toMatchObject(last);
  });

  test("[IDN24] of two owners who demote each other at once, one remains", async () => {
    for (let round = 0; round < 5; round++) {
      const organization = `org-${round}`;
      await call("POST", "/api/organizations", { body: { name: organization } });
      const pair: UserId[] = [];
      for (const name of ["a", "b"])
        pair.push(await newMember(`${name}${round}@example.com`, "owner", { organization }));
      const answers = await Promise.all([
        setRole(pair[0] ?? "", "viewer", { organization }),
        remove(pair[1] ?? "", { organization }),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    }
  });

  test("in a project of its own are given, changed and taken without touching the organization's", async () => {
    const user = await newMember("u@example.com", "viewer");
    const query = "?project=default";
    const { json: standard } = await call("GET", "/api/projects/default");
    const given = await setRole(user, "developer", {}, query);
    expect(given.json).toMatchObject({ role: "viewer", projects: [{ project_id: standard.id, role: "developer" }] });
    expect((await setRole(user, "admin", {}, query)).json.projects).toEqual([
      { project_id: standard.id, role: "admin" },
    ]);
    expect((await remove(user, {}, query)).status).toBe(200);
    expect(await remove(user, {}, query)).toMatchObject(notFound);
    expect(await roleOf(user)).toBe("viewer");
    const stranger = await world.newUser("stranger@example.com");
    for (const more of ["", query]) expect(await setRole(stranger, "viewer", {}, more)).toMatchObject(notFound);
  });
});

describe("[IDN26] invitations that nobody has accepted", () => {
  const invited = async () =>
    (await call("GET", "/api/invitations")).json.data.map((row: { email: string }) => row.email);
  const invite = (email: string, more: object) =>
    call("POST", "/api/invitations", { ...more, body: { email, role: "viewer" } });

  test("[IDN26] end when their sender is removed or loses a right, also those sent by the sender's key", async () => {
    const admin = await newMember("admin@example.com", "admin");
    const { key } = await world.newKey(
      {
        scopes: [
          "members:write",
          "organization:read",
          "organization:usage",
          "datasets:read",
          "runs:read",
          "models:read",
          "deployments:read",
          "usage:read",
          "limits:read",
          "budgets:read",
          "keys:read",
        ],
      },
      { user: admin },
    );
    expect((await invite("one@example.com", { user: admin })).json.invited_by).toBe(admin);
    expect((await invite("two@example.com", { key })).json.invited_by).toBe(admin);
    expect((await invite("three@example.com", {})).json.invited_by).toBeNull();
    await setRole(admin, "owner");
    expect(await invited()).toHaveLength(3);
    const owner = await newMember("owner@example.com", "owner");
    await setRole(admin, "admin", { user: owner });
    expect(await invited()).toEqual(["three@example.com"]);
    await invite("four@example.com", { user: admin });
    await remove(admin);
    expect(await invited()).toEqual(["three@example.com"]);
  });
});
