import type { CurrentSession } from "@gristmill/contract";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Browser } from "./testing/browser.ts";
import { type TestIdentityProvider, testIdentityProvider } from "./testing/identity-provider.ts";
import { adminKey, goodPassword, type TestPlatform, testPlatform } from "./testing/platform.ts";
import { WanderingBrowser } from "./testing/wandering.ts";

let company: TestIdentityProvider;
let platform: TestPlatform;
let provider: { readonly id: string; readonly redirect_uri: string };

beforeAll(async () => {
  company = await testIdentityProvider();
});
afterAll(() => company.close());
beforeEach(async () => {
  platform = await testPlatform();
  provider = await addProvider(company, {});
});
afterEach(() => platform.close());

async function addProvider(from: TestIdentityProvider, more: object) {
  const { issuer, clientId: client_id, clientSecret: client_secret } = from;
  const body = { name: "Company", issuer, client_id, client_secret, allowed_domains: ["example.com"], ...more };
  const { status, json } = await platform.browser().call("POST", "/api/identity-providers", { key: adminKey, body });
  expect(json.error).toBeUndefined();
  expect(status).toBe(201);
  from.redirectUris.add(json.redirect_uri);
  return json;
}

const ada = { subject: "ada-1", claims: { email: "Ada@example.com", email_verified: true, name: "Ada Lovelace" } };

const start = (browser: Browser, query = "", id = provider.id) => browser.call("GET", `/api/sign-in/${id}${query}`);

/** All the way there; the answer with which the provider sends the browser back. */
async function ask(browser: Browser, query = "", person: TestIdentityProvider["person"] = ada): Promise<URL> {
  company.person = person;
  const { status, headers } = await start(browser, query);
  expect(status).toBe(302);
  return await company.signIn(String(headers["location"]));
}

const comeBack = (browser: Browser, { pathname, search }: URL) => browser.call("GET", pathname + search);

/** All the way there and back. */
async function signIn(browser: Browser, query = "", person: TestIdentityProvider["person"] = ada) {
  return await comeBack(browser, await ask(browser, query, person));
}

const failed = { status: 401, code: "auth.single_sign_on_failed" };

