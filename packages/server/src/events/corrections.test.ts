import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cloudEventOf, type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;

beforeEach(async () => {
  app = await eventsApp({ now: () => new Date("2026-04-10T12:00:00Z") });
  const order = { event_type: "shop.order", dimensions: { country: "$.country" } };
  for (const meter of [
    { ...order, name: "shop.revenue", aggregation: "sum", value_property: "$.amount" },
    { ...order, name: "shop.orders", aggregation: "count" },
    { name: "shop.level", event_type: "shop.level", aggregation: "latest", value_property: "$.level" },
    { name: "shop.units", event_type: "shop.units", aggregation: "sum", value_property: "$.units" },
  ])
    expect((await app.call("POST", "/api/meters", meter)).status).toBe(201);
});
afterEach(() => app.close());

const time = "2026-04-01T10:30:00Z";
const source = "shop/checkout";
const correct = (id: string, more: Readonly<Record<string, unknown>> = {}) =>
  app.call("POST", "/api/corrections", { source, id, reason: "a refund", ...more });
const sum = async (meter: string, more = "") =>
  (
    await app.call("GET", `/api/meters/${meter}/query?from=2026-04-01T10:00:00Z&to=2026-04-01T11:00:00Z${more}`)
  ).body.data.map((row: { value: string }) => row.value);

describe("corrections", () => {
  test("[EVT17] take back what every meter counted, in its hour and group, and leave the event as it is", async () => {
    const kept = cloudEventOf("kept", { amount: "10", country: "AT" }, { time });
    await app.send([kept, cloudEventOf("wrong", { amount: "2.5", country: "AT" }, { time })]);
    const { status, body } = await correct("wrong");
    expect([
      status,
      body.entries.map((each: { meter: string; quantity: string }) => [each.meter, each.quantity]).sort(),
    ]).toEqual([
      201,
      [
        ["shop.orders", "-1"],
        ["shop.revenue", "-2.5"],
      ],
    ]);
    expect(await sum("shop.revenue")).toEqual(["10"]);
    expect(await sum("shop.revenue", "&filter.country=AT")).toEqual(["10"]);
    expect(await sum("shop.orders")).toEqual(["1"]);
    const { data } = (await app.call("GET", "/api/events?id=wrong")).body;
    expect(data).toMatchObject([{ data: { amount: "2.5" } }]);
    const told = (await app.call("GET", "/api/events?type=gristmill.correction")).body.data;
    expect(told).toHaveLength(2);
    expect(told[0].data).toMatchObject({ corrects: { source }, reason: "a refund" });
  });

  test("[EVT17] set a quantity right, also more than once by correcting the correction's entry, and back", async () => {
    await app.send([cloudEventOf("units", { units: 5 }, { type: "shop.units", time })]);
    const first = await correct("units", { quantity: "3" });
    expect(first.body.entries).toMatchObject([{ quantity: "-2" }]);
    expect(await sum("shop.units")).toEqual(["3"]);
    const { id, source: from } = first.body.entries[0];
    expect((await correct(id, { source: from })).body.entries).toMatchObject([{ quantity: "2" }]);
    expect(await sum("shop.units")).toEqual(["5"]);
  });

  test("[EVT17] an event is corrected once, whoever is first", async () => {
    await app.send([cloudEventOf("units", { units: 5 }, { type: "shop.units", time })]);
    const all = await Promise.all([0, 1, 2, 3].map((quantity) => correct("units", { quantity: String(quantity) })));
    const done = all.filter(({ status }) => status === 201);
    expect(done).toHaveLength(1);
    for (const { status, body } of all)
      if (status !== 201) expect([status, body.error.code]).toEqual([409, "event.corrected"]);
    expect(await sum("shop.units")).toEqual([String(5 + Number(done[0]?.body.entries[0].quantity))]);
    expect(await correct("units")).toMatchObject({ status: 409, body: { error: { code: "event.corrected" } } });
  });

  test("[EVT17] of several meters the one to set right must be named", async () => {
    await app.send([cloudEventOf("two meters", { amount: 5 }, { time })]);
    expect(await correct("two meters", { quantity: "1" })).toMatchObject({ status: 400 });
    expect((await correct("two meters", { quantity: "1", meter: "shop.revenue" })).status).toBe(201);
    expect([await sum("shop.revenue"), await sum("shop.orders")]).toEqual([["1"], ["1"]]);
  });

  test("[EVT17] our own events are corrected too, at the price that they were rated by", async () => {
    const at = new Date(time);
    await app.ledger.record(app.mine, [
      {
        id: "req_1:requests",
        meter: "service.requests",
        quantity: 4n,
        time: at,
        admittedAt: at,
        requestId: "req_1",
        keyId: "key_1",
        dimensions: { model: "m", model_version: "3" },
      },
    ]);
    expect((await correct("req_1:requests", { source: "gristmill" })).status).toBe(201);
    expect(await sum("service.requests", "&filter.model=m&filter.key=key_1")).toEqual(["0"]);
    const { rows } = await sql<{ n: number }>`
      select count(distinct (key_id, request_id, price_id, admitted_at, time))::integer as n from usage_event
      where meter = 'service.requests'`.execute(app.database.db);
    expect(rows).toEqual([{ n: 1 }]);
  });

  test.each([
    ["an event that is not there", { id: "nothing" }, 404, "event.not_found"],
    ["another source's", { id: "level", source: "shop/other" }, 404, "event.not_found"],
    ["a latest value", { id: "level" }, 409, "event.not_correctable"],
    ["a negative quantity", { id: "level", quantity: "-1" }, 400, "request.invalid"],
    ["NaN", { id: "level", quantity: "NaN" }, 400, "request.invalid"],
    ["no reason", { id: "level", reason: " " }, 400, "request.invalid"],
    ["SQL", { id: "'; delete from usage_event; --" }, 404, "event.not_found"],
    ["U+0000", { id: "a\0" }, 400, "request.invalid"],
  ])("%s is not corrected", async (_, more, status, code) => {
    await app.send([cloudEventOf("level", { level: 5 }, { type: "shop.level", time })]);
    expect(await correct("level", more)).toMatchObject({ status, body: { error: { code } } });
  });
});
