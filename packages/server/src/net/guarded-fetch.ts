/** @file The one way out for every URL that a user can give: each hop is checked anew, and all of it is bounded. */
import { lookup as systemLookup } from "node:dns/promises";
import { AppError } from "@gristmill/contract";
import { parseAllowedAddresses } from "./address-rules.ts";
import { callOnce, checkedAddresses, type Gate, type Hop, unreachable } from "./guarded-call.ts";

/**
 * `fetch`, guarded. Redirects are followed (5 at most) unless `redirect` says otherwise; there are no cookies, proxies or
 * caches. The answer's body ends with `url.unreachable` at the deadline and at the size limit.
 * @throws AppError `url.forbidden` for a place that a user may not make the server call; `url.unreachable` when it does not
 *   answer well or in time; the reason of `signal` when that was aborted.
 */
export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The same, with a look ahead for forms that a person fills in. */
export interface CheckedFetch extends GuardedFetch {
  /**
   * Tells early what a call would be refused for. What can't be resolved now may be later, so it passes.
   * @throws AppError `url.forbidden`.
   */
  check(url: string): Promise<void>;
}

/** Limits and effects. */
export interface GuardedFetchOptions {
  /** CIDRs that may be called though they are not public, and by plain http: the operator's list. */
  readonly allowedAddresses: readonly string[];
  /** From the call to the last byte of the answer; default 10,000. */
  readonly timeoutMs?: number;
  /** Of an answer's body; default 1 MiB. */
  readonly maxBytes?: number;
  /** All addresses of a name; default: the system's resolver. */
  readonly lookup?: (hostname: string) => Promise<readonly string[]>;
  /** Certificates (PEM) to trust beside Node's own. */
  readonly extraCertificates?: string;
}

const maxRedirects = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** @throws AppError `config.invalid` for an allow-list that can't be read. */
export function createGuardedFetch(options: GuardedFetchOptions): CheckedFetch {
  const { timeoutMs = 10_000, maxBytes = 1_048_576, lookup = lookupAll, extraCertificates } = options;
  const allowed = parseAllowedAddresses(options.allowedAddresses);
  const gate: Gate = { allowed, lookup, maxBytes, extraCertificates };
  const check = async (address: string): Promise<void> => {
    await checkedAddresses(gate, parseUrl(address), AbortSignal.timeout(timeoutMs)).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === "url.unreachable")) throw error;
    });
  };
  const guarded: GuardedFetch = async (address, init = {}) => {
    const url = parseUrl(address);
    const { redirect = "follow" } = init;
    const request = new Request(url, { ...init, redirect: "manual", signal: null });
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    let hop: Hop = { url, method: request.method, headers: request.headers, body, signal };
    for (let redirects = 0; ; redirects++) {
      const response = await callOnce(gate, hop);
      const location = redirectStatuses.has(response.status) ? response.headers.get("location") : null;
      if (location === null || redirect === "manual") return response;
      await response.body?.cancel();
      if (redirect === "error") throw unreachable(`${hop.url.host} redirects, which is not followed here.`);
      if (redirects === maxRedirects) throw unreachable(`${url.host} redirects more than ${maxRedirects} times.`);
      hop = next(hop, response.status, location);
    }
  };
  return Object.assign(guarded, { check });
}

function parseUrl(address: string | URL): URL {
  const url = URL.parse(String(address));
  if (url === null) throw new AppError("url.forbidden", "This is no URL.");
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new AppError("url.forbidden", `Expected an https URL, received one of ${url.protocol}`);
  if (url.username !== "" || url.password !== "") throw new AppError("url.forbidden", "A URL may not hold a password.");
  return url;
}

/** What follows a redirect, as browsers do it; what was meant for one origin is not carried to another. */
function next(hop: Hop, status: number, location: string): Hop {
  const url = parseUrl(URL.parse(location, hop.url.href) ?? location);
  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) for (const name of ["authorization", "cookie"]) headers.delete(name);
  const becomesGet = (status === 303 && hop.method !== "HEAD") || (status < 303 && hop.method === "POST");
  if (!becomesGet) return { ...hop, url, headers };
  headers.delete("content-type");
  return { ...hop, url, headers, method: "GET", body: null };
}

const lookupAll = async (hostname: string): Promise<readonly string[]> =>
  (await systemLookup(hostname, { all: true })).map(({ address }) => address);
