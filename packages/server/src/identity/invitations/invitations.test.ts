import { randomBytes } from "node:crypto";
import type { UserId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);

const invite = async (email: string, role = "developer", more: object = {}) =>
  (await call("POST", "/api/invitations", { body: { email, role, ...more } })).json;
const accept = (token: string, userId: UserId) =>
  world.db
    .transaction()
    .execute((transaction) => world.identity.memberships.acceptInvitation(transaction, token, userId));
const gone = { code: "invitation.not_found" };
const day = 86_400_000;

describe("an invitation", () => {
  test("[IDN25] makes its address a member, once; only the token's hash is stored", async () => {
    const made = await call("POST", "/api/invitations", { body: { email: " Ada@Example.com ", role: "developer" } });
    expect(made).toMatchObject({ status: 201, headers: { "cache-control": "no-store" } });
    const { token, ...invitation } = made.json;
    expect(token).toMatch(/^gm_invitation_[0-9A-Za-z]{43}$/);
    expect(invitation.email).toBe("ada@example.com");
    expect((await call("GET", "/api/invitations")).json.data).toEqual([invitation]);
    const { rows } = await sql<{ row: string }>`select to_jsonb(i)::text as row from invitation i`.execute(world.db);
    expect(rows[0]?.row).not.toContain(token.slice(-43));
    expect(await world.identity.memberships.findInvitation(token)).toMatchObject({
      email: "ada@example.com",
      role: "developer",
    });
    const ada = await world.newUser("ada@example.com");
    expect(await accept(token, ada)).toMatchObject({ id: invitation.id, projectId: null });
    expect(await world.identity.memberships.membershipsOf(ada)).toMatchObject([
      { organization: "default", role: "developer" },
    ]);
    await expect(accept(token, ada)).rejects.toMatchObject(gone);
    expect(await world.identity.memberships.findInvitation(token)).toBeUndefined();
    expect((await call("GET", "/api/invitations")).json.data[0].accepted_at).toBe(world.now().toISOString());
  });

  test("[IDN25] accepted by ten at once is accepted once", async () => {
    const { token } = await invite("ada@example.com");
    const ada = await world.newUser("ada@example.com");
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => accept(token, ada)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(gone);
  });

  test("[IDN25] is for its own address", async () => {
    const { token } = await invite("ada@example.com");
    const eve = await world.newUser("eve@example.com");
    await expect(accept(token, eve)).rejects.toMatchObject({ code: "invitation.other_address" });
    expect(await world.identity.memberships.membershipsOf(eve)).toEqual([]);
    expect(await world.identity.memberships.findInvitation(token)).toBeDefined();
  });

  test("[IDN25] ends after 7 days, when it is withdrawn, and when a newer one takes its place", async () => {
    const { findInvitation } = world.identity.memberships;
    const old = await invite("ada@example.com", "developer");
    const newer = await invite("ada@example.com", "viewer");
    const toProject = await invite("ada@example.com", "viewer", { project: "default" });
    expect(await findInvitation(old.token)).toBeUndefined();
    expect(await findInvitation(newer.token)).toMatchObject({ role: "viewer" });
    expect((await call("DELETE", `/api/invitations/${toProject.id}`)).json.deleted).toBe(true);
    expect(await findInvitation(toProject.token)).toBeUndefined();
    expect(await call("DELETE", `/api/invitations/${toProject.id}`)).toMatchObject({ status: 404, ...gone });
    const ada = await world.newUser("ada@example.com");
    world.wait(7 * day - 1);
    expect(await findInvitation(newer.token)).toBeDefined();
    world.wait(1);
    expect(await findInvitation(newer.token)).toBeUndefined();
    await expect(accept(newer.token, ada)).rejects.toMatchObject(gone);
    // Whoever came too late is invited again.
    expect(await accept((await invite("ada@example.com", "viewer")).token, ada)).toMatchObject({ role: "viewer" });
  });

  test("[IDN25] never lessens a role, and raises a lower one", async () => {
    const { memberships } = world.identity;
    const ada = await world.newMember("ada@example.com", "admin");
    await accept((await invite("ada@example.com", "viewer")).token, ada);
    expect(await memberships.membershipsOf(ada)).toMatchObject([{ role: "admin" }]);
    await accept((await invite("ada@example.com", "owner")).token, ada);
    expect(await memberships.membershipsOf(ada)).toMatchObject([{ role: "owner" }]);
    await accept((await invite("ada@example.com", "viewer", { project: "default" })).token, ada);
    expect(await memberships.membershipsOf(ada)).toHaveLength(2);
  });

  test("[IDN23] that gives an owner's role is not for an administrator to replace or withdraw", async () => {
    const admin = await world.newMember("admin@example.com", "admin");
    const { id, token } = await invite("ada@example.com", "owner");
    const body = { email: "ada@example.com", role: "viewer" };
    expect(await call("POST", "/api/invitations", { user: admin, body })).toMatchObject({ code: "auth.forbidden" });
    expect(await call("DELETE", `/api/invitations/${id}`, { user: admin })).toMatchObject({ code: "auth.forbidden" });
    expect(await world.identity.memberships.findInvitation(token)).toBeDefined();
  });

  test("of a token that is none is found by nobody", async () => {
    await invite("ada@example.com");
    for (const token of ["", "%", "gm_invitation_", randomBytes(64).toString("base64"), "'; drop table invitation; --"])
      expect(await world.identity.memberships.findInvitation(token)).toBeUndefined();
  });

  test("is refused for what is no address or no role", async () => {
    for (const body of [
      { email: "ada", role: "viewer" },
      { email: "ada@example.com", role: "god" },
      { email: "ada@example.com" },
      { email: `${"a".repeat(250)}@example.com`, role: "viewer" },
    ])
      expect(await call("POST", "/api/invitations", { body })).toMatchObject({ status: 400, code: "request.invalid" });
  });
});

describe("who comes by single sign-on", () => {
  test("becomes a member once, and keeps the role that they have", async () => {
    const { memberships } = world.identity;
    const ada = await world.newUser("ada@example.com");
    const { json: standard } = await call("GET", "/api/organizations/default");
    const add = (role: "viewer" | "developer") =>
      world.db
        .transaction()
        .execute((transaction) =>
          memberships.addMember(transaction, { organizationId: standard.id, userId: ada, role }),
        );
    await add("viewer");
    await add("developer");
    expect(await memberships.membershipsOf(ada)).toMatchObject([{ organization: "default", role: "viewer" }]);
  });
});
