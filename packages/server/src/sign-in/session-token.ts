/** @file What a session's cookie holds, and what is made of it. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { RandomBytes } from "../identity/index.ts";

/** A new token: 256 random bits. */
export const makeToken = (random: RandomBytes): string => Buffer.from(random(32)).toString("base64url");

/** The stored form. */
export const hashOfToken = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Only who can read the cookie can make it, and scripts can't; a page of ours is told it by GET /api/session. */
export const csrfTokenOf = (token: string): string =>
  createHmac("sha256", token).update("gristmill csrf token").digest("base64url");

/** Takes the same time wherever the first difference is. */
export function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
