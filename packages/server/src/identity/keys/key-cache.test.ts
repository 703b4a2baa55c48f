import { describe, expect, test } from "vitest";
import { KeyCache } from "./key-cache.ts";

const hash = (text: string): Buffer => Buffer.from(text.padEnd(32, "."));

describe("what is remembered of keys", () => {
  test("[IDN4] is never of before a change, also when it was being looked up while that happened", async () => {
    const cache = new KeyCache<{ readonly as: string }>(() => new Date(0));
    const { promise, resolve } = Promise.withResolvers<{ readonly as: string }>();
    const looking = cache.find(hash("a"), () => promise);
    cache.changed();
    resolve({ as: "before" });
    expect(await looking).toEqual({ as: "before" });
    expect(await cache.find(hash("a"), async () => ({ as: "after" }))).toEqual({ as: "after" });
    expect(await cache.find(hash("a"), () => Promise.reject(new Error("not asked")))).toEqual({ as: "after" });
    cache.changed();
    expect(await cache.find(hash("a"), async () => ({ as: "now" }))).toEqual({ as: "now" });
  });

  test("[IDN13] is never a wrong key, and never what another one finds", async () => {
    const cache = new KeyCache<{ readonly as: string }>(() => new Date(0));
    await cache.find(hash("a"), async () => ({ as: "a" }));
    for (let round = 0; round < 2; round++)
      await expect(cache.find(hash("b"), () => Promise.reject(new Error("wrong")))).rejects.toThrow("wrong");
  });

  test("ends after a second, and is of 10,000 keys at most", async () => {
    let clock = 0;
    const cache = new KeyCache<{ readonly as: number }>(() => new Date(clock));
    let asked = 0;
    const ask = (name: number) => cache.find(hash(String(name)), async () => ({ as: ++asked }));
    for (let name = 0; name <= 10_000; name++) await ask(name);
    expect(asked).toBe(10_001);
    await ask(10_000);
    expect(asked).toBe(10_001);
    await ask(0); // the oldest made room
    expect(asked).toBe(10_002);
    clock = 999;
    await ask(0);
    expect(asked).toBe(10_002);
    clock = 1_000;
    await ask(0);
    expect(asked).toBe(10_003);
  });
});
