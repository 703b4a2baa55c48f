import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createGuardedFetch, type GuardedFetch } from "../net/index.ts";
import { type TestIdentityProvider, testIdentityProvider } from "./testing/identity-provider.ts";
import { adminKey, type TestPlatform, testPlatform } from "./testing/platform.ts";

const guarded = createGuardedFetch({ allowedAddresses: ["127.0.0.1/32"] });
/** What comes back from a provider, changed on its way. */
let meddle: ((url: string, answer: Response) => Promise<Response>) | undefined;
const meddled: GuardedFetch = async (url, init) => {
  const answer = await guarded(url, init);
  return meddle === undefined ? answer : await meddle(String(url), answer);
};

let company: TestIdentityProvider;
let platform: TestPlatform;
beforeAll(async () => {
  company = await testIdentityProvider();
});
afterAll(() => company.close());
beforeEach(async () => {
  meddle = undefined;
  platform = await testPlatform({ fetch: meddled });
});
afterEach(() => platform.close());

const bodyOf = (more: object = {}) => ({
  name: "Company",
  issuer: company.issuer,
  client_id: company.clientId,
  client_secret: company.clientSecret,
  allowed_domains: ["example.com"],
  default_role: "viewer",
  ...more,
});
const create = (more: object = {}) =>
  platform.browser().call("POST", "/api/identity-providers", { key: adminKey, body: bodyOf(more) });

describe("[SGN17] a provider", () => {
  test("is answered without its secret, which is sealed in the database", async () => {
    const { status, json } = await create({ allowed_domains: ["Example.com", "example.com"] });
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^idp_/),
      object: "identity_provider",
      name: "Company",
      organization_id: expect.stringMatching(/^org_/),
      issuer: company.issuer,
      client_id: "gristmill",
      allowed_domains: ["example.com"],
      default_role: "viewer",
      created_at: expect.any(String),
      redirect_uri: `http://localhost:7070/api/sign-in/${json.id}/callback`,
    });
    const shown = await platform.browser().call("GET", `/api/identity-providers/${json.id}`, { key: adminKey });
    expect(shown.json).toEqual(json);
    const { rows } = await sql<{ secret: Buffer }>`select client_secret as secret from identity_provider`.execute(
      platform.db,
    );
    expect(rows[0]?.secret.length).toBe(company.clientSecret.length + 29);
    expect(rows[0]?.secret.includes(company.clientSecret)).toBe(false);
    const log = await sql<{ text: string }>`select string_agg(e::text, '') as text from audit_entry e`.execute(
      platform.db,
    );
    expect(log.rows[0]?.text).toContain("identity_provider.created");
    expect(log.rows[0]?.text).not.toContain(company.clientSecret);
  });

  test("is shown to everyone by its name and no more", async () => {
    const { json } = await create();
    const listed = await platform.browser().call("GET", "/api/identity-providers");
    expect(listed.json).toEqual({
      object: "list",
      data: [{ id: json.id, object: "identity_provider", name: "Company" }],
    });
  });

  test("is the operator's: not even an owner adds, shows or removes one", async () => {
    const { json } = await create();
    const { browser: owner } = await platform.person("boss@example.com", "owner");
    const path = `/api/identity-providers/${json.id}`;
    expect((await owner.call("POST", "/api/identity-providers", { body: bodyOf({ name: "Mine" }) })).status).toBe(403);
    expect((await owner.call("GET", path)).status).toBe(403);
    expect((await owner.call("DELETE", path)).status).toBe(403);
  });

  test("is removed for good: nobody signs in by it, and who did keeps the account", async () => {
    const { json } = await create();
    company.redirectUris.add(json.redirect_uri);
    company.person = { subject: "ada-1", claims: { email: "ada@example.com", email_verified: true } };
    const browser = platform.browser();
    const { headers } = await browser.call("GET", `/api/sign-in/${json.id}`);
    const back = await company.signIn(String(headers["location"]));
    await browser.call("GET", back.pathname + back.search);
    expect((await browser.call("GET", "/api/user")).json.name).toBe("ada");
    const late = platform.browser();
    const lateBack = await company.signIn(
      String((await late.call("GET", `/api/sign-in/${json.id}`)).headers["location"]),
    );
    const removed = await platform.browser().call("DELETE", `/api/identity-providers/${json.id}`, { key: adminKey });
    expect(removed.json).toEqual({ id: json.id, object: "identity_provider", deleted: true });
    expect((await browser.call("GET", `/api/sign-in/${json.id}`)).code).toBe("identity_provider.not_found");
    expect((await late.call("GET", lateBack.pathname + lateBack.search)).code).toBe("identity_provider.not_found");
    expect((await browser.call("GET", "/api/user")).status).toBe(200);
    const again = await platform.browser().call("DELETE", `/api/identity-providers/${json.id}`, { key: adminKey });
    expect(again.code).toBe("identity_provider.not_found");
  });

  test("has a name of its own", async () => {
    await create();
    expect(await create()).toMatchObject({ status: 409, code: "identity_provider.name_taken" });
  });

  test.each([
    [{ issuer: "ftp://example.com" }],
    [{ issuer: "not a url" }],
    [{ allowed_domains: [] }],
    [{ allowed_domains: ["*"] }],
    [{ allowed_domains: ["localhost"] }],
    [{ default_role: "king" }],
    [{ organization_id: "org_other" }],
    [{ client_secret: "" }],
  ])("is refused with %j", async (more) => {
    expect((await create(more)).code).toBe("request.invalid");
  });

  test.each(["http://10.0.0.1", "http://169.254.169.254/latest", "http://[::1]:7070", "http://192.168.0.1:8080"])(
    "inside the operator's network, such as %s, is not called",
    async (issuer) => {
      expect(await create({ issuer })).toMatchObject({ status: 422, code: "url.forbidden" });
    },
  );
});

