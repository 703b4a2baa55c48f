import { createHash } from "node:crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { goodPassword, type TestPlatform, testPlatform } from "./testing/platform.ts";

let platform: TestPlatform;
beforeEach(async () => {
  platform = await testPlatform();
});
afterEach(() => platform.close());

const hour = 3_600_000;
const credentials = { email: "ada@example.com", password: goodPassword };

describe("a session's cookie", () => {
  test("[SGN1] is 256 random bits that scripts can't read and other sites' pages don't send; only their hash is stored", async () => {
    await platform.person("ada@example.com");
    const { cookies } = await platform.browser().call("POST", "/api/sessions", { body: credentials });
    const cookie = cookies.find(({ name }) => name === "gristmill_session");
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "lax", path: "/", maxAge: 7 * 86_400 });
    expect(cookie?.secure).toBeFalsy();
    const token = cookie?.value ?? "";
    expect(Buffer.from(token, "base64url")).toHaveLength(32);
    const { rows } = await sql<{ hash: Buffer; row: string }>`
      select token_sha256 as hash, to_jsonb(s)::text as row from session s order by id desc limit 1`.execute(
      platform.db,
    );
    expect(rows[0]?.hash).toEqual(createHash("sha256").update(token).digest());
    expect(rows[0]?.row).not.toContain(token);
  });

  test("[SGN1] is Secure where the public URL is https", async () => {
    const secure = await testPlatform({ publicUrl: "https://ai.example.com" });
    try {
      await secure.person("ada@example.com");
      const { cookies } = await secure.browser().call("POST", "/api/sessions", { body: credentials });
      expect(cookies.map(({ name, secure: isSecure }) => [name, isSecure])).toEqual([
        ["gristmill_session", true],
        ["gristmill_device", true],
      ]);
    } finally {
      await secure.close();
    }
  });

  test("[SGN2] is a new one at every sign-in, and the one before ends: no session can be planted", async () => {
    await platform.person("ada@example.com");
    const browser = platform.browser();
    browser.cookies.set("gristmill_session", "planted-by-an-attacker-planted-by-an-attacker");
    await browser.call("POST", "/api/sessions", { body: credentials });
    const first = browser.cookies.get("gristmill_session") ?? "";
    expect(first).not.toContain("planted");
    await browser.call("POST", "/api/sessions", { body: credentials });
    expect(browser.cookies.get("gristmill_session")).not.toBe(first);
    const old = platform.browser();
    old.cookies.set("gristmill_session", first);
    expect(await old.call("GET", "/api/session")).toMatchObject({ status: 401, code: "auth.invalid" });
    expect((await browser.call("GET", "/api/session")).status).toBe(200);
  });

  test("[SGN2] of an attacker's own session does not become the victim's when the victim signs in", async () => {
    await platform.person("ada@example.com");
    const { browser: attacker } = await platform.person("eve@example.com");
    const planted = attacker.cookies.get("gristmill_session") ?? "";
    const victim = platform.browser();
    victim.cookies.set("gristmill_session", planted);
    await victim.call("POST", "/api/sessions", { body: credentials });
    expect((await attacker.call("GET", "/api/session")).status).toBe(401);
    expect((await victim.call("GET", "/api/user")).json.email).toBe("ada@example.com");
  });

  test.each(["", "x", "a".repeat(43), "%00", "é", `${"A".repeat(5000)}`])(
    "[SGN2] made up as %j is refused",
    async (token) => {
      const browser = platform.browser();
      browser.cookies.set("gristmill_session", token);
      const { status, code } = await browser.call("GET", "/api/session");
      expect([status, code]).toEqual([401, token === "" ? "auth.missing" : "auth.invalid"]);
    },
  );
});

