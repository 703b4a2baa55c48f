import { type Argon2Parameters, argon2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Derive, Passwords } from "./passwords.ts";
import { adminKey, goodPassword, type TestPlatform, testPlatform } from "./testing/platform.ts";

/** Of cheaper times. */
const cost = { memory: 64, passes: 1, parallelism: 1 };

const derived: Argon2Parameters[] = [];
/** What happens while a password is being worked on. */
let meanwhile: (() => Promise<unknown>) | undefined;
const watched: Derive = async (kind, parameters) => {
  derived.push(parameters);
  const happens = meanwhile;
  meanwhile = undefined;
  await happens?.();
  return await (promisify(argon2) as Derive)(kind, parameters);
};

let platform: TestPlatform;
beforeEach(async () => {
  platform = await testPlatform({ passwords: new Passwords(randomBytes, { derive: watched }) });
  derived.length = 0;
});
afterEach(() => platform.close());

const credentials = { email: "ada@example.com", password: goodPassword };
const signIn = (body: object) => platform.browser().call("POST", "/api/sessions", { body });

/** The audit log of the organization `default`, oldest first. */
async function told(action: string) {
  const { json } = await platform.browser().call("GET", "/api/audit-log?order=asc&limit=100", { key: adminKey });
  return json.data.filter((entry: { action: string }) => entry.action === action);
}

