import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cloudEventOf, type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;
let now: Date;

beforeEach(async () => {
  now = new Date("2026-04-10T12:00:00Z");
  app = await eventsApp({ now: () => now, quarantineLimit: 4 });
});
afterEach(() => app.close());

const time = "2026-04-10T11:00:00Z";
const order = (id: string, data: unknown, more: Readonly<Record<string, unknown>> = {}) =>
  cloudEventOf(id, data, { time, ...more });
const makeMeter = () =>
  app.call("POST", "/api/meters", {
    name: "shop.revenue",
    event_type: "shop.order",
    aggregation: "sum",
    value_property: "$.amount",
  });
const setAside = async (event: unknown): Promise<string> => {
  const { body } = await app.send([event]);
  expect(body).toMatchObject({ accepted: 0, quarantined: [{ index: 0 }] });
  return body.quarantined[0].id;
};
const counted = async () => {
  const { body } = await app.call("GET", "/api/usage/events");
  return body.data.map((event: { id: string; quantity: string }) => [event.id, event.quantity]);
};

describe("what can't be counted", () => {
  test("[EVT7] is kept as it was sent, with the reason, and does not keep the others of its batch from the ledger", async () => {
    await makeMeter();
    const bad = order("bad", { amount: "many", note: 1.5 }, { ext: true });
    const { status, body } = await app.send([order("one", { amount: 1 }), bad, order("two", { amount: 2 })]);
    expect([status, body]).toMatchObject([
      202,
      { accepted: 2, duplicates: 0, quarantined: [{ index: 1, code: "value.invalid" }] },
    ]);
    expect((await app.call("GET", `/api/quarantine/${body.quarantined[0].id}`)).body).toEqual({
      id: body.quarantined[0].id,
      object: "quarantined_event",
      status: "waiting",
      code: "value.invalid",
      reason:
        '$.amount: meter shop.revenue expected a decimal number from 0 with at most 18 digits before the point, received "many"',
      event: bad,
      key_id: null,
      received_at: expect.any(String),
      received: 1,
      resolved_at: null,
      discard_reason: null,
    });
    expect(await counted()).toEqual([
      ["two", "2"],
      ["one", "1"],
    ]);
  });

  test("[EVT16] is replayed when its meter is there, and counts once however often it is", async () => {
    const event = order("early", { amount: 5 });
    const id = await setAside(event);
    expect(await app.call("POST", `/api/quarantine/${id}/replay`)).toMatchObject({
      status: 422,
      body: { error: { code: "event.invalid", details: { code: "meter.unknown" } } },
    });
    await makeMeter();
    const replays = await Promise.all([1, 2, 3].map(() => app.call("POST", `/api/quarantine/${id}/replay`)));
    expect(replays.map(({ status }) => status).every((status) => status === 200 || status === 409)).toBe(true);
    expect(replays.some(({ body }) => body.status === "replayed")).toBe(true);
    expect(await app.call("POST", `/api/quarantine/${id}/replay`)).toMatchObject({
      status: 409,
      body: { error: { code: "quarantine.resolved" } },
    });
    expect((await app.send([event])).body).toMatchObject({ duplicates: 1 });
    expect(await counted()).toEqual([["early", "5"]]);
    expect((await app.call("GET", "/api/quarantine")).body.data).toEqual([]);
    expect((await app.call("GET", "/api/quarantine?status=replayed")).body.data).toMatchObject([{ id }]);
  });

  test("[EVT16] says anew what is wrong with it when it is replayed and still is", async () => {
    const id = await setAside(order("still bad", { amount: -1 }));
    await makeMeter();
    await app.call("POST", `/api/quarantine/${id}/replay`);
    expect((await app.call("GET", `/api/quarantine/${id}`)).body).toMatchObject({
      code: "value.invalid",
      status: "waiting",
    });
  });

  test("[EVT16] a forged source and a future time stay so by a replay", async () => {
    await makeMeter();
    const forged = await setAside(order("forged", { amount: 1 }, { source: "Gristmill" }));
    const future = await setAside(order("future", { amount: 1 }, { time: "2026-04-10T13:00:00Z" }));
    for (const id of [forged, future])
      expect((await app.call("POST", `/api/quarantine/${id}/replay`)).status).toBe(422);
    now = new Date("2026-04-10T12:56:00Z");
    expect((await app.call("POST", `/api/quarantine/${future}/replay`)).status).toBe(200);
    expect((await app.call("POST", `/api/quarantine/${forged}/replay`)).status).toBe(422);
    expect(await counted()).toEqual([["future", "1"]]);
  });

  test("[EVT16] is discarded with a reason, which stays to be seen, and never counts", async () => {
    const id = await setAside(order("wrong", { amount: 5 }));
    expect((await app.call("DELETE", `/api/quarantine/${id}`)).status).toBe(400);
    expect((await app.call("DELETE", `/api/quarantine/${id}?reason=%20`)).status).toBe(400);
    expect(await app.call("DELETE", `/api/quarantine/${id}?reason=a%20test`)).toMatchObject({
      status: 200,
      body: { status: "discarded", discard_reason: "a test", resolved_at: expect.any(String) },
    });
    expect((await app.call("DELETE", `/api/quarantine/${id}?reason=again`)).status).toBe(409);
    await makeMeter();
    expect((await app.call("POST", `/api/quarantine/${id}/replay`)).status).toBe(409);
    expect(await counted()).toEqual([]);
  });

  test("[EVT7] waits once however often it is sent, and only so many wait: then nothing of the request is taken", async () => {
    const id = await setAside(order("again", {}));
    expect(await setAside(order("again", {}))).toBe(id);
    expect((await app.call("GET", `/api/quarantine/${id}`)).body).toMatchObject({ received: 2 });
    for (const more of ["b", "c", "d"]) await setAside(order(more, {}));
    await makeMeter();
    expect(await app.send([order("good", { amount: 1 }), order("e", {})])).toMatchObject({
      status: 429,
      body: { error: { code: "quarantine.full", retryable: false } },
    });
    expect(await counted()).toEqual([]);
    await app.call("DELETE", `/api/quarantine/${id}?reason=room`);
    expect((await app.send([order("good", { amount: 1 }), order("e", {})])).body).toMatchObject({ accepted: 1 });
  });

  test("pages of it are the whole list, newest first, narrowed by code", async () => {
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) ids.unshift(await setAside(order(name, {})));
    await setAside(order("forged", {}, { source: "gristmill" }));
    const found: string[] = [];
    let after = "";
    for (let more = true; more; ) {
      const { body } = await app.call("GET", `/api/quarantine?limit=2&code=meter.unknown${after}`);
      found.push(...body.data.map((each: { id: string }) => each.id));
      after = `&after=${body.last_id}`;
      more = body.has_more;
    }
    expect(found).toEqual(ids);
  });
});