describe("a session", () => {
  test("[SGN3] ends after 12 hours without use", async () => {
    const { browser } = await platform.person("ada@example.com");
    platform.wait(12 * hour - 1000);
    expect((await browser.call("GET", "/api/session")).status).toBe(200);
    // Its last use is written beside the answer.
    await expect
      .poll(async () => (await browser.call("GET", "/api/session")).json.last_seen_at)
      .toBe(platform.now().toISOString());
    platform.wait(12 * hour - 1000);
    expect((await browser.call("GET", "/api/session")).status).toBe(200);
    await expect
      .poll(async () => (await browser.call("GET", "/api/session")).json.last_seen_at)
      .toBe(platform.now().toISOString());
    platform.wait(12 * hour);
    expect(await browser.call("GET", "/api/session")).toMatchObject({ status: 401, code: "auth.invalid" });
  });

  test("[SGN3] ends 7 days after it began, however much it is used", async () => {
    const { browser, session } = await platform.person("ada@example.com");
    const began = new Date(session.created_at).getTime();
    expect(new Date(session.expires_at).getTime() - began).toBe(7 * 24 * hour);
    for (let elapsed = 0; elapsed + 11 < 7 * 24; elapsed += 11) {
      platform.wait(11 * hour);
      const { status, json } = await browser.call("GET", "/api/session");
      expect(status).toBe(200);
      if (json.last_seen_at !== platform.now().toISOString())
        await expect
          .poll(async () => (await browser.call("GET", "/api/session")).json.last_seen_at)
          .toBe(platform.now().toISOString());
    }
    platform.wait(3 * hour);
    expect((await browser.call("GET", "/api/session")).status).toBe(401);
  });

  test("[SGN3] that was ended is refused at once, also with the cookie that was stolen from it", async () => {
    const { browser } = await platform.person("ada@example.com");
    const thief = platform.browser("198.51.100.66");
    thief.cookies.set("gristmill_session", browser.cookies.get("gristmill_session") ?? "");
    expect((await thief.call("GET", "/api/user")).status).toBe(200);
    const out = await browser.call("DELETE", "/api/session");
    expect(out.status).toBe(200);
    expect(out.cookies).toEqual([expect.objectContaining({ name: "gristmill_session", maxAge: 0 })]);
    expect(browser.cookies.has("gristmill_session")).toBe(false);
    expect(await thief.call("GET", "/api/user")).toMatchObject({ status: 401, code: "auth.invalid" });
    expect(await browser.call("GET", "/api/user")).toMatchObject({ status: 401, code: "auth.missing" });
  });

  test("[SGN10] of another person is not found, and stays", async () => {
    const { browser: ada, session } = await platform.person("ada@example.com");
    const { browser: eve } = await platform.person("eve@example.com", "owner");
    expect(await eve.call("DELETE", `/api/sessions/${session.id}`)).toMatchObject({
      status: 404,
      code: "session.not_found",
    });
    expect((await ada.call("GET", "/api/session")).status).toBe(200);
    const listed = await eve.call("GET", "/api/sessions");
    expect(listed.json.data).toHaveLength(1);
    expect(listed.json.data[0]).toMatchObject({ current: true, address: "203.0.113.1", user_agent: "a browser" });
  });

  test("[SGN10] is listed among one's own and can be ended from another one", async () => {
    const { browser: laptop } = await platform.person("ada@example.com");
    const phone = platform.browser("198.51.100.2");
    await phone.call("POST", "/api/sessions", { body: credentials });
    const { data } = (await phone.call("GET", "/api/sessions")).json;
    const other = data.find((one: { current: boolean }) => !one.current);
    expect(data).toHaveLength(2);
    expect((await phone.call("DELETE", `/api/sessions/${other.id}`)).status).toBe(200);
    expect((await laptop.call("GET", "/api/session")).status).toBe(401);
    expect((await phone.call("GET", "/api/session")).status).toBe(200);
  });

  test("[SGN10] ends when fifty younger ones are there", async () => {
    const { browser, session } = await platform.person("ada@example.com");
    await sql`insert into session (id, user_id, token_sha256, address, user_agent, created_at, last_seen_at, expires_at)
      select 'ses_zz' || n, ${session.user.id}, sha256(n::text::bytea), 'a', 'b', ${platform.now()}, ${platform.now()},
        ${platform.now()}::timestamptz + interval '7 days' from generate_series(1, 49) n`.execute(platform.db);
    expect((await browser.call("GET", "/api/session")).status).toBe(200);
    await platform.browser().call("POST", "/api/sessions", { body: credentials });
    const { rows } = await sql<{ n: string }>`select count(*) as n from session`.execute(platform.db);
    expect(Number(rows[0]?.n)).toBe(50);
    expect((await browser.call("GET", "/api/session")).status).toBe(401);
  });

  test("is nothing that a key has", async () => {
    const { code, status } = await platform
      .browser()
      .call("GET", "/api/session", { key: `gm_admin_${"0".repeat(43)}` });
    expect([status, code]).toEqual([401, "auth.invalid"]);
    const { adminKey: key } = await import("./testing/platform.ts");
    for (const [method, path] of [
      ["GET", "/api/session"],
      ["DELETE", "/api/session"],
      ["GET", "/api/sessions"],
      ["DELETE", "/api/sessions/ses_x"],
      ["GET", "/api/user"],
    ] as const)
      expect([path, await platform.browser().call(method, path, { key })]).toEqual([
        path,
        expect.objectContaining({ status: 403, code: "auth.forbidden" }),
      ]);
  });

  test("acts with the person's role in the organization, and no more", async () => {
    const { browser: viewer, session } = await platform.person("vi@example.com", "viewer");
    expect(session.memberships).toEqual([
      expect.objectContaining({ organization: "default", role: "viewer", project_id: null }),
    ]);
    expect((await viewer.call("GET", "/api/projects")).status).toBe(200);
    const body = { email: "friend@example.com", role: "viewer" };
    expect(await viewer.call("POST", "/api/invitations", { body })).toMatchObject({
      status: 403,
      code: "auth.forbidden",
    });
    const { browser: admin } = await platform.person("ad@example.com", "admin");
    expect((await admin.call("POST", "/api/invitations", { body })).status).toBe(201);
  });
});
