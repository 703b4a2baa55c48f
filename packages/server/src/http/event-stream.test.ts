import { once } from "node:events";
import { AppError } from "@gristmill/contract";
import { expect, test } from "vitest";
import { EventStream, type EventStreamOptions, type EventStreamParts, eventStreamBytes } from "./event-stream.ts";

const event = (text: string): string => `data: ${text}\n\n`;

async function* of(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) yield event(text);
}

function open(parts: Partial<EventStreamParts>, options: Partial<EventStreamOptions> = {}) {
  const seen: string[] = [];
  const note = (what: string) => async () => void seen.push(what);
  const body = new EventStream({
    events: of("one", "two"),
    end: event("[DONE]"),
    failure: ({ code }) => event(code),
    close: note("closed"),
    ...parts,
  });
  const bytes = eventStreamBytes(body, {
    settle: note("settled"),
    onFailure: ({ code }) => void seen.push(`told ${code}`),
    ...options,
  });
  return { seen, bytes };
}

test("[HTTP3] every event leaves at once, and only the end waits for the settlement", async () => {
  const { seen, bytes } = open({});
  for await (const chunk of bytes) seen.push(String(chunk).trim());
  expect(seen).toEqual(["data: one", "data: two", "closed", "settled", "data: [DONE]"]);
});

test("[HTTP3] an event is not held back until the next one comes", async () => {
  const { promise: second, resolve } = Promise.withResolvers<void>();
  const events = (async function* () {
    yield event("one");
    await second;
    yield event("two");
  })();
  const { bytes } = open({ events });
  const reader = bytes[Symbol.asyncIterator]();
  expect(String((await reader.next()).value)).toBe(event("one"));
  resolve();
  expect(String((await reader.next()).value)).toBe(event("two"));
  await reader.return?.();
});

test("a failure after the first event is told by an event, and what was used is settled before it", async () => {
  const events = (async function* () {
    yield event("one");
    throw new AppError("engine.replica_died", "It died.");
  })();
  const { seen, bytes } = open({ events });
  for await (const chunk of bytes) seen.push(String(chunk).trim());
  expect(seen).toEqual(["data: one", "told engine.replica_died", "closed", "settled", "data: engine.replica_died"]);
});

test("[HTTP3] what can't be settled has no proper end", async () => {
  const settle = () => Promise.reject(new AppError("database.unavailable", "It is away."));
  const { seen, bytes } = open({}, { settle });
  const read = async () => {
    for await (const chunk of bytes) seen.push(String(chunk).trim());
  };
  await expect(read()).rejects.toThrow("It is away.");
  expect(seen.includes("data: [DONE]")).toBe(false);
  expect(seen).toContain("data: database.unavailable");
});

test("[HTTP4] a stream whose reader leaves is closed and settled once: before the first read, and while it waits", async () => {
  const unread = open({});
  unread.bytes.destroy();
  await once(unread.bytes, "close");
  await expect.poll(() => unread.seen).toEqual(["closed", "settled"]);

  const { promise: never, resolve } = Promise.withResolvers<void>();
  const waiting = open({
    events: (async function* () {
      yield event("one");
      await never;
    })(),
    close: async () => {
      waiting.seen.push("closed");
      resolve();
    },
  });
  const reader = waiting.bytes[Symbol.asyncIterator]();
  await reader.next();
  waiting.bytes.destroy();
  await expect.poll(() => waiting.seen).toEqual(["closed", "settled"]);
});

test("silence is broken by comments, which no client reads as events", async () => {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const events = (async function* () {
    await first;
    yield event("one");
  })();
  const { bytes } = open({ events }, { keepAliveMs: 5 });
  const reader = bytes[Symbol.asyncIterator]();
  expect(String((await reader.next()).value)).toBe(": keep-alive\n\n");
  resolve();
  const rest: string[] = [];
  for (let next = await reader.next(); !next.done; next = await reader.next()) rest.push(String(next.value));
  expect(rest.filter((text) => !text.startsWith(":"))).toEqual([event("one"), event("[DONE]")]);
});

test("no events at all are an end", async () => {
  const { seen, bytes } = open({ events: of(), end: "" });
  for await (const chunk of bytes) seen.push(String(chunk));
  expect(seen).toEqual(["closed", "settled"]);
});
