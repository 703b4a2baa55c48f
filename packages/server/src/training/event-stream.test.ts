import type { RunId } from "@gristmill/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventStream } from "./event-stream.ts";
import { RunSignals } from "./signals.ts";
import { RunStore } from "./store.ts";
import type { Site } from "./testing/site.ts";
import { World } from "./testing/world.ts";

let world: World;
let site: Site; // never started: its runs stay queued
let store: RunStore;

beforeAll(async () => {
  world = await World.create();
  site = await world.site();
  store = new RunStore(world.database.db);
});

afterAll(() => world.close());

const queued = async (): Promise<RunId> => (await world.create(site)).id as RunId;

it("[RUN11] a quiet stream says that it is still there, and a reader that leaves is not waited for", async () => {
  const id = await queued();
  const signals = new RunSignals();
  const gone = new AbortController();
  const deps = { store, signals, keepAliveMs: 20 };
  const stream = eventStream(deps, { projectId: world.project, id, after: 0 }, gone.signal);
  const read = async (): Promise<string> => String((await stream.next()).value);
  expect(await read()).toBe(": events of a run\n\n");
  expect(await read()).toMatch(/^id: 1\nevent: run\.queued\ndata: \{.*\}\n\n$/);
  expect(await read()).toBe(": still here\n\n");
  const last = stream.next();
  setTimeout(() => gone.abort(), 5);
  expect(await last).toEqual({ done: true, value: undefined });
  expect(signals.size).toBe(0);
});

it("[RUN11] a stream that waits hears of news at once, and ends with the last event", async () => {
  const id = await queued();
  const signals = new RunSignals();
  const deps = { store, signals, keepAliveMs: 60_000 };
  const stream = eventStream(deps, { projectId: world.project, id, after: 1 }, new AbortController().signal);
  await stream.next();
  const next = stream.next();
  await site.runs.cancel(world.project, id);
  signals.notify(id);
  expect(String((await next).value)).toMatch(/^id: 2\nevent: run\.cancelled\n/);
  expect((await stream.next()).done).toBe(true);
  expect(signals.size).toBe(0);
});

it("[RUN11] keeps all events but old progress", async () => {
  const id = await queued();
  const key = { id, projectId: world.project };
  const progress = { type: "run.progress", data: {} } as const;
  for (let i = 0; i < 60; i++) await store.change(key, () => ({ set: {}, events: [progress, progress] }));
  await store.change(key, () => ({ set: {}, events: [{ type: "run.evaluated" }] }));
  await store.change(key, () => ({ set: {}, events: [progress] }));
  const events = await store.eventsAfter(world.project, id, 0, 1000);
  expect(events[0]?.type).toBe("run.queued");
  expect(events.at(-2)?.type).toBe("run.evaluated");
  expect(events.at(-1)).toMatchObject({ id: 123, type: "run.progress" });
  expect(events.filter(({ type }) => type === "run.progress")).toHaveLength(99);
});

it("[RUN15] nothing of a run is found in another project", async () => {
  const id = await queued();
  expect(await store.eventsAfter(world.other, id, 0, 10)).toEqual([]);
  expect(await store.find(world.other, id)).toBeUndefined();
  expect(await store.change({ id, projectId: world.other }, () => ({ set: { name: "taken" } }))).toBeUndefined();
});
