import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isOurOrigin } from "./origin.ts";
import type { Browser } from "./testing/browser.ts";
import { adminKey, goodPassword, type TestPlatform, testPlatform } from "./testing/platform.ts";

let platform: TestPlatform;
beforeEach(async () => {
  platform = await testPlatform();
});
afterEach(() => platform.close());

const credentials = { email: "ada@example.com", password: goodPassword };
const refused = expect.objectContaining({ status: 403, code: "auth.csrf" });

describe("[SGN4] a session's change", () => {
  let browser: Browser;
  beforeEach(async () => {
    ({ browser } = await platform.person("ada@example.com", "owner"));
  });
  const rename = (headers: Record<string, string | undefined>) =>
    browser.call("PATCH", "/api/user", { body: { name: "Changed" }, headers });

  test("goes through with the token, from a page of ours", async () => {
    expect((await rename({})).json).toMatchObject({ name: "Changed" });
    // Programs that use a session send no Origin.
    expect((await rename({ origin: undefined })).status).toBe(200);
  });

  test.each([undefined, "", "wrong", "a".repeat(43), "é"])("is refused with the token %j", async (token) => {
    expect(await rename({ "x-csrf-token": token })).toEqual(refused);
    expect((await browser.call("GET", "/api/user")).json.name).toBe("ada");
  });

  test("is refused with the token of another session, also of the same person", async () => {
    const other = platform.browser();
    await other.call("POST", "/api/sessions", { body: credentials });
    expect(await rename({ "x-csrf-token": other.csrfToken })).toEqual(refused);
    const cookie = browser.cookies.get("gristmill_session");
    expect(await rename({ "x-csrf-token": cookie })).toEqual(refused);
  });

  test.each([
    "https://evil.example",
    "null",
    "http://localhost:7071",
    "http://localhost:7070.evil.example",
    "http://evil.example#localhost:7070",
    "file://localhost:7070",
    "localhost:7070",
    "",
  ])("is refused from a page of %j, though it knows the token", async (origin) => {
    expect(await rename({ origin })).toEqual(refused);
  });

  test("of every other route needs the token as well", async () => {
    for (const [method, path, body] of [
      ["POST", "/api/keys", { name: "k" }],
      ["POST", "/api/invitations", { email: "x@example.com", role: "owner" }],
      ["DELETE", "/api/session", undefined],
      ["DELETE", "/api/sessions/ses_x", undefined],
    ] as const) {
      const call = { headers: { "x-csrf-token": undefined }, ...(body === undefined ? {} : { body }) };
      expect([path, await browser.call(method, path, call)]).toEqual([path, refused]);
    }
    expect((await browser.call("GET", "/api/session")).status).toBe(200);
  });

  test("by accepting an invitation needs the token as well, though who is new needs none", async () => {
    const body = { token: await platform.invite("ada@example.com", "viewer") };
    const headers = { "x-csrf-token": undefined };
    expect(await browser.call("POST", "/api/invitations/accept", { body, headers })).toEqual(refused);
    expect((await browser.call("POST", "/api/invitations/accept", { body })).status).toBe(201);
  });

  test("is told its token by GET, which needs none", async () => {
    const { json, headers } = await browser.call("GET", "/api/session");
    expect(headers["cache-control"]).toBe("no-store");
    expect(json.csrf_token).toBe(browser.csrfToken);
    expect(json.csrf_token).not.toBe(browser.cookies.get("gristmill_session"));
  });

  test("is none of a key's business: what no browser sends by itself can't be forged", async () => {
    const body = { email: "x@example.com", role: "viewer" };
    const headers = { origin: "https://evil.example" };
    expect((await platform.browser().call("POST", "/api/invitations", { key: adminKey, body, headers })).status).toBe(
      201,
    );
  });
});

describe("[SGN5] a page of another site", () => {
  const foreign = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site", origin: undefined },
    { "sec-fetch-site": "same-site" },
  ];

  test.each(foreign)("can't sign its visitor in as its owner: %j", async (headers) => {
    await platform.person("ada@example.com");
    const victim = platform.browser();
    expect(await victim.call("POST", "/api/sessions", { body: credentials, headers })).toEqual(refused);
    expect(victim.cookies.size).toBe(0);
  });

  test.each(foreign)("can't make its visitor a member of its owner's organization: %j", async (headers) => {
    const body = { token: await platform.invite("ada@example.com"), name: "Ada", password: goodPassword };
    const victim = platform.browser();
    expect(await victim.call("POST", "/api/invitations/accept", { body, headers })).toEqual(refused);
    expect(victim.cookies.size).toBe(0);
  });

  test.each(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])(
    "can't do so by a form of type %s",
    async (type) => {
      await platform.person("ada@example.com");
      const answer = await platform.http.app.inject({
        method: "POST",
        url: "/api/sessions",
        headers: { host: "localhost:7070", "content-type": type },
        payload: JSON.stringify(credentials),
      });
      expect(answer.statusCode).toBe(415);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    },
  );
});

describe("a page is ours", () => {
  test.each([
    ["http://localhost:7070", "localhost:7070", undefined, true],
    ["http://127.0.0.1:7070", "127.0.0.1:7070", undefined, true],
    ["http://[::1]:7070", "[::1]:7070", undefined, true],
    ["https://ai.example.com", "AI.example.com", undefined, true],
    ["https://ai.example.com", "localhost:7070", "https://ai.example.com", true],
    ["http://localhost:7070", "localhost:7070", "https://ai.example.com", true],
    ["http://ai.example.com", "ai.example.com", "https://ai.example.com", false],
    ["https://ai.example.com.evil.example", "ai.example.com", "https://ai.example.com", false],
    ["https://ai.example.com:444", "ai.example.com", "https://ai.example.com", false],
    ["https://evil.example", "ai.example.com", "https://ai.example.com", false],
    ["https://evil.example", undefined, undefined, false],
    ["chrome-extension://localhost:7070", "localhost:7070", undefined, false],
  ])("%s at Host %s, public URL %s: %s", (origin, host, publicUrl, expected) => {
    expect(isOurOrigin(origin, host, publicUrl)).toBe(expected);
  });
});
