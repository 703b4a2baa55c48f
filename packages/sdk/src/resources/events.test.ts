import { eventLimits } from "@gristmill/contract";
import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";
import type { NewEvent } from "./events.ts";

const taking = () =>
  serve((request, response) => {
    const events = JSON.parse(String(request.body)) as { id: string }[];
    const quarantined = events.flatMap(({ id }, index) =>
      id.endsWith("0999") ? [{ index, id, code: "x", reason: "y" }] : [],
    );
    sendJson(response, 202, { accepted: events.length - quarantined.length, duplicates: 0, quarantined });
  });

async function* many(count: number, data: unknown = {}): AsyncGenerator<NewEvent> {
  for (let i = 0; i < count; i++) yield { id: String(i).padStart(4, "0"), source: "s", type: "t", data };
}

it("many events go in batches of at most 1000, and their places count over all", async () => {
  const { baseUrl, received } = await taking();
  const batches: number[] = [];
  const taken = await new Gristmill({ baseUrl, apiKey: "k" }).events.sendBatch(many(2001), {
    onBatch: ({ accepted }) => batches.push(accepted),
  });
  expect(taken).toMatchObject({ accepted: 2000, duplicates: 0, quarantined: [{ index: 999, id: "0999" }] });
  expect(batches).toEqual([999, 1999, 2000]);
  expect(received.map(({ body }) => (JSON.parse(String(body)) as unknown[]).length)).toEqual([1000, 1000, 1]);
  expect(received[0]?.headers["content-type"]).toBe("application/cloudevents-batch+json");
  expect(JSON.parse(String(received[2]?.body))).toEqual([
    { specversion: "1.0", id: "2000", source: "s", type: "t", data: {} },
  ]);
});

it("no batch is larger than the server takes, counted in bytes", async () => {
  const { baseUrl, received } = await taking();
  await new Gristmill({ baseUrl, apiKey: "k" }).events.sendBatch(many(300, "ä".repeat(15_000)));
  expect(received.length).toBeGreaterThan(1);
  for (const { body } of received) expect(body.length).toBeLessThanOrEqual(eventLimits.bodyBytes);
  expect(received.reduce((sum, { body }) => sum + (JSON.parse(String(body)) as unknown[]).length, 0)).toBe(300);
});

it("no events make no call", async () => {
  const { baseUrl, received } = await taking();
  expect(await new Gristmill({ baseUrl, apiKey: "k" }).events.sendBatch([])).toMatchObject({ accepted: 0 });
  expect(received).toEqual([]);
});

it("one event goes alone, in the structured mode", async () => {
  const { baseUrl, received } = await serve((_, response) => sendJson(response, 202, {}));
  await new Gristmill({ baseUrl, apiKey: "k" }).events.send({ id: "1", source: "s", type: "t", subject: "u" });
  expect(received[0]?.headers["content-type"]).toBe("application/cloudevents+json");
  expect(JSON.parse(String(received[0]?.body))).toEqual({
    specversion: "1.0",
    id: "1",
    source: "s",
    type: "t",
    subject: "u",
  });
});