describe("a server that is no provider", () => {
  let server: Server;
  let url: string;
  let metadata: (issuer: string) => object | undefined;
  beforeEach(async () => {
    server = createServer((_, response) => {
      const json = metadata(url);
      response.writeHead(json === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(json ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    ["says nothing", () => undefined],
    ["calls itself another", () => ({ issuer: "https://accounts.example.com" })],
    ["has no issuer", () => ({})],
  ])("is refused when it %s", async (_, says) => {
    metadata = says;
    expect(await create({ issuer: url })).toMatchObject({ status: 502, code: "identity_provider.unavailable" });
  });

  test("is refused when nobody listens there", async () => {
    metadata = () => undefined;
    await new Promise((resolve) => server.close(resolve));
    expect((await create({ issuer: url })).code).toBe("identity_provider.unavailable");
  });

  test("[SGN17] can't send us where its own address may not lead", async () => {
    metadata = (issuer) => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: "http://169.254.169.254/token",
      jwks_uri: `${issuer}/jwks`,
    });
    const { json, status } = await create({ issuer: url });
    expect(status).toBe(201);
    const browser = platform.browser();
    const { headers } = await browser.call("GET", `/api/sign-in/${json.id}`);
    const state = new URL(String(headers["location"])).searchParams.get("state");
    const answer = await browser.call("GET", `/api/sign-in/${json.id}/callback?code=x&state=${state}`);
    expect(answer.code).toBe("url.forbidden");
    expect(browser.cookies.has("gristmill_session")).toBe(false);
  });
});

describe("[SGN12] an ID token", () => {
  const ada = { subject: "ada-1", claims: { email: "ada@example.com", email_verified: true } };

  async function signIn(id: string) {
    company.person = ada;
    const browser = platform.browser();
    const back = await company.signIn(String((await browser.call("GET", `/api/sign-in/${id}`)).headers["location"]));
    return await browser.call("GET", back.pathname + back.search);
  }

  async function added(): Promise<string> {
    const { json } = await create();
    company.redirectUris.add(json.redirect_uri);
    return json.id;
  }

  const changed = async (answer: Response, change: (token: string) => string): Promise<Response> => {
    const tokens = (await answer.json()) as { id_token: string };
    return Response.json({ ...tokens, id_token: change(tokens.id_token) }, { status: answer.status });
  };
  const isToken = (url: string): boolean => new URL(url).pathname === "/token";

  test("as it was issued is accepted", async () => {
    const id = await added();
    meddle = async (url, answer) => (isToken(url) ? await changed(answer, (token) => token) : answer);
    expect((await signIn(id)).status).toBe(302);
  });

  test("of an earlier sign-in is refused: its nonce was another request's", async () => {
    const id = await added();
    let first: string | undefined;
    meddle = async (url, answer) =>
      isToken(url)
        ? await changed(answer, (token) => {
            first ??= token;
            return first;
          })
        : answer;
    expect((await signIn(id)).status).toBe(302);
    expect(await signIn(id)).toMatchObject({ status: 401, code: "auth.single_sign_on_failed" });
  });

  test("is asked for once by one answer, also where a provider would take its code twice", async () => {
    const id = await added();
    company.person = ada;
    const browser = platform.browser();
    const back = await company.signIn(String((await browser.call("GET", `/api/sign-in/${id}`)).headers["location"]));
    const thief = platform.browser();
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
    let exchanges = 0;
    let first: unknown;
    meddle = async (url, answer) => {
      if (!isToken(url)) return answer;
      exchanges++;
      first ??= await answer.json();
      return Response.json(first);
    };
    expect((await browser.call("GET", back.pathname + back.search)).status).toBe(302);
    const again = await thief.call("GET", back.pathname + back.search);
    expect(again).toMatchObject({ status: 401, code: "auth.single_sign_on_failed" });
    expect(exchanges).toBe(1);
  });

  test.each([
    ["its subject changed", (token: string) => withPayload(token, { sub: "somebody-else" })],
    ["its signature cut off", (token: string) => `${token.split(".").slice(0, 2).join(".")}.`],
    ["no algorithm", (token: string) => `${encoded({ alg: "none" })}.${token.split(".")[1]}.`],
    ["another audience", (token: string) => withPayload(token, { aud: "another-client" })],
    ["its expiry put off", (token: string) => withPayload(token, { exp: 4_000_000_000 })],
  ])("with %s is refused", async (_, change) => {
    const id = await added();
    meddle = async (url, answer) => (isToken(url) ? await changed(answer, change) : answer);
    expect(await signIn(id)).toMatchObject({ status: 401, code: "auth.single_sign_on_failed" });
  });

  test("whose provider tells another subject's address is refused", async () => {
    const id = await added();
    meddle = async (url, answer) =>
      new URL(url).pathname === "/me" ? Response.json({ ...((await answer.json()) as object), sub: "boss" }) : answer;
    expect(await signIn(id)).toMatchObject({ status: 401, code: "auth.single_sign_on_failed" });
  });

  const encoded = (json: object): string => Buffer.from(JSON.stringify(json)).toString("base64url");
  function withPayload(token: string, more: object): string {
    const [head, payload = "", signature] = token.split(".");
    return `${head}.${encoded({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), ...more })}.${signature}`;
  }
});
