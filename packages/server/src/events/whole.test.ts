import { afterAll, beforeAll, expect, test } from "vitest";
import { testAdminKey, testApp } from "../testing/app.ts";
import { type Answered, cloudEventOf } from "./testing/events-app.ts";

let platform: Awaited<ReturnType<typeof testApp>>;

beforeAll(async () => {
  platform = await testApp();
});
afterAll(() => platform.close());

async function call(method: string, path: string, body?: unknown, type = "application/json") {
  const answer = await fetch(`${platform.app.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${testAdminKey}`, ...(body === undefined ? {} : { "content-type": type }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const told: Answered["body"] = await answer.json();
  return { status: answer.status, body: told };
}

test("[EVT5] on the whole platform, what others count is priced, reported, corrected and told by the audit log", async () => {
  const meter = {
    name: "shop.orders",
    event_type: "shop.order",
    aggregation: "sum",
    value_property: "$.n",
    unit: "order",
  };
  expect((await call("POST", "/api/meters", meter)).status).toBe(201);
  const price = await call("POST", "/api/prices", { meter: "shop.orders", amount: "0.25" });
  expect(price.status).toBe(201);
  const begins = Date.parse(price.body.effective_from);
  const at = (ms: number) => new Date(begins + ms).toISOString();

  const send = (events: readonly unknown[]) =>
    call("POST", "/api/events", events, "application/cloudevents-batch+json");
  const sent = await send([
    cloudEventOf("before the price", { n: 100 }, { time: at(-1) }),
    cloudEventOf("one", { n: 3 }, { time: at(0) }),
    cloudEventOf("two", { n: "4" }, { time: at(1) }),
  ]);
  expect(sent).toMatchObject({ status: 202, body: { accepted: 3, duplicates: 0, quarantined: [] } });
  expect((await send([cloudEventOf("two", { n: "4" }, { time: at(1) })])).body).toMatchObject({
    accepted: 0,
    duplicates: 1,
  });

  const report = async () => {
    const span = `from=${at(0)}&to=${at(2)}`;
    return (await call("GET", `/api/usage?${span}&meter=shop.orders`)).body;
  };
  expect(await report()).toMatchObject({
    exact_total: "1.75",
    unpriced_events: 0,
    data: [{ events: 2, quantity: "7" }],
  });
  const corrected = { source: "shop/checkout", id: "one", reason: "a refund" };
  expect((await call("POST", "/api/corrections", corrected)).status).toBe(201);
  expect(await report()).toMatchObject({ exact_total: "1", unpriced_events: 0 });
  const early = (await call("GET", `/api/usage/events?meter=shop.orders&to=${at(0)}`)).body.data;
  expect(early).toMatchObject([{ id: "before the price", price_id: null }]);

  const audited = (await call("GET", "/api/audit-log?limit=100")).body.data.map(
    (entry: { action: string }) => entry.action,
  );
  expect(audited).toEqual(expect.arrayContaining(["meter.created", "events.corrected"]));
});
