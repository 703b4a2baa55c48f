/** @file A run's events over connections that may break. */
import type { Run, RunEvent } from "@gristmill/contract";
import { GristmillError } from "../http/errors.ts";
import { connectionError, retryDelayMs } from "../http/retry.ts";
import { readEvents, SseParser } from "../http/sse.ts";
import type { Transport } from "../http/transport.ts";

/** Connections in a row that bring nothing new before we give up: about 20 s, so that a restart of the server passes unnoticed. */
const mostReconnects = 8;
const longestPauseMs = 5000;

/** True for the last event of a run. */
export const isFinalEvent = ({ type }: RunEvent): boolean =>
  type === "run.succeeded" || type === "run.failed" || type === "run.cancelled";

function parseEvent(data: string): RunEvent {
  try {
    return JSON.parse(data) as RunEvent;
  } catch (cause) {
    const message = `Run events: expected JSON, received ${data.slice(0, 80)}`;
    throw new GristmillError(message, { code: "client.unexpected_answer" }, cause);
  }
}

/** Yields each event once. Ends after the final one. @param after the last event already seen. */
export async function* followRun(
  transport: Transport,
  run: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  let last = after;
  for (let fruitless = 0; ; fruitless++) {
    try {
      for await (const event of connection(transport, run, last, signal)) {
        if (event.id <= last) continue;
        last = event.id;
        fruitless = 0;
        yield event;
        if (isFinalEvent(event)) return;
      }
      // A stream that ends without news may be that of a run whose last event was seen before.
      if (fruitless > 0 && (await hasEnded(transport, run, signal))) return;
    } catch (cause) {
      signal?.throwIfAborted();
      const error = cause instanceof GristmillError ? cause : connectionError(cause, "the run's event stream");
      if (!error.retryable || fruitless >= mostReconnects) throw error;
    }
    if (fruitless >= mostReconnects)
      throw new GristmillError(`The events of ${run} end before the run does.`, { code: "client.unexpected_answer" });
    await transport.pause(Math.min(retryDelayMs(fruitless + 1, null, 0.5), longestPauseMs), signal);
  }
}

async function hasEnded(transport: Transport, run: string, signal?: AbortSignal): Promise<boolean> {
  const path = `/api/runs/${encodeURIComponent(run)}`;
  const { finished_at } = await transport.json<Run>({ method: "GET", path, signal });
  return finished_at !== null;
}

async function* connection(
  transport: Transport,
  run: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  const response = await transport.send({
    method: "GET",
    path: `/api/runs/${encodeURIComponent(run)}/events`,
    headers: { accept: "text/event-stream", ...(after > 0 ? { "last-event-id": `${after}` } : {}) },
    unlimited: true,
    signal,
  });
  if (response.body === null) return;
  for await (const event of readEvents(response.body, new SseParser(`${after}`))) yield parseEvent(event.data);
}
