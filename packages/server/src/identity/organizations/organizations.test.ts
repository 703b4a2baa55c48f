import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);

const names = async (more: object = {}) =>
  (await call("GET", "/api/organizations?order=asc&limit=100", more)).json.data.map(
    (row: { name: string }) => row.name,
  );

describe("organizations", () => {
  test("[IDN11] are made by the operator alone, with a project `default`, under a name that nobody has", async () => {
    const body = { name: "acme", display_name: "Acme, Inc." };
    const { status, json: acme } = await call("POST", "/api/organizations", { body });
    expect(status).toBe(201);
    expect(acme).toEqual({
      id: expect.stringMatching(/^org_/),
      object: "organization",
      ...body,
      created_at: expect.any(String),
    });
    const projects = await call("GET", "/api/projects", { organization: "acme" });
    expect(projects.json.data).toMatchObject([{ name: "default", organization_id: acme.id, archived_at: null }]);
    expect(await call("POST", "/api/organizations", { body })).toMatchObject({
      status: 409,
      code: "organization.name_taken",
    });
    const owner = await world.newMember("owner@example.com", "owner");
    const refused = await call("POST", "/api/organizations", { user: owner, body: { name: "mine" } });
    expect(refused).toMatchObject({ status: 403, code: "auth.forbidden" });
  });

  test("[IDN20] show themselves to who belongs to them or to one of their projects, and to nobody else", async () => {
    await call("POST", "/api/organizations", { body: { name: "acme" } });
    const { json: vision } = await call("POST", "/api/projects", { organization: "acme", body: { name: "vision" } });
    const guest = await world.newMember("g@example.com", "viewer", { organization: "acme", projectId: vision.id });
    const both = await world.newMember("both@example.com", "viewer");
    await call("POST", "/api/invitations", {
      organization: "acme",
      body: { email: "both@example.com", role: "viewer" },
    });
    expect(await names()).toEqual(["default", "acme"]);
    expect(await names({ user: guest })).toEqual(["acme"]);
    expect(await names({ user: both })).toEqual(["default"]);
    expect((await call("GET", "/api/organizations/acme", { user: guest })).json.name).toBe("acme");
    const { json: projects } = await call("GET", "/api/projects", { user: guest });
    expect(projects.data.map((row: { id: string }) => row.id)).toEqual([vision.id]);
    expect(await call("GET", "/api/projects/default", { user: guest })).toMatchObject({ code: "project.not_found" });
    const missing = { status: 404, code: "organization.not_found" };
    expect(await call("GET", "/api/organizations/default", { user: guest })).toMatchObject(missing);
    expect(await call("GET", "/api/organizations/acme", { user: both })).toMatchObject(missing);
    const { key } = await world.newKey();
    expect(await names({ key })).toEqual(["default"]);
    expect(await call("GET", "/api/organizations/acme", { key })).toMatchObject(missing);
  });

  test("are shown as their owners say; the name by which requests select them stays", async () => {
    const owner = await world.newMember("owner@example.com", "owner");
    const admin = await world.newMember("admin@example.com", "admin");
    const path = "/api/organizations/default";
    const body = { display_name: " The mill " };
    expect((await call("PATCH", path, { user: owner, body })).json).toMatchObject({
      name: "default",
      display_name: "The mill",
    });
    expect((await call("PATCH", path, { user: owner, body: {} })).json.display_name).toBe("The mill");
    expect((await call("PATCH", path, { user: owner, body: { display_name: null } })).json.display_name).toBeNull();
    expect(await call("PATCH", path, { user: admin, body })).toMatchObject({ status: 403, code: "auth.forbidden" });
    expect(await call("PATCH", path, { user: owner, body: { name: "mill" } })).toMatchObject({ status: 400 });
  });

  test("[IDN17] are changed only where their owner acts as such", async () => {
    await call("POST", "/api/organizations", { body: { name: "acme" } });
    const user = await world.newMember("u@example.com", "owner");
    const invitation = { organization: "acme", body: { email: "u@example.com", role: "viewer" } };
    const { json } = await call("POST", "/api/invitations", invitation);
    await world.db
      .transaction()
      .execute((transaction) => world.identity.memberships.acceptInvitation(transaction, json.token, user));
    expect(await names({ user })).toEqual(["default", "acme"]);
    // Known, but not by the role that is held here.
    const body = { display_name: "mine" };
    expect(await call("PATCH", "/api/organizations/acme", { user, body })).toMatchObject({ status: 404 });
    const there = { user, organization: "acme", body };
    expect(await call("PATCH", "/api/organizations/acme", there)).toMatchObject({ status: 403 });
  });

  test("[IDN8] are all open to the admin key, by the headers", async () => {
    const { json: acme } = await call("POST", "/api/organizations", { body: { name: "acme" } });
    const { json: other } = await call("POST", "/api/projects", { organization: acme.id, body: { name: "other" } });
    expect((await world.newKey({}, { organization: "acme", project: "other" })).project_id).toBe(other.id);
    expect((await world.newKey({}, { project: other.id })).project_id).toBe(other.id);
    for (const where of [
      { project: "other" },
      { organization: "default", project: other.id },
      { organization: "none" },
      { organization: "acme", project: "none" },
    ])
      expect(await call("GET", "/api/keys", where)).toMatchObject({ status: 404, code: "project.not_found" });
  });
});
