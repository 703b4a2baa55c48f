/** @file What a key looks like, and how it is compared. */
import { createHash, timingSafeEqual } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** 62^8 prefixes: two of a billion keys rarely meet, and the database refuses the second. */
const prefixLength = 8;

/** 62^43 is over 2^256. */
const secretLength = 43;

/** Random bytes; tests give their own. */
export type RandomBytes = (count: number) => Uint8Array;

/** A new key: `gm_<prefix>_<secret>`. */
export function makeKey(random: RandomBytes): string {
  return `gm_${base62(prefixLength, random)}_${base62(secretLength, random)}`;
}

/** A new admin key; its form says what it is, so that a leaked one is recognized. */
export const makeAdminKey = (random: RandomBytes): string => `gm_admin_${base62(secretLength, random)}`;

/** What accepts an invitation. */
export const makeInvitationToken = (random: RandomBytes): string => `gm_invitation_${base62(secretLength, random)}`;

/** The part that may be shown and by which the row is found: `gm_<prefix>`; undefined for a text that is no key. */
export const prefixOf = (key: string): string | undefined => /^(gm_[0-9A-Za-z]{8})_[0-9A-Za-z]{43}$/.exec(key)?.[1];

/** The stored form. */
export const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** Takes the same time wherever the first difference is. */
export const isSameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

function base62(length: number, random: RandomBytes): string {
  let text = "";
  while (text.length < length) {
    // 248 is the last multiple of 62 in a byte: taking the rest of larger ones would favour the first letters.
    for (const byte of random(length)) if (byte < 248 && text.length < length) text += alphabet.charAt(byte % 62);
  }
  return text;
}
