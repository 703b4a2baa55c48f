/**
 * @file Which names may be in a request's Host. A web page of another origin can make its own name point at 127.0.0.1 (DNS
 * rebinding) and would then be read as same-origin; its name in the Host gives it away. Addresses can't be rebound.
 */
import { isIP } from "node:net";

/** True for localhost, for any address, and for the names given. Ports don't matter. */
export function isOurHost(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return false;
  const name = (/^\[([^\]]*)\](:\d+)?$/.exec(header)?.[1] ?? header.replace(/:\d+$/, "")).toLowerCase();
  return name === "localhost" || isIP(name) !== 0 || names.includes(name);
}
