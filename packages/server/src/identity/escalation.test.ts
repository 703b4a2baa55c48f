import { type Role, roleNames, type Scope, scopes, scopesOf, type UserId } from "@gristmill/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Call, type TestIdentity, testIdentity } from "./testing/identity.ts";

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(() => world.close());

const givable = scopes.filter((scope) => scope !== "admin");

/** One thing that an attacker tries; numbers choose among what is there at that moment. */
interface Attempt {
  readonly what: (typeof kinds)[number];
  readonly actor: number;
  readonly target: number;
  readonly role: Role;
  readonly scopes: readonly Scope[] | undefined;
  readonly where: string | undefined;
}

const kinds = [
  "make key",
  "make account's key",
  "change key",
  "rotate key",
  "make account",
  "change account",
  "invite",
  "set role",
  "remove member",
] as const;

const attempt: fc.Arbitrary<Attempt> = fc.record({
  what: fc.constantFrom(...kinds),
  actor: fc.nat(),
  target: fc.nat(),
  role: fc.constantFrom(...roleNames),
  scopes: fc.option(fc.subarray([...givable], { minLength: 1 }), { nil: undefined }),
  where: fc.constantFrom(undefined, undefined, "default", "other"),
});

/** Ids that an attacker may learn, and whom they can act as. */
interface Loot {
  readonly keys: string[];
  readonly accounts: string[];
  readonly members: string[];
  readonly actors: Call[];
}

let accomplices = 0;

async function tryIt(loot: Loot, { what, actor, target, role, where, scopes: wanted }: Attempt): Promise<boolean> {
  const as = loot.actors[actor % loot.actors.length] ?? {};
  const of = (ids: readonly string[]) => ids[target % ids.length] ?? "none";
  const given = wanted === undefined ? {} : { scopes: wanted };
  const project = where === undefined ? {} : { project: where };
  const query = where === undefined ? "" : `?project=${where}`;
  const { call } = world;
  const send = {
    "make key": () => call("POST", "/api/keys", { ...as, body: { name: "k", ...given } }),
    "make account's key": () =>
      call("POST", "/api/keys", { ...as, body: { name: "k", service_account: of(loot.accounts), ...given } }),
    "change key": () => call("PATCH", `/api/keys/${of(loot.keys)}`, { ...as, body: given }),
    "rotate key": () => call("POST", `/api/keys/${of(loot.keys)}/rotate`, { ...as, body: {} }),
    "make account": () =>
      call("POST", "/api/service-accounts", { ...as, body: { name: `a${accomplices++}`, role, ...project } }),
    "change account": () => call("PATCH", `/api/service-accounts/${of(loot.accounts)}`, { ...as, body: { role } }),
    invite: () =>
      call("POST", "/api/invitations", { ...as, body: { email: `a${accomplices++}@evil.example`, role, ...project } }),
    "set role": () => call("PATCH", `/api/members/${of(loot.members)}${query}`, { ...as, body: { role } }),
    "remove member": () => call("DELETE", `/api/members/${of(loot.members)}${query}`, as),
  } satisfies Record<Attempt["what"], unknown>;
  const { status, json } = await send[what]();
  if (status >= 300) return false;
  if (typeof json.key === "string") {
    loot.keys.push(json.id);
    loot.actors.push({ key: json.key });
  }
  if (json.object === "service_account") loot.accounts.push(json.id);
  if (typeof json.token === "string") {
    const user = await world.newUser(json.email);
    await world.db
      .transaction()
      .execute((transaction) => world.identity.memberships.acceptInvitation(transaction, json.token, user));
    loot.members.push(user);
    loot.actors.push({ user }, { user, project: "other" });
  }
  return true;
}

/** What somebody can do now; nothing when they are refused. */
async function reachOf({ key, user, project }: Call): Promise<ReadonlySet<Scope>> {
  const { authenticator, memberships } = world.identity;
  const none = { cookie: undefined, csrfToken: undefined, origin: undefined, host: undefined, method: "GET" };
  const caller =
    user === undefined
      ? authenticator.authenticate({ ...none, key, project, organization: undefined })
      : memberships.callerOf(user, { project });
  return await caller.then(
    ({ scopes: held }) => held,
    () => new Set<Scope>(),
  );
}

describe("whatever is tried, one after the other, with all that was won on the way", () => {
  test.each(["admin", "developer", "billing", "viewer"] as const)(
    "[IDN7] [IDN23] a member who is %s gets nobody who can do more, and no right of the owner's is lost",
    { timeout: 120_000 },
    async (role) => {
      let won = 0;
      const property = fc.asyncProperty(fc.array(attempt, { minLength: 20, maxLength: 30 }), async (attempts) => {
        await world.close();
        world = await testIdentity();
        await world.call("POST", "/api/projects", { body: { name: "other" } });
        const owner = await world.newMember("owner@example.com", "owner");
        const user = await world.newMember("attacker@example.com", role);
        const strong = await world.newKey({ scopes: givable });
        const account = { name: "strong", role: "owner" };
        const { json: robot } = await world.call("POST", "/api/service-accounts", { body: account });
        const robots = await world.newKey({ scopes: givable, service_account: robot.id });
        const loot: Loot = {
          keys: [strong.id, robots.id],
          accounts: [robot.id],
          members: [owner, user],
          actors: [{ user }, { user, project: "other" }],
        };
        for (const one of attempts) if (await tryIt(loot, one)) won++;
        const allowed = new Set(scopesOf(role, "organization"));
        for (const actor of loot.actors)
          expect([...(await reachOf(actor))].filter((scope) => !allowed.has(scope))).toEqual([]);
        expect([...(await reachOf({ user: owner as UserId }))].sort()).toEqual(
          [...scopesOf("owner", "organization")].sort(),
        );
        for (const { key } of [strong, robots]) expect((await reachOf({ key })).size).toBe(givable.length);
      });
      await fc.assert(property, { numRuns: 4, seed: 20_261_123, endOnFailure: true });
      // Attempts that all fail would show nothing.
      if (role === "admin" || role === "developer") expect(won).toBeGreaterThan(5);
    },
  );
});
