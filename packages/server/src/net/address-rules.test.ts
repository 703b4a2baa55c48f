import { describe, expect, it } from "vitest";
import { isPublicAddress, parseAllowedAddresses } from "./address-rules.ts";

describe("[NET1] addresses", () => {
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.0",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
  ])("%s is public", (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ["0.0.0.0", "this host"],
    ["0.1.2.3", "this network"],
    ["10.0.0.1", "private"],
    ["100.64.0.1", "shared"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["169.254.169.254", "cloud metadata"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.0.0.192", "reserved, and metadata of one cloud"],
    ["192.168.1.1", "private"],
    ["198.18.0.1", "benchmarks"],
    ["224.0.0.1", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "mapped loopback"],
    ["::ffff:7f00:1", "mapped loopback in hexadecimal"],
    ["::ffff:a9fe:a9fe", "mapped metadata"],
    ["::127.0.0.1", "IPv4-compatible"],
    ["::ffff:0:10.0.0.1", "translated"],
    ["64:ff9b::a00:1", "NAT64"],
    ["64:ff9b:1::a00:1", "local NAT64"],
    ["2002:a00:1::", "6to4"],
    ["2001::1", "Teredo"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local with a zone"],
    ["fec0::1", "site-local"],
    ["fd00:ec2::254", "unique local, metadata of a cloud"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "documentation"],
    ["4000::1", "not given out"],
    ["2130706433", "a number"],
    ["0177.0.0.1", "octal"],
    ["0x7f.1", "hexadecimal"],
    ["localhost", "a name"],
    ["", "nothing"],
  ])("%s is not public: %s", (address) => expect(isPublicAddress(address)).toBe(false));

  it("the operator's ranges hold what they name and nothing else, mapped addresses as what they are", () => {
    const allowed = parseAllowedAddresses(["10.20.0.0/16", "fd12::/16", "192.168.7.9"]);
    expect(
      ["10.20.255.1", "::ffff:10.20.0.1", "fd12:1::1", "192.168.7.9"].map((address) => allowed.has(address)),
    ).toEqual([true, true, true, true]);
    expect(
      ["10.21.0.1", "fd13::1", "192.168.7.10", "127.0.0.1", "nonsense"].filter((address) => allowed.has(address)),
    ).toEqual([]);
  });

  it.each(["10.0.0.0/33", "localhost", "10.0.0/8", "", "fd00::/129"])("the range %j is refused by name", (range) => {
    expect(() => parseAllowedAddresses([range])).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(`"${range}"`) }),
    );
  });
});
