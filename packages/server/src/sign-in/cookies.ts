/** @file Our cookies. Scripts read none of them, and other sites' pages send them only by following a link. */
import { parseCookie, stringifySetCookie } from "cookie";

/** Each cookie, where it is sent and how long it is kept, in seconds. */
const cookies = {
  /** The session's token. */
  gristmill_session: { path: "/", maxAge: 7 * 86_400 },
  /** Which account has signed in here before, sealed: its attempts are counted apart from a guesser's. */
  gristmill_device: { path: "/api", maxAge: 180 * 86_400 },
  /** What a sign-in by a provider needs when it comes back, sealed. */
  gristmill_sign_in: { path: "/api/sign-in", maxAge: 600 },
} as const;

/** A cookie of ours. */
export type CookieName = keyof typeof cookies;

/** How long a sign-in by a provider may take. */
export const flowSeconds = cookies.gristmill_sign_in.maxAge;

/** undefined: not sent, or empty. */
export const readCookie = (header: string | undefined, name: CookieName): string | undefined =>
  (header === undefined ? undefined : parseCookie(header)[name]) || undefined;

/** The value of a `set-cookie`; null takes the cookie away. */
export function setCookie(name: CookieName, value: string | null, options: { readonly isSecure: boolean }): string {
  const { path, maxAge } = cookies[name];
  return stringifySetCookie({
    name,
    value: value ?? "",
    path,
    maxAge: value === null ? 0 : maxAge,
    httpOnly: true,
    sameSite: "lax",
    secure: options.isSecure,
  });
}
