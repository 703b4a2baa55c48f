import type { KeyId, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Denial } from "../http/index.ts";
import { testCaller } from "../testing/caller.ts";
import { testDatabase } from "../testing/database.ts";
import { addressRange } from "./address-range.ts";
import { DenialCounter } from "./denial-counter.ts";
import { addDenials, pruneDenials } from "./denial-store.ts";

const at = new Date("2026-11-23T10:00:30Z");
const denial = (more: Partial<Denial> = {}): Denial => ({
  caller: undefined,
  address: "203.0.113.1",
  route: "GET /api/runs",
  code: "auth.invalid",
  ...more,
});
const byKey = (number: number): Denial =>
  denial({ caller: testCaller("prj_1" as ProjectId, { keyId: `key_${number}` as KeyId }), code: "auth.forbidden" });

test("[AUD10] one caller on one route in one minute is one row, however often", () => {
  const counter = new DenialCounter(() => at);
  for (let knock = 0; knock < 100_000; knock++) counter.note(denial());
  expect(counter.size).toBe(1);
  expect(counter.take()).toEqual([
    {
      minuteMs: Date.parse("2026-11-23T10:00:00Z"),
      organizationId: null,
      projectId: null,
      actorId: null,
      address: "203.0.113.1",
      route: "GET /api/runs",
      code: "auth.invalid",
      count: 100_000,
    },
  ]);
  expect(counter.size).toBe(0);
});

test("[AUD11] a flood from ever new addresses, keys and organizations is bounded in memory and rows, and still counted", () => {
  let now = at;
  const counter = new DenialCounter(() => now, { perGroup: 10, total: 100 });
  for (let knock = 0; knock < 50_000; knock++)
    counter.note(denial({ address: `10.${knock >> 16}.${(knock >> 8) & 255}.${knock & 255}` }));
  expect(counter.size).toBe(11);
  const counts = counter.take();
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(50_000);
  expect(counts.filter(({ address }) => address === null)).toHaveLength(1);
  // A flush within the minute makes no room for further callers.
  for (let knock = 0; knock < 500; knock++) counter.note(denial({ address: `192.0.2.${knock % 256}` }));
  expect(counter.size).toBe(1);
  // Of one organization's keys no more either, and they take nothing from others.
  for (let number = 0; number < 500; number++) counter.note(byKey(number));
  expect(counter.size).toBe(12);
  for (let number = 0; number < 5_000; number++) {
    const caller = { ...testCaller("prj_1" as ProjectId), organizationId: `org_${number}` as const };
    counter.note(denial({ caller, code: "auth.forbidden" }));
  }
  expect(counter.size).toBe(100);
  counter.take();
  now = new Date(at.getTime() + 60_000);
  counter.note(denial({ address: "198.51.100.1" }));
  expect(counter.take()).toMatchObject([{ address: "198.51.100.1", count: 1 }]);
});

test("[AUD10] [AUD11] servers add to each other's counts; old rows, and an organization's oldest above its most, go", async () => {
  const database = await testDatabase();
  const { db } = database;
  try {
    const servers = [new DenialCounter(() => new Date()), new DenialCounter(() => new Date())];
    for (const counter of servers) {
      counter.note(denial());
      counter.note(byKey(1));
      await addDenials(db, counter.take());
    }
    await addDenials(db, []);
    const counts = async () =>
      (await sql<{ count: string }>`select count from denied_access order by id`.execute(db)).rows.map(
        ({ count }) => count,
      );
    expect(await counts()).toEqual(["2", "2"]);
    await sql`insert into denied_access (minute, organization_id, route, code, count)
      select now() - n * interval '1 minute', 'org_flood', 'r', 'c', n from generate_series(1, 50) n`.execute(db);
    await sql`insert into denied_access (minute, route, code, count) values (now() - interval '31 days', 'r', 'c', 1)`.execute(
      db,
    );
    await pruneDenials(db, { keepDays: 30, most: 10 });
    expect((await counts()).map(Number)).toEqual([2, 2, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
  } finally {
    await database.close();
  }
});

test("[AUD10] clients are told apart by IPv4 address, or by the IPv6 network that one client has for itself", () => {
  const ranges = {
    "203.0.113.7": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8::1": "2001:db8:0:0::/64",
    "2001:0DB8:0001:0002::9": "2001:db8:1:2::/64",
    "::1": "0:0:0:0::/64",
    "1:2:3:4:5:6:7::": "1:2:3:4::/64",
    "64:ff9b::203.0.113.7": "64:ff9b:0:0::/64",
    "fe80::1%eth0": "fe80:0:0:0::/64",
    "not an address": null,
    "": null,
  };
  for (const [address, range] of Object.entries(ranges))
    expect([address, addressRange(address)]).toEqual([address, range]);
});
