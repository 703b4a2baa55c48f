import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSecretBox } from "./secret-box.ts";
import { homeSecretKey, secretKeyFile } from "./secret-key.ts";

const unreadable = expect.objectContaining({ code: "secret.unreadable" });

describe("a secret box", () => {
  const box = createSecretBox("the operator's secret key, any text");

  test("[SEC1] opens what it sealed, byte for byte, and shows none of it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plain, context) => {
        const sealed = box.seal(plain, context);
        expect(sealed.length).toBe(plain.length + 29);
        expect(new Uint8Array(box.open(sealed, context))).toEqual(plain);
        // By chance a short text is somewhere in the ciphertext.
        if (plain.length >= 8) expect(sealed.includes(Buffer.from(plain))).toBe(false);
      }),
    );
  });

  test("[SEC1] seals the same text differently each time", () => {
    const sealed = Array.from({ length: 200 }, () => box.seal(Buffer.from("same"), "c").toString("hex"));
    expect(new Set(sealed).size).toBe(200);
    const nonces = sealed.map((text) => text.slice(2, 26));
    expect(new Set(nonces).size).toBe(200);
  });

  test("[SEC1] refuses what was changed in any one bit, or cut anywhere", () => {
    const sealed = box.seal(Buffer.from("client secret"), "identity provider idp_1");
    for (let at = 0; at < sealed.length * 8; at++) {
      const changed = Buffer.from(sealed);
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      expect(() => box.open(changed, "identity provider idp_1")).toThrow(unreadable);
    }
    for (let length = 0; length < sealed.length; length++)
      expect(() => box.open(sealed.subarray(0, length), "identity provider idp_1")).toThrow(unreadable);
  });

  test("[SEC1] takes no shortened tag, which could be guessed", () => {
    const sealed = box.seal(Buffer.alloc(0), "c");
    expect(box.open(sealed, "c")).toHaveLength(0);
    for (let length = 0; length < sealed.length; length++)
      expect(() => box.open(sealed.subarray(0, length), "c")).toThrow(unreadable);
  });

  test("[SEC2] does not open for one what was sealed for another", () => {
    const sealed = box.seal(Buffer.from("s"), "webhook whk_1");
    for (const context of ["webhook whk_2", "webhook whk_", "", "identity provider whk_1"])
      expect(() => box.open(sealed, context)).toThrow(unreadable);
  });

  test("[SEC5] of another key opens nothing, and says for what it was without a word of it", () => {
    const sealed = box.seal(Buffer.from("hunter2hunter2"), "webhook whk_1");
    const other = () => createSecretBox("another key").open(sealed, "webhook whk_1");
    expect(other).toThrow(unreadable);
    expect(other).toThrow("webhook whk_1");
    expect(other).not.toThrow("hunter2");
    expect(createSecretBox("the operator's secret key, any text").open(sealed, "webhook whk_1").toString()).toBe(
      "hunter2hunter2",
    );
  });
});

describe("the secret key of a home", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gm-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));
  const file = () => join(home, secretKeyFile);

  test("[SEC3] is made once, of 256 random bits, and kept for its owner alone", async () => {
    const key = await homeSecretKey(home, randomBytes);
    expect(Buffer.from(key, "base64url")).toHaveLength(32);
    expect(await homeSecretKey(home, randomBytes)).toBe(key);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(await readdir(home)).toEqual([secretKeyFile]);
  });

  test("[SEC3] is the same for all who start at once", async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => homeSecretKey(home, randomBytes)));
    expect(new Set(keys).size).toBe(1);
    expect(await readdir(home)).toEqual([secretKeyFile]);
  });

  test("[SEC3] is closed again when others could read it", async () => {
    await homeSecretKey(home, randomBytes);
    await chmod(file(), 0o644);
    await homeSecretKey(home, randomBytes);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  test.each(["", "short", "two words that are long enough to be a key"])(
    "[SEC4] is never replaced: %j",
    async (text) => {
      await writeFile(file(), text);
      await expect(homeSecretKey(home, randomBytes)).rejects.toMatchObject({ code: "config.invalid" });
      expect(await readFile(file(), "utf8")).toBe(text);
    },
  );
});
