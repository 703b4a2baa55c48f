import type { ServerResponse } from "node:http";
import type { RunEvent } from "@gristmill/contract";
import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";

const event = (id: number, type: RunEvent["type"], data: object = {}): RunEvent => ({
  id,
  type,
  at: "2026-01-01T00:00:00Z",
  data: { ...data },
});
const write = (response: ServerResponse, ...events: RunEvent[]): void => {
  for (const one of events) response.write(`id: ${one.id}\nevent: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`);
};
const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { "content-type": "text/event-stream" });
const progress = {
  epoch: 1,
  epochs: 1,
  step: 5,
  steps: 10,
  samples_per_second: 100,
  seconds_left: 1,
  metrics: { loss: 0.5 },
};

it("yields each event once although the connection breaks and the server repeats itself", async () => {
  const { baseUrl, received } = await serve((request, response, call) => {
    stream(response);
    if (call === 1) {
      write(response, event(1, "run.queued"), event(2, "run.started"));
      setTimeout(() => response.destroy(), 20);
    } else {
      expect(request.headers["last-event-id"]).toBe("2");
      write(response, event(2, "run.started"), event(3, "run.progress", progress), event(4, "run.succeeded"));
      response.end();
    }
  });
  const seen: number[] = [];
  for await (const { id } of new Gristmill({ baseUrl, apiKey: "k" }).runs.events("run_1")) seen.push(id);
  expect(seen).toEqual([1, 2, 3, 4]);
  expect(received).toHaveLength(2);
});

it("waits to the end, tells progress, and answers with the run as it then is", async () => {
  const { baseUrl } = await serve((request, response) => {
    if (!request.path.endsWith("/events")) return sendJson(response, 200, { id: "run_1", status: "failed" });
    write(stream(response), event(1, "run.progress", progress), event(2, "run.failed"));
    response.end();
  });
  const steps: number[] = [];
  const run = await new Gristmill({ baseUrl, apiKey: "k" }).runs.wait("run_1", {
    onProgress: ({ step }) => steps.push(step),
  });
  expect(steps).toEqual([5]);
  expect(run.status).toBe("failed");
});

it("ends when the last event was seen before", async () => {
  const { baseUrl } = await serve((request, response) =>
    request.path.endsWith("/events")
      ? stream(response).end(": nothing new\n\n")
      : sendJson(response, 200, { id: "run_1", finished_at: "2026-01-01T00:00:00Z" }),
  );
  const events = new Gristmill({ baseUrl, apiKey: "k" }).runs.events("run_1", { after: 7 });
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

it("stops at once when the caller aborts, and closes the connection", async () => {
  let closed: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { baseUrl } = await serve((_, response) => {
    response.on("close", () => closed?.());
    write(stream(response), event(1, "run.queued"));
  });
  const controller = new AbortController();
  const events = new Gristmill({ baseUrl, apiKey: "k" }).runs.events("run_1", { signal: controller.signal });
  expect((await events.next()).value).toMatchObject({ id: 1 });
  controller.abort(new Error("enough"));
  await expect(events.next()).rejects.toThrow("enough");
  await gone;
});

it("does not come back after a refusal that repeating can't mend", async () => {
  const { baseUrl, received } = await serve((_, response) =>
    sendJson(response, 404, {
      error: { code: "run.not_found", message: "No run.", help: "", retryable: false, request_id: "r", details: {} },
    }),
  );
  await expect(new Gristmill({ baseUrl, apiKey: "k" }).runs.wait("run_x")).rejects.toMatchObject({
    code: "run.not_found",
  });
  expect(received).toHaveLength(1);
});
