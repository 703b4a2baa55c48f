import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AttemptStore } from "./attempt-store.ts";
import { Attempts } from "./attempts.ts";
import type { Browser } from "./testing/browser.ts";
import { goodPassword, type TestPlatform, testPlatform } from "./testing/platform.ts";

let platform: TestPlatform;
beforeEach(async () => {
  platform = await testPlatform();
});
afterEach(() => platform.close());

const minute = 60_000;
const email = "ada@example.com";
const guess = (browser: Browser, password = "a guess", to = email) =>
  browser.call("POST", "/api/sessions", { body: { email: to, password } });

async function guesses(count: number, address: string, to = email): Promise<number[]> {
  const browser = platform.browser(address);
  const statuses = [];
  for (let n = 0; n < count; n++) statuses.push((await guess(browser, `guess ${n}`, to)).status);
  return statuses;
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe("[SGN8] guesses", () => {
  test("of one account from one address end after ten, also with the right password, and one a minute goes on", async () => {
    await platform.person(email);
    const guesser = "198.51.100.66";
    expect(await guesses(12, guesser)).toEqual([...times(10, 401), 429, 429]);
    const refused = await guess(platform.browser(guesser), goodPassword);
    expect(refused).toMatchObject({ status: 429, code: "auth.too_many_attempts" });
    expect(refused.json.error).toMatchObject({ retryable: true, details: { retry_after_ms: minute } });
    expect(refused.headers["retry-after"]).toBe("60");
    platform.wait(minute);
    expect(await guesses(2, guesser)).toEqual([401, 429]);
    // Elsewhere the person gets in all the time.
    expect((await guess(platform.browser("203.0.113.9"), goodPassword)).status).toBe(201);
  });

  test("of accounts that don't exist are counted alike: 429 tells nobody who has one", async () => {
    expect(await guesses(11, "198.51.100.66", "nobody@example.com")).toEqual([...times(10, 401), 429]);
  });

  test("of many accounts from one address end after thirty", async () => {
    const browser = platform.browser("198.51.100.66");
    const statuses = [];
    for (let n = 0; n < 32; n++) statuses.push((await guess(browser, "password1234", `person${n}@example.com`)).status);
    expect(statuses).toEqual([...times(30, 401), 429, 429]);
  });

  test("from all over a network of IPv6 count as one address, and mapped IPv4 as what it is", async () => {
    const statuses = [];
    for (let n = 0; n < 11; n++) statuses.push(...(await guesses(1, `2001:db8:1:2:${n}::1`)));
    expect(statuses).toEqual([...times(10, 401), 429]);
    expect(await guesses(1, "2001:db8:1:3::1")).toEqual([401]);
    expect(await guesses(10, "198.51.100.66")).toEqual(times(10, 401));
    expect(await guesses(1, "::ffff:198.51.100.66")).toEqual([429]);
  });

  test("at once are counted before they are looked at", async () => {
    await platform.person(email);
    const browser = platform.browser("198.51.100.66");
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => guess(browser, `guess ${n}`)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  });

  test("of one account from everywhere hold up strangers, but no browser that has signed in before, and not for ever", async () => {
    const { browser: own } = await platform.person(email);
    await own.call("DELETE", "/api/session");
    const statuses = [];
    for (let n = 0; n < 11; n++) statuses.push(...(await guesses(10, `198.51.100.${n}`)));
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    const stranger = platform.browser("203.0.113.200");
    expect((await guess(stranger, goodPassword)).status).toBe(429);
    expect((await guess(own, goodPassword)).status).toBe(201);
    platform.wait(6_000);
    expect((await guess(stranger, goodPassword)).status).toBe(201);
  });

  test("are not free for who makes up a device, or takes that of another account", async () => {
    await platform.person(email);
    const { browser: eve } = await platform.person("eve@example.com");
    const device = eve.cookies.get("gristmill_device") ?? "";
    expect(device.length).toBeGreaterThan(40);
    await guesses(10, "203.0.113.1");
    for (const cookie of [device, "made-up", "x".repeat(2000)]) {
      const browser = platform.browser();
      browser.cookies.set("gristmill_device", cookie);
      expect((await guess(browser)).status).toBe(429);
    }
  });

  test("from a stolen device end after ten as well", async () => {
    const { browser } = await platform.person(email);
    const statuses = [];
    for (let n = 0; n < 12; n++) statuses.push((await guess(browser, `guess ${n}`)).status);
    expect(statuses).toEqual([...times(10, 401), 429, 429]);
  });

  test("of a signed-in person's current password are counted too: a stolen session does not tell it", async () => {
    const { browser } = await platform.person(email);
    const statuses = [];
    for (let n = 0; n < 12; n++) {
      const body = { password: { current: `guess ${n}`, new: "a password of the thief" } };
      statuses.push((await browser.call("PATCH", "/api/user", { body })).status);
    }
    expect(statuses).toEqual([...times(10, 401), 429, 429]);
  });

  test("before the right one don't add up with those of another day", async () => {
    await platform.person(email);
    expect(await guesses(9, "203.0.113.7")).toEqual(times(9, 401));
    expect((await guess(platform.browser("203.0.113.7"), goodPassword)).status).toBe(201);
    expect(await guesses(9, "203.0.113.7")).toEqual(times(9, 401));
  });

  test("of invitations from one address end after thirty", async () => {
    const browser = platform.browser("198.51.100.66");
    const body = { token: "made-up", name: "Eve", password: goodPassword };
    const statuses = [];
    for (let n = 0; n < 32; n++)
      statuses.push((await browser.call("POST", "/api/invitations/accept", { body })).status);
    expect(statuses).toEqual([...times(30, 404), 429, 429]);
  });
});

describe("[SGN8] buckets", () => {
  test("are the same for all servers on one database", async () => {
    const servers = Array.from(
      { length: 3 },
      () => new Attempts({ store: new AttemptStore(platform.db), now: platform.now }),
    );
    const tries = Array.from({ length: 60 }, (_, n) => servers[n % 3]?.visit("198.51.100.66"));
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
  });

  test("that have drained are deleted, and nobody's address or name is in them", async () => {
    await guesses(3, "198.51.100.66");
    const rows = async () =>
      (await sql<{ text: string }>`select a::text as text from sign_in_attempt a`.execute(platform.db)).rows;
    const before = await rows();
    expect(before).toHaveLength(3);
    expect(JSON.stringify(before)).not.toMatch(/ada|198\.51/);
    const store = new AttemptStore(platform.db);
    await store.sweep(platform.now());
    expect(await rows()).toHaveLength(3);
    platform.wait(10 * minute);
    await store.sweep(platform.now());
    expect(await rows()).toEqual([]);
  });
});