describe("signing in by a provider", () => {
  test("links a verified address to its account, begins a session, and leads to the page that was asked for", async () => {
    const { session } = await platform.person("ada@example.com", "billing");
    const browser = platform.browser();
    const { status, headers, cookies } = await signIn(browser, "?return_to=/runs%3Fstatus%3Drunning%23top");
    expect([status, headers["location"]]).toEqual([302, "/runs?status=running#top"]);
    expect(headers).toMatchObject({ "cache-control": "no-store", "referrer-policy": "no-referrer" });
    expect(cookies).toEqual([
      expect.objectContaining({ name: "gristmill_session", httpOnly: true, sameSite: "lax", path: "/" }),
      expect.objectContaining({ name: "gristmill_sign_in", maxAge: 0 }),
    ]);
    const own = await browser.call("GET", "/api/session");
    expect(own.json).toMatchObject({ user: { id: session.user.id }, memberships: [{ role: "billing" }] });
    const { json } = await platform.browser().call("GET", "/api/audit-log?limit=1", { key: adminKey });
    expect(json.data[0]).toMatchObject({
      action: "login.succeeded",
      actor: { id: session.user.id },
      target_id: own.json.id,
    });
    expect(json.data[0].path).not.toContain("code");
  });

  test("works over real connections, there and back by redirects alone", async () => {
    const server = `http://127.0.0.1:${await platform.http.listen("127.0.0.1", 0)}`;
    company.redirectUris.add(`${server}/api/sign-in/${provider.id}/callback`);
    company.person = ada;
    const { session } = await platform.person("ada@example.com");
    const browser = new WanderingBrowser();
    const { url, answer } = await browser.go(`${server}/api/sign-in/${provider.id}?return_to=/api/session`, [
      server,
      company.issuer,
    ]);
    expect([url.href, answer?.status]).toEqual([`${server}/api/session`, 200]);
    const shown = (await answer?.json()) as CurrentSession | undefined;
    expect(shown?.user.id).toBe(session.user.id);
    const headers = { "x-csrf-token": shown?.csrf_token ?? "", origin: server };
    const out = () => browser.fetch(`${server}/api/session`, { method: "DELETE", headers });
    expect((await out()).status).toBe(200);
    expect((await out()).status).toBe(401);
  });

  test("works with a provider that tells the address in the ID token and knows no other way of a client's secret", async () => {
    const other = await testIdentityProvider({ idToken: true, method: "client_secret_post" });
    try {
      await platform.person("ada@example.com");
      const { id } = await addProvider(other, { name: "Other" });
      const browser = platform.browser();
      other.person = ada;
      const back = await other.signIn(String((await start(browser, "", id)).headers["location"]));
      expect((await comeBack(browser, back)).status).toBe(302);
      expect((await browser.call("GET", "/api/user")).json.email).toBe("ada@example.com");
      expect(other.asked).not.toContain("GET /me");
    } finally {
      await other.close();
    }
  });

  test("[SGN1] [SGN12] goes there with state, nonce and PKCE, and keeps what answers them in a sealed cookie for ten minutes", async () => {
    const { headers, cookies } = await start(platform.browser());
    const url = new URL(String(headers["location"]));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: "gristmill",
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: `http://localhost:7070/api/sign-in/${provider.id}/callback`,
      scope: "openid email profile",
    });
    for (const name of ["state", "nonce", "code_challenge"]) expect(url.searchParams.get(name)).toMatch(/^[\w-]{43}$/);
    expect(cookies).toEqual([
      expect.objectContaining({
        name: "gristmill_sign_in",
        httpOnly: true,
        sameSite: "lax",
        path: "/api/sign-in",
        maxAge: 600,
      }),
    ]);
    const sealed = Buffer.from(cookies[0]?.value ?? "", "base64url").toString("latin1");
    expect(sealed).not.toContain(url.searchParams.get("state"));
    expect(sealed).not.toContain("verifier");
  });

  test("is refused when the person refuses, in the provider's words", async () => {
    const browser = platform.browser();
    const { status, code, json } = await signIn(browser, "", null);
    expect({ status, code }).toEqual(failed);
    expect(json.error.message).toContain("access_denied");
    expect(browser.cookies.has("gristmill_session")).toBe(false);
  });

  test("by a provider that is not there is not found", async () => {
    expect(await start(platform.browser(), "", "idp_x")).toMatchObject({
      status: 404,
      code: "identity_provider.not_found",
    });
  });
});

