import { argon2Sync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Passwords } from "./passwords.ts";

/** So cheap that properties can try many. */
const cost = { memory: 64, passes: 1, parallelism: 1 };

describe("a password", () => {
  test("[SGN6] is kept as argon2id with a salt of its own, as RFC 9106 computes it", async () => {
    const passwords = new Passwords(randomBytes);
    const [one, other] = await Promise.all([passwords.hash("pässword of mine"), passwords.hash("pässword of mine")]);
    expect(one).not.toBe(other);
    const [, salt = "", hash = ""] =
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$([^$=]{22})\$([^$=]{43})$/.exec(one ?? "") ?? [];
    const expected = argon2Sync("argon2id", {
      message: Buffer.from("pässword of mine"),
      nonce: Buffer.from(salt, "base64"),
      memory: 19_456,
      passes: 2,
      parallelism: 1,
      tagLength: 32,
    });
    expect(Buffer.from(hash, "base64")).toEqual(expected);
  });

  test("[SGN6] is recognized, and no other one is", async () => {
    const passwords = new Passwords(randomBytes, { cost });
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.string(), async (right, wrong) => {
        const stored = await passwords.hash(right);
        expect(await passwords.verify(right, stored)).toBe(true);
        if (wrong.normalize("NFKC") !== right.normalize("NFKC"))
          expect(await passwords.verify(wrong, stored)).toBe(false);
      }),
    );
  });

  test("[SGN6] is the same however its accents are typed", async () => {
    const passwords = new Passwords(randomBytes, { cost });
    expect(await passwords.verify("cafe\u0301 au lait", await passwords.hash("caf\u00e9 au lait"))).toBe(true);
  });

  test("[SGN6] of cheaper times is right, and known to be outdated", async () => {
    const old = await new Passwords(randomBytes, { cost }).hash("an old password");
    const passwords = new Passwords(randomBytes, { cost: { ...cost, passes: 2 } });
    expect(await passwords.verify("an old password", old)).toBe(true);
    expect(passwords.isOutdated(old)).toBe(true);
    expect(passwords.isOutdated(await passwords.hash("an old password"))).toBe(false);
  });
});

test("[SGN6] two are worked on at once, 64 wait, and more are told to come again", async () => {
  const passwords = new Passwords(randomBytes, { cost });
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.hash("x")));
  const refused = results.filter((result) => result.status === "rejected");
  expect(results.length - refused.length).toBe(66);
  for (const { reason } of refused) expect(reason).toMatchObject({ code: "auth.too_many_attempts", retryable: true });
  // And when they are done there is room again.
  expect(await passwords.hash("x")).toContain("$argon2id$");
});
