import { request } from "node:http";
import { CloudEvent, type CloudEventV1, emitterFor, HTTP, Mode } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;
let url: string;

beforeAll(async () => {
  app = await eventsApp();
  const port = await app.http.listen("127.0.0.1", 0);
  url = `http://127.0.0.1:${port}/api/events`;
  const order = { event_type: "shop.order", dimensions: { country: "$.address.country", customer: "subject" } };
  for (const meter of [
    { ...order, name: "shop.revenue", aggregation: "sum", value_property: "$.amount", unit: "EUR" },
    { name: "shop.visits", event_type: "shop.visit", aggregation: "count" },
  ])
    expect((await app.call("POST", "/api/meters", meter)).status).toBe(201);
});
afterAll(() => app.close());

const order = (id: string, more: Partial<CloudEventV1<unknown>> = {}) =>
  new CloudEvent({
    id,
    source: "/shop/checkout",
    type: "shop.order",
    subject: "customer 7",
    data: { amount: "19.90", address: { country: "AT" } },
    traceid: "abc",
    ...more,
  });

/** As the official client sends, with our key beside. */
const transport = (message: { headers: Record<string, unknown>; body: unknown }) =>
  new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", headers: { ...(message.headers as Record<string, string>), authorization: "Bearer mine" } },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => (text += chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    sent.on("error", reject);
    sent.end(message.body === undefined ? undefined : String(message.body));
  });

describe("the official CloudEvents client", () => {
  test.each([
    ["structured", Mode.STRUCTURED],
    ["binary", Mode.BINARY],
  ])("[EVT1] sends in %s mode, and a repeat is a duplicate", async (name, mode) => {
    const emit = emitterFor(transport as never, { mode });
    const event = order(`client ${name}`);
    expect(await emit(event)).toMatchObject({ status: 202, body: { accepted: 1, duplicates: 0, quarantined: [] } });
    expect(await emit(event)).toMatchObject({ status: 202, body: { accepted: 0, duplicates: 1 } });
  });

  test("[EVT1] sends events without data in binary mode, and in batches", async () => {
    const visit = new CloudEvent({ id: "a visit", source: "/shop", type: "shop.visit" });
    expect(await transport(HTTP.binary(visit) as never)).toMatchObject({ status: 202, body: { accepted: 1 } });
    const batch = [order("b1"), order("b2"), order("b2")];
    const message = { headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(batch) };
    expect(await transport(message)).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 1 } });
  });

  test("[EVT9] reads events back as they were sent", async () => {
    const sent = order("there and back", { time: new Date().toISOString() });
    await transport(HTTP.structured(sent) as never);
    const answer = await app.http.app.inject({
      url: "/api/events?id=there%20and%20back",
      headers: { authorization: "Bearer mine", accept: "application/cloudevents-batch+json" },
    });
    const [back] = HTTP.toEvent({ headers: answer.headers as never, body: answer.body }) as CloudEventV1<unknown>[];
    expect(back).toEqual(sent);
  });
});
