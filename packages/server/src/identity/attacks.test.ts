import { type Role, roleNames, type Scope, scopes, scopesOf, type UserId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Route } from "../http/index.ts";
import { type Reply, type TestIdentity, testIdentity } from "./testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const call: TestIdentity["call"] = (...args) => world.call(...args);

/** A body that each route takes. */
const bodies: Readonly<Record<string, object>> = {
  "POST /api/organizations": { name: "new" },
  "PATCH /api/organizations/:organization": { display_name: "new" },
  "POST /api/projects": { name: "new" },
  "PATCH /api/projects/:project": { description: "new" },
  "PATCH /api/members/:user": { role: "viewer" },
  "POST /api/invitations": { email: "new@example.com", role: "viewer" },
  "POST /api/service-accounts": { name: "new", role: "viewer" },
  "PATCH /api/service-accounts/:service_account": { name: "new" },
  "POST /api/keys": { name: "new" },
  "PATCH /api/keys/:key": { name: "new" },
  "POST /api/keys/:key/rotate": { grace_seconds: 0 },
};

const nameOf = (route: Route): string => `${route.method} ${route.path}`;
const scopeOf = ({ access }: Route): Scope | undefined => ("scope" in access ? access.scope : undefined);

/** One of each thing, in an organization of their own. */
async function victim(): Promise<Record<string, string>> {
  const organization = "victim";
  const { json: itself } = await call("POST", "/api/organizations", { body: { name: organization } });
  const as = { organization };
  const { json: project } = await call("POST", "/api/projects", { ...as, body: { name: "secret" } });
  const user = await world.newMember("victim@example.com", "viewer", { organization });
  const invited = { email: "invited@example.com", role: "viewer" };
  const { json: invitation } = await call("POST", "/api/invitations", { ...as, body: invited });
  const robot = { name: "robot", role: "viewer" };
  const { json: account } = await call("POST", "/api/service-accounts", { ...as, body: robot });
  const { id: key } = await world.newKey({}, { ...as, project: "secret" });
  return {
    organization: itself.id,
    project: project.id,
    user,
    invitation: invitation.id,
    service_account: account.id,
    key,
  };
}

const send = (route: Route, ids: Record<string, string>, more: object = {}): Promise<Reply> => {
  const url = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(ids[name] ?? "none"));
  const body = bodies[nameOf(route)];
  return call(route.method as "GET", url, { ...(body === undefined ? {} : { body }), ...more });
};

/** Everything there is, but when keys were used. */
async function everything(): Promise<string> {
  const tables = ["organization", "project", "api_key", "membership", "invitation", "service_account"];
  const texts: string[] = [];
  for (const table of tables) {
    const { rows } = await sql<{ row: string }>`
      select (to_jsonb(t) - 'last_used_at')::text as row from ${sql.table(table)} t order by 1`.execute(world.db);
    texts.push(...rows.map(({ row }) => `${table} ${row}`));
  }
  return texts.join("\n");
}