describe("[SGN12] a provider's answer", () => {
  beforeEach(() => platform.person("ada@example.com"));

  test("is nothing for a browser that did not ask for it: nobody is signed in as somebody else by a link", async () => {
    const answer = await ask(platform.browser());
    const victim = platform.browser();
    expect(await comeBack(victim, answer)).toMatchObject(failed);
    // Also for one that has asked for an answer of its own.
    await start(victim);
    expect(await comeBack(victim, answer)).toMatchObject(failed);
    expect(victim.cookies.has("gristmill_session")).toBe(false);
  });

  test("is taken once, also by the browser that asked, with its cookies as they were", async () => {
    const browser = platform.browser();
    const answer = await ask(browser);
    const thief = platform.browser();
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
    const again = platform.browser();
    for (const [name, value] of browser.cookies) again.cookies.set(name, value);
    expect((await comeBack(browser, answer)).status).toBe(302);
    expect(await comeBack(thief, answer)).toMatchObject(failed);
    expect(await comeBack(again, answer)).toMatchObject(failed);
  });

  test("is taken once of two that come at the same time", async () => {
    const browser = platform.browser();
    const answer = await ask(browser);
    const others = [browser, platform.browser(), platform.browser()];
    for (const other of others) other.cookies.set("gristmill_sign_in", browser.cookies.get("gristmill_sign_in") ?? "");
    const statuses = (await Promise.all(others.map((other) => comeBack(other, answer)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([302, 401, 401]);
  });

  test("with another state, none, or two is refused without asking the provider", async () => {
    for (const change of [
      (url: URL) => url.searchParams.set("state", "x".repeat(43)),
      (url: URL) => url.searchParams.delete("state"),
      (url: URL) => url.searchParams.set("state", ""),
    ]) {
      const browser = platform.browser();
      const answer = await ask(browser);
      change(answer);
      const before = company.asked.length;
      expect(await comeBack(browser, answer)).toMatchObject(failed);
      expect(company.asked.length).toBe(before);
    }
    const browser = platform.browser();
    const twice = await ask(browser);
    twice.searchParams.append("state", "another");
    expect((await comeBack(browser, twice)).status).toBeGreaterThanOrEqual(400);
    expect(browser.cookies.has("gristmill_session")).toBe(false);
  });

  test("to another request of the same browser does not fit: code, nonce and verifier belong together", async () => {
    const browser = platform.browser();
    const first = await ask(browser);
    const second = await ask(browser);
    // The second request's state with the first one's code: the provider finds another PKCE challenge.
    second.searchParams.set("code", first.searchParams.get("code") ?? "");
    expect(await comeBack(browser, second)).toMatchObject(failed);
    expect(browser.cookies.has("gristmill_session")).toBe(false);
  });

  test("that comes after ten minutes is too late", async () => {
    const browser = platform.browser();
    const answer = await ask(browser);
    platform.wait(600_000);
    expect(await comeBack(browser, answer)).toMatchObject(failed);
  });

  test("of one provider is nothing at the callback of another", async () => {
    const other = await addProvider(company, { name: "Other" });
    const browser = platform.browser();
    const answer = await ask(browser);
    answer.pathname = `/api/sign-in/${other.id}/callback`;
    expect(await comeBack(browser, answer)).toMatchObject(failed);
  });

  test("from another issuer is refused", async () => {
    const browser = platform.browser();
    const answer = await ask(browser);
    answer.searchParams.set("iss", "https://evil.example");
    expect(await comeBack(browser, answer)).toMatchObject(failed);
  });

  test("with a cookie that was changed or made up is refused", async () => {
    for (const value of ["", "made-up", "A".repeat(400), "A".repeat(5000)]) {
      const browser = platform.browser();
      const answer = await ask(browser);
      browser.cookies.set("gristmill_sign_in", value);
      expect(await comeBack(browser, answer)).toMatchObject(failed);
    }
  });

  test("[SGN2] begins a new session and ends the one that was there", async () => {
    const browser = platform.browser();
    browser.cookies.set("gristmill_session", "planted-by-an-attacker-planted-by-an-attacker");
    await signIn(browser);
    const first = browser.cookies.get("gristmill_session") ?? "";
    expect(first).not.toContain("planted");
    await signIn(browser);
    const old = platform.browser();
    old.cookies.set("gristmill_session", first);
    expect((await old.call("GET", "/api/user")).status).toBe(401);
  });
});

describe("[SGN13] a provider vouches", () => {
  const notInvited = { status: 403, code: "auth.not_invited" };

  test.each([
    ["an address that it has not verified", { email: "ada@example.com", email_verified: false }],
    ["an address of which it does not say so", { email: "ada@example.com" }],
    ['"true" as a text', { email: "ada@example.com", email_verified: "true" }],
    ["an address of another domain", { email: "ada@other.example", email_verified: true }],
    ["an address of a subdomain", { email: "ada@evil.example.com", email_verified: true }],
    ["an address that looks like one", { email: "ada@other.example@example.com", email_verified: true }],
    ["no address", { name: "Ada", email_verified: true }],
    ["no text", { email: ["ada@example.com"], email_verified: true }],
  ])("not by %s", async (_, claims) => {
    await platform.person("ada@example.com");
    await platform.person("ada@other.example");
    const browser = platform.browser();
    expect(await signIn(browser, "", { subject: `s-${Math.random()}`, claims })).toMatchObject(notInvited);
    expect(browser.cookies.has("gristmill_session")).toBe(false);
    const { rows } = await sql`select from user_identity`.execute(platform.db);
    expect(rows).toHaveLength(0);
  });

  test("for whom it knew before by the subject alone: an address given to somebody else leads to nobody's account", async () => {
    const { session } = await platform.person("ada@example.com");
    await signIn(platform.browser());
    const renamed = { ...ada, claims: { email: "ada.king@example.com", email_verified: true } };
    const browser = platform.browser();
    expect((await signIn(browser, "", renamed)).status).toBe(302);
    expect((await browser.call("GET", "/api/user")).json.id).toBe(session.user.id);
  });
});

describe("[SGN14] somebody new", () => {
  const bob = { subject: "bob-1", claims: { email: "bob@example.com", email_verified: true, name: "Bob" } };

  test("gets no account where nobody is invited", async () => {
    expect(await signIn(platform.browser(), "", bob)).toMatchObject({ status: 403, code: "auth.not_invited" });
    const { rows } = await sql`select from user_account`.execute(platform.db);
    expect(rows).toHaveLength(0);
  });

  test("gets an account and the default role of a provider that has one, once", async () => {
    provider = await addProvider(company, { name: "Open", default_role: "viewer" });
    for (const browser of [platform.browser(), platform.browser()]) {
      expect((await signIn(browser, "", bob)).status).toBe(302);
      const { json } = await browser.call("GET", "/api/session");
      expect(json).toMatchObject({ user: { email: "bob@example.com", name: "Bob", has_password: false } });
      expect(json.memberships).toEqual([expect.objectContaining({ organization: "default", role: "viewer" })]);
    }
    const { rows } = await sql`select from user_account`.execute(platform.db);
    expect(rows).toHaveLength(1);
  });

  test("keeps the role that was given before", async () => {
    provider = await addProvider(company, { name: "Open", default_role: "viewer" });
    await platform.person("bob@example.com", "admin");
    const browser = platform.browser();
    await signIn(browser, "", bob);
    expect((await browser.call("GET", "/api/session")).json.memberships).toEqual([
      expect.objectContaining({ role: "admin" }),
    ]);
  });

  test("who is invited gets the invitation's role by the way, and the invitation is used up", async () => {
    const token = await platform.invite("bob@example.com", "admin");
    const browser = platform.browser();
    expect((await signIn(browser, `?invitation=${token}`, bob)).status).toBe(302);
    expect((await browser.call("GET", "/api/session")).json.memberships).toEqual([
      expect.objectContaining({ role: "admin" }),
    ]);
    const body = { token, name: "Eve", password: goodPassword };
    expect((await platform.browser().call("POST", "/api/invitations/accept", { body })).status).toBe(404);
  });

  test("can't come by the invitation of another address", async () => {
    const token = await platform.invite("ada@example.com", "owner");
    expect((await signIn(platform.browser(), `?invitation=${token}`, bob)).status).toBe(403);
    const { rows } = await sql`select from user_account`.execute(platform.db);
    expect(rows).toHaveLength(0);
    // Nor, where everybody of the company may come, get more than the default.
    provider = await addProvider(company, { name: "Open", default_role: "viewer" });
    expect((await signIn(platform.browser(), `?invitation=${token}`, bob)).code).toBe("invitation.other_address");
  });

  test("is never made an owner by a provider", async () => {
    const { issuer, clientId: client_id, clientSecret: client_secret } = company;
    const body = {
      name: "O",
      issuer,
      client_id,
      client_secret,
      allowed_domains: ["example.com"],
      default_role: "owner",
    };
    const answer = await platform.browser().call("POST", "/api/identity-providers", { key: adminKey, body });
    expect(answer.code).toBe("request.invalid");
  });
});

test("[SGN15] who had typed somebody else's address loses the account to its owner: password and sessions end, once", async () => {
  const { browser: squatter, session } = await platform.person("ada@example.com");
  const owner = platform.browser();
  await signIn(owner);
  expect((await owner.call("GET", "/api/user")).json).toMatchObject({ id: session.user.id, has_password: false });
  expect((await squatter.call("GET", "/api/user")).status).toBe(401);
  const body = { email: "ada@example.com", password: goodPassword };
  expect((await squatter.call("POST", "/api/sessions", { body })).code).toBe("auth.sign_in_failed");
  // The owner's own sessions don't end when the owner comes again.
  await signIn(platform.browser());
  expect((await owner.call("GET", "/api/user")).status).toBe(200);
});

describe("[SGN16] after signing in", () => {
  test.each([
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "",
    "@evil.example",
  ])("nobody is led to %j", async (path) => {
    const { status, code } = await start(platform.browser(), `?return_to=${encodeURIComponent(path)}`);
    expect([status, code]).toEqual([400, "request.invalid"]);
  });

  test("the way back is not the provider's to choose", async () => {
    await platform.person("ada@example.com");
    const browser = platform.browser();
    const answer = await ask(browser, "?return_to=/models");
    answer.searchParams.set("return_to", "https://evil.example");
    expect((await comeBack(browser, answer)).headers["location"]).toBe("/models");
  });
});
