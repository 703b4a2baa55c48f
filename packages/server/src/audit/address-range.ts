/** @file What tells one client from another: an IPv4 address, or an IPv6 network of 64 bits, which one client has for itself. */
import { isIPv4, isIPv6 } from "node:net";

/** "203.0.113.7", "2001:db8:1:2::/64"; null for what is no address. */
export function addressRange(address: string): string | null {
  if (isIPv4(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(address)) return null;
  const plain = address.split("%")[0] ?? "";
  const [head = "", tail] = plain.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  // A trailing IPv4 form takes the place of two groups.
  const lastGroups = last.length + (last.at(-1)?.includes(".") === true ? 1 : 0);
  const zeros = tail === undefined ? 0 : 8 - first.length - lastGroups;
  const groups = [...first, ...Array.from({ length: zeros }, () => "0"), ...last].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
