import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../ids.ts";
import { QuarantineStore } from "./quarantine-store.ts";
import { oldestKept, Retention } from "./retention.ts";
import { cloudEventOf, type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;
let now: Date;
const months = 2;

beforeEach(async () => {
  now = new Date("2026-01-20T12:00:00Z");
  app = await eventsApp({ now: () => now, retentionMonths: months });
  await app.call("POST", "/api/meters", { name: "shop.orders", event_type: "shop.order", aggregation: "count" });
});
afterEach(() => app.close());

const retention = () =>
  new Retention({
    db: app.database.db,
    quarantine: new QuarantineStore(app.database.db),
    now: () => now,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    months,
  });
const send = async (id: string, time: string) => (await app.send([cloudEventOf(id, {}, { time })])).body;
const count = async (table: string) =>
  (await sql<{ n: number }>`select count(*)::integer as n from ${sql.table(table)}`.execute(app.database.db)).rows[0]
    ?.n;

describe("retention", () => {
  test.each([
    ["2026-01-20T12:00:00Z", 0, "2020-01-01T00:00:00.000Z"],
    ["2026-01-20T12:00:00Z", 1, "2025-12-01T00:00:00.000Z"],
    ["2026-03-31T23:59:59Z", 13, "2025-02-01T00:00:00.000Z"],
    ["2026-01-20T12:00:00Z", 1200, "2020-01-01T00:00:00.000Z"],
  ])("[EVT18] at %s with %i months, events since %s are kept", (at, kept, expected) => {
    expect(oldestKept(new Date(at), kept).toISOString()).toBe(expected);
  });

  test("[EVT18] whole months end with their keys; sums stay, and what is kept stays known", async () => {
    await send("november", "2025-11-30T23:59:59Z");
    await send("december", "2025-12-01T00:00:00Z");
    await send("january", "2026-01-15T10:00:00Z");
    now = new Date("2026-02-01T00:00:00Z");
    await retention().sweep();
    await retention().sweep();
    const { data } = (await app.call("GET", "/api/events")).body;
    expect(data.map((event: { id: string }) => event.id)).toEqual(["january", "december"]);
    expect(await count("usage_event_key")).toBe(2);
    const span = "from=2025-11-01T00:00:00Z&to=2025-12-01T00:00:00Z";
    expect((await app.call("GET", `/api/meters/shop.orders/query?${span}`)).body.data).toMatchObject([{ value: "1" }]);
    expect(await send("december", "2025-12-01T00:00:00Z")).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  test("[EVT18] what is older than what is kept is never taken again, so nothing that has ended counts twice", async () => {
    await send("november", "2025-11-30T23:59:59Z");
    now = new Date("2026-02-01T00:00:00Z");
    expect(await send("november", "2025-11-30T23:59:59Z")).toMatchObject({ quarantined: [{ code: "time.too_old" }] });
    await retention().sweep();
    expect(await send("november", "2025-11-30T23:59:59Z")).toMatchObject({ quarantined: [{ code: "time.too_old" }] });
  });

  test("[EVT18] a key of a month that is kept is never deleted, nor one changed", async () => {
    await send("january", "2026-01-15T10:00:00Z");
    await retention().sweep();
    for (const statement of [
      sql`delete from usage_event_key`,
      sql`update usage_event_key set id = 'x'`,
      sql`truncate usage_event_key`,
      sql`delete from usage_event`,
    ])
      await expect(statement.execute(app.database.db)).rejects.toMatchObject({ code: "23001" });
  });

  test("[EVT18] what was replayed or discarded is forgotten after 30 days, what waits is not", async () => {
    const [first, second] = [newId("quarantined"), newId("quarantined")];
    const store = new QuarantineStore(app.database.db);
    const problem = { code: "meter.unknown", reason: "none" } as const;
    const events = [first, second].map((id, n) => ({ id, text: "{}", fingerprint: Buffer.of(n), problem }));
    await store.add(app.mine, null, events, 10);
    await store.discard(app.mine, first, "a test");
    now = new Date(Date.now() + 29 * 86_400_000);
    await retention().sweep();
    expect(await count("quarantined_event")).toBe(2);
    now = new Date(Date.now() + 31 * 86_400_000);
    await retention().sweep();
    expect(await store.find(app.mine, first)).toBeUndefined();
    expect(await store.find(app.mine, second)).toBeDefined();
  });

  test("start sweeps in the background, and stop waits for it", async () => {
    await send("november", "2025-11-30T23:59:59Z");
    now = new Date("2026-02-01T00:00:00Z");
    const running = retention();
    running.start();
    await running.stop();
    expect(await count("usage_event")).toBe(0);
  });
});