describe("signing in", () => {
  test("begins a session of the person, whatever the case of the address", async () => {
    const { session } = await platform.person("ada@example.com");
    const { status, json } = await signIn({ ...credentials, email: " Ada@EXAMPLE.com " });
    expect(status).toBe(201);
    expect(json.user).toEqual({ ...session.user });
    expect(json.user).toMatchObject({ email: "ada@example.com", name: "ada", has_password: true });
  });

  test("[SGN7] fails in the same words, after the same work, for an unknown address, no password and a wrong one", async () => {
    await platform.person("ada@example.com");
    const { session } = await platform.person("oidc@example.com");
    await sql`update user_account set password = null where id = ${session.user.id}`.execute(platform.db);
    const seen = [];
    for (const email of ["nobody@example.com", "oidc@example.com", "ada@example.com"]) {
      derived.length = 0;
      const { status, json } = await signIn({ email, password: "wrong password" });
      const work = derived.map(({ message: _, nonce, ...cost }) => [
        cost,
        nonce instanceof Uint8Array ? nonce.length : 0,
      ]);
      seen.push({ status, error: { ...json.error, request_id: "" }, work });
    }
    expect(seen[0]).toMatchObject({ status: 401, error: { code: "auth.sign_in_failed" } });
    expect(seen[0]?.work).toEqual([[{ memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }, 16]]);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  test.each(["' or 1=1 --", "a@example.com' or '1'='1", "%", "a@b\u0000.com"])(
    "takes %j for no address",
    async (email) => {
      const { status, code } = await signIn({ email, password: goodPassword });
      expect([status, code]).toEqual([400, "request.invalid"]);
    },
  );

  test("takes SQL in a password for a wrong password", async () => {
    await platform.person("ada@example.com");
    expect((await signIn({ ...credentials, password: "' or password is not null --" })).status).toBe(401);
  });

  test("takes SQL in any text for what it is: a text", async () => {
    const { browser } = await platform.person("ada@example.com", "owner");
    const sqlText = "'; drop table user_account; --";
    const path = encodeURIComponent(sqlText);
    const name = `Robert${sqlText}`;
    expect((await browser.call("PATCH", "/api/user", { body: { name } })).json.name).toBe(name);
    const statuses = [
      (await browser.call("DELETE", `/api/sessions/${path}`)).status,
      (await browser.call("GET", `/api/sessions?after=${path}`)).status,
      (await browser.call("GET", `/api/sign-in/${path}`)).status,
      (await browser.call("GET", `/api/sign-in/${path}/callback?state=${path}&code=${path}`)).status,
      (await browser.call("GET", `/api/identity-providers/${path}`, { key: adminKey })).status,
      (await platform.browser().call("POST", "/api/invitations/accept", { body: { token: sqlText } })).status,
      (await browser.call("GET", "/api/user", { headers: { cookie: `gristmill_session=${path}` } })).status,
      (await browser.call("GET", "/api/user", { headers: { "gristmill-organization": sqlText } })).status,
      (await signIn({ ...credentials, password: sqlText })).status,
    ];
    expect(statuses).toEqual([404, 200, 404, 401, 404, 404, 401, 404, 401]);
    expect((await browser.call("GET", "/api/user")).json.name).toBe(name);
  });

  test("takes no field that nobody asked for", async () => {
    await platform.person("ada@example.com");
    for (const extra of [{ user_id: "usr_1" }, { role: "owner" }, { token_sha256: "x" }])
      expect((await signIn({ ...credentials, ...extra })).code).toBe("request.invalid");
  });

  test("[SGN6] makes a hash of cheaper times anew", async () => {
    const { session } = await platform.person("ada@example.com");
    const old = await new Passwords(randomBytes, { cost }).hash(goodPassword);
    await sql`update user_account set password = ${old} where id = ${session.user.id}`.execute(platform.db);
    expect((await signIn(credentials)).status).toBe(201);
    const { rows } = await sql<{ password: string }>`select password from user_account`.execute(platform.db);
    expect(rows[0]?.password).toContain("m=19456,t=2,p=1");
    expect((await signIn(credentials)).status).toBe(201);
  });

  test("[SGN18] is told to the audit log, and so is a failure; passwords are told to nobody", async () => {
    const { session } = await platform.person("ada@example.com");
    await signIn({ ...credentials, password: "wrong password 1" });
    await expect.poll(() => told("login.failed")).toHaveLength(1);
    expect((await told("login.failed"))[0]).toMatchObject({
      outcome: "failed",
      actor: { type: "anonymous", id: null },
      target_id: session.user.id,
      address: "203.0.113.1",
      path: "/api/sessions",
    });
    const { json } = await signIn(credentials);
    expect((await told("login.succeeded")).at(-1)).toMatchObject({
      outcome: "succeeded",
      actor: { type: "user", id: session.user.id },
      target_id: json.id,
    });
    const { rows } = await sql<{ text: string }>`
      select string_agg(e::text, '') as text from audit_entry e`.execute(platform.db);
    for (const secret of [goodPassword, "wrong password 1"]) expect(rows[0]?.text).not.toContain(secret);
  });
});

describe("one's own account", () => {
  test("can be renamed, and no more of it changed", async () => {
    const { browser } = await platform.person("ada@example.com");
    expect((await browser.call("PATCH", "/api/user", { body: { name: " Ada L. " } })).json.name).toBe("Ada L.");
    for (const body of [
      { email: "eve@example.com" },
      { id: "usr_x" },
      { password: "x" },
      { role: "owner" },
      { name: "" },
    ])
      expect((await browser.call("PATCH", "/api/user", { body })).code).toBe("request.invalid");
  });

  test("[SGN9] gets a new password for the current one, which ends all other sessions and works no more", async () => {
    const { browser } = await platform.person("ada@example.com");
    const thief = platform.browser();
    await thief.call("POST", "/api/sessions", { body: credentials });
    const next = "another horse, another battery";
    const change = (current: string) =>
      browser.call("PATCH", "/api/user", { body: { password: { current, new: next } } });
    expect(await change("a guess")).toMatchObject({ status: 401, code: "auth.sign_in_failed" });
    expect((await thief.call("GET", "/api/user")).status).toBe(200);
    expect((await change(goodPassword)).status).toBe(200);
    expect((await thief.call("GET", "/api/user")).status).toBe(401);
    expect((await browser.call("GET", "/api/user")).status).toBe(200);
    expect((await signIn(credentials)).status).toBe(401);
    expect((await signIn({ ...credentials, password: next })).status).toBe(201);
    expect(await told("password.changed")).toHaveLength(1);
    expect((await told("user.updated")).map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "failed",
      "succeeded",
    ]);
    const { rows } = await sql<{ text: string }>`
      select string_agg(e::text, '') as text from audit_entry e`.execute(platform.db);
    for (const secret of [goodPassword, next, "a guess"]) expect(rows[0]?.text).not.toContain(secret);
  });

  test("[SGN9] that gets a new password while somebody signs in with the old one, does not let that one in", async () => {
    const { session } = await platform.person("ada@example.com");
    const { id } = session.user;
    const next = await new Passwords(randomBytes, { cost }).hash("another horse, another battery");
    const set = (password: string) =>
      sql`update user_account set password = ${password} where id = ${id}`.execute(platform.db);
    const stored = async () =>
      (await sql<{ password: string }>`select password from user_account`.execute(platform.db)).rows[0]?.password;
    const outdated = await new Passwords(randomBytes, { cost }).hash(goodPassword);
    for (const old of [await stored(), outdated]) {
      await set(old ?? "");
      await platform.db.withTables<{ session: object }>().deleteFrom("session").execute();
      meanwhile = () => set(next);
      expect(await signIn(credentials)).toMatchObject({ status: 401, code: "auth.sign_in_failed" });
      expect(await stored()).toBe(next);
      expect((await sql`select from session`.execute(platform.db)).rows).toEqual([]);
    }
  });

  test.each(["short", "eleven char", "x".repeat(257)])("refuses the password %j", async (password) => {
    const { browser } = await platform.person("ada@example.com");
    const body = { password: { current: goodPassword, new: password } };
    expect((await browser.call("PATCH", "/api/user", { body })).code).toBe("request.invalid");
  });
});

describe("[SGN11] an invitation", () => {
  const account = { name: "Ada", password: goodPassword };
  const accept = (body: object, browser = platform.browser()) =>
    browser.call("POST", "/api/invitations/accept", { body });

  test("makes the account of the address that was invited, and a member of it, once", async () => {
    const token = await platform.invite("ada@example.com", "billing");
    const browser = platform.browser();
    const { status, json } = await accept({ token, ...account }, browser);
    expect(status).toBe(201);
    expect(json).toMatchObject({ user: { email: "ada@example.com", name: "Ada" }, memberships: [{ role: "billing" }] });
    expect((await browser.call("GET", "/api/session")).json.user.id).toBe(json.user.id);
    expect(await accept({ token, ...account })).toMatchObject({ status: 404, code: "invitation.not_found" });
    expect(await told("user.created")).toEqual([expect.objectContaining({ target_id: json.user.id })]);
    expect(await told("invitation.accepted")).toEqual([
      expect.objectContaining({ actor: { type: "user", id: json.user.id }, target_id: expect.stringMatching(/^inv_/) }),
    ]);
  });

  test("of an address that has an account can't be taken by who knows the token: it must sign in", async () => {
    await platform.person("ada@example.com");
    const { browser: admin } = await platform.person("boss@example.com", "owner");
    const project = await admin.call("POST", "/api/projects", { body: { name: "other" } });
    expect(project.status).toBe(201);
    const body = { email: "ada@example.com", role: "admin", project: "other" };
    const { token } = (await admin.call("POST", "/api/invitations", { body })).json;
    expect(await accept({ token, ...account })).toMatchObject({ status: 409, code: "user.email_taken" });
    const ada = platform.browser();
    await ada.call("POST", "/api/sessions", { body: credentials });
    const before = ada.cookies.get("gristmill_session") ?? "";
    const { status, json } = await accept({ token }, ada);
    expect([status, json.memberships.length]).toEqual([201, 2]);
    // [SGN2]: more is open now, so the token is a new one.
    expect(ada.cookies.get("gristmill_session")).not.toBe(before);
  });

  test("of somebody else is nothing for who is signed in", async () => {
    const { browser: eve } = await platform.person("eve@example.com", "viewer");
    const token = await platform.invite("ada@example.com", "owner");
    const { status, code } = await accept({ token }, eve);
    expect([status, code]).toEqual([403, "invitation.other_address"]);
    expect((await eve.call("GET", "/api/session")).json.memberships).toHaveLength(1);
    expect((await accept({ token, ...account })).status).toBe(201);
  });

  test("that is unknown, withdrawn or too old makes nobody", async () => {
    expect((await accept({ token: "made-up", ...account })).code).toBe("invitation.not_found");
    const token = await platform.invite("ada@example.com");
    platform.wait(7 * 86_400_000 + 1);
    expect((await accept({ token, ...account })).code).toBe("invitation.not_found");
    const { rows } = await sql<{ n: string }>`select count(*) as n from user_account`.execute(platform.db);
    expect(rows[0]?.n).toBe("0");
  });

  test("needs a name and a password for a new person, and takes no role from outside", async () => {
    const token = await platform.invite("ada@example.com", "viewer");
    expect((await accept({ token })).code).toBe("request.invalid");
    expect((await accept({ token, ...account, role: "owner" })).code).toBe("request.invalid");
    expect((await accept({ token, ...account, email: "eve@example.com" })).code).toBe("request.invalid");
  });

  test("that is accepted twice at once makes one person", async () => {
    const token = await platform.invite("ada@example.com");
    const answers = await Promise.all(Array.from({ length: 4 }, () => accept({ token, ...account })));
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    const { rows } = await sql<{ n: string }>`select count(*) as n from user_account`.execute(platform.db);
    expect(rows[0]?.n).toBe("1");
  });
});
