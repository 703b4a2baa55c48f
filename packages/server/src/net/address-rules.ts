/** @file Which addresses a URL of a user may lead to: pure, over numbers, never over text that a resolver could read otherwise. */
import { AppError } from "@gristmill/contract";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Where the operator lets URLs of users lead beside the public internet, and by plain http. */
export interface AllowedAddresses {
  has(address: string): boolean;
}

/**
 * Reads CIDRs such as "10.20.0.0/16" and "fd00::/8"; an address alone stands for itself.
 * @throws AppError `config.invalid` naming the first that is none.
 */
export function parseAllowedAddresses(cidrs: readonly string[]): AllowedAddresses {
  const ranges = cidrs.map(parseRange);
  return {
    has(text) {
      const address = parse(text);
      return (
        address !== undefined &&
        ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))
      );
    },
  };
}

/** Addresses that IPv6 has given out to the public; all others are reserved, local, or another address in disguise. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * True for addresses of the public internet. Loopback, private, link-local (cloud metadata), shared, multicast and reserved ones are
 * not, nor are IPv6 forms that carry an IPv4 address to a gateway (6to4, Teredo, NAT64). What is no address is not public.
 */
export function isPublicAddress(text: string): boolean {
  const address = parse(text);
  if (address === undefined || address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}

function parseRange(cidr: string): [Address, number] {
  const [, text = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const network = parse(text);
  const most = network?.kind() === "ipv4" ? 32 : 128;
  if (network !== undefined && Number(bits ?? most) <= most) return [network, Number(bits ?? most)];
  throw new AppError("config.invalid", `GRISTMILL_ALLOWED_ADDRESSES: "${cidr}" is no range such as 10.0.0.0/8.`);
}

/** An IPv4 address inside IPv6 ("::ffff:10.0.0.1") is that IPv4 address: the system connects to it. */
function parse(text: string): Address | undefined {
  const isPlain = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return isPlain ? ipaddr.process(text) : undefined;
}