describe("every route of identity", () => {
  test("[IDN17] has nothing of another organization, whatever one may do in one's own", async () => {
    const ids = await victim();
    const owner = await world.newMember("owner@example.com", "owner");
    const all = scopes.filter((scope) => scope !== "admin");
    const { key } = await world.newKey({ scopes: all });
    const before = await everything();
    const named = world.identity.routes.filter(({ path }) => path.includes(":"));
    expect(named).toHaveLength(15);
    for (const route of named)
      for (const as of [{ user: owner }, { key }]) {
        const { status, code } = await send(route, ids, as);
        expect({ route: nameOf(route), status }).toEqual({ route: nameOf(route), status: 404 });
        expect(code).toMatch(/^(organization|project|member|invitation|service_account|key)\.not_found$/);
      }
    for (const route of world.identity.routes.filter((one) => one.method === "GET" && !one.path.includes(":"))) {
      const text = JSON.stringify((await send(route, {}, { user: owner })).json);
      for (const id of Object.values(ids)) expect(text).not.toContain(id);
    }
    for (const header of ["victim", ids["organization"] ?? ""])
      for (const as of [{ user: owner }, { key }])
        expect(await call("GET", "/api/projects", { ...as, organization: header })).toMatchObject({
          status: 404,
          code: "project.not_found",
        });
    // Theirs is named in what is ours: a project in an invitation, an account in a key.
    const into = { project: ids["project"] };
    for (const [url, body] of [
      ["/api/invitations", { email: "x@example.com", role: "viewer", ...into }],
      ["/api/service-accounts", { name: "x", role: "viewer", ...into }],
      ["/api/keys", { name: "x", service_account: ids["service_account"] }],
    ] as const)
      expect((await call("POST", url, { user: owner, body })).status).toBe(404);
    expect(await everything()).toBe(before);
  });

  test("[IDN21] refuses every role that lacks its scope, and changes nothing", async () => {
    const mine: Record<string, string> = {
      organization: "default",
      project: "default",
      user: await world.newMember("target@example.com", "viewer"),
      key: (await world.newKey()).id,
    };
    const body = { name: "robot", role: "viewer" };
    mine["service_account"] = (await call("POST", "/api/service-accounts", { body })).json.id;
    const invited = { email: "invited@example.com", role: "viewer" };
    mine["invitation"] = (await call("POST", "/api/invitations", { body: invited })).json.id;
    const users = new Map<Role, UserId>();
    for (const role of roleNames) users.set(role, await world.newMember(`${role}@example.com`, role));
    const before = await everything();
    let refusals = 0;
    for (const route of world.identity.routes) {
      const scope = scopeOf(route);
      if (scope === undefined) continue;
      for (const [role, user] of users) {
        if (scopesOf(role, "organization").includes(scope)) continue;
        const { status, code } = await send(route, mine, { user });
        expect({ route: nameOf(route), role, status, code }).toEqual({
          route: nameOf(route),
          role,
          status: 403,
          code: "auth.forbidden",
        });
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(40);
    expect(await everything()).toBe(before);
  });

  test("[IDN27] refuses unknown fields: nobody sets what only the platform may", async () => {
    const mine = await victim();
    const as = { organization: "victim", project: "secret" };
    const before = await everything();
    const stolen = {
      id: "key_00000000000000000000000000",
      organization_id: mine["organization"],
      project_id: mine["project"],
      user_id: mine["user"],
      service_account_id: mine["service_account"],
      role_id: "owner",
      secret_sha256: "00",
      prefix: "gm_aaaaaaaa",
      archived_at: null,
      last_used_at: null,
      revoked_at: null,
      deleted_at: null,
      created_at: "2000-01-01T00:00:00Z",
      accepted_at: "2000-01-01T00:00:00Z",
      token: "t",
      kind: "admin",
      is_admin: true,
    };
    for (const route of world.identity.routes) {
      const good = bodies[nameOf(route)];
      if (good === undefined) continue;
      for (const [field, value] of Object.entries(stolen)) {
        const { status, code } = await send(route, mine, { ...as, body: { ...good, [field]: value } });
        expect({ route: nameOf(route), field, status, code }).toEqual({
          route: nameOf(route),
          field,
          status: 400,
          code: "request.invalid",
        });
      }
      const admin = await send(route, mine, { ...as, body: { ...good, scopes: ["admin"] } });
      expect(admin).toMatchObject({ status: 400, code: "request.invalid" });
    }
    expect(await everything()).toBe(before);
  });

  test("takes SQL in every text for the text that it is", async () => {
    const attack = `x'); drop table api_key; -- " \\ %00 $1 \${1} {{1}} ' or '1'='1`;
    const before = await everything();
    const ids = Object.fromEntries(
      ["organization", "project", "user", "invitation", "service_account", "key"].map((name) => [name, attack]),
    );
    for (const route of world.identity.routes.filter(({ path }) => path.includes(":")))
      for (const as of [{}, { organization: attack }, { project: attack }]) {
        const { status } = await send(route, ids, as);
        expect([400, 404]).toContain(status);
      }
    for (const [url, field] of [
      ["/api/members", "project"],
      ["/api/projects", "after"],
      ["/api/keys", "after"],
      ["/api/invitations", "after"],
      ["/api/service-accounts", "after"],
      ["/api/organizations", "after"],
    ] as const)
      expect([200, 400, 404]).toContain((await call("GET", `${url}?${field}=${encodeURIComponent(attack)}`)).status);
    expect(await everything()).toBe(before);
    const texts = [
      ["/api/keys", { name: attack }, "name"],
      ["/api/projects", { name: "p", description: attack }, "description"],
      ["/api/organizations", { name: "o", display_name: attack }, "display_name"],
      ["/api/service-accounts", { name: attack, role: "viewer" }, "name"],
    ] as const;
    for (const [url, body, field] of texts) {
      const { status, json } = await call("POST", url, { body });
      expect({ status, text: json[field] }).toEqual({ status: 201, text: attack });
    }
  });
});
