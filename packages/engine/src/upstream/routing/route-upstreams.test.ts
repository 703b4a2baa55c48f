import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UpstreamOptions } from "../options.ts";
import { delta, finish, json, type ReplayServer, startReplayServer, stream } from "../testing/replay-server.ts";
import { all, calm, chatPath, connect, hello, textOf } from "../testing/world.ts";
import { routeUpstreams } from "./route-upstreams.ts";

let first: ReplayServer;
let second: ReplayServer;
beforeAll(async () => {
  [first, second] = await Promise.all([startReplayServer(), startReplayServer()]);
});
afterAll(() => Promise.all([first.close(), second.close()]));

const says = (text: string) => stream(delta({ content: text }), finish("stop"));
const broken = json({ error: "broken" }, 500);
const impatient = { retry: { retries: 0 }, breaker: { failures: 2, openMs: 60_000 } };

async function routed(more: Partial<UpstreamOptions> = {}) {
  const engines = await Promise.all([connect(first, { ...impatient, ...more }), connect(second, impatient)]);
  const engine = routeUpstreams(engines.map((engine, priority) => ({ engine, priority, weight: 1 })));
  return { engine, engines, ask: () => all(engine.chat(hello, calm)) };
}

describe("several upstreams as one", () => {
  it("a call that fails before its first piece goes to the next, and an open breaker is passed over", async () => {
    first.on(chatPath, broken);
    second.on(chatPath, says("second"));
    const { ask, engine } = await routed();
    const before = first.asked.length;
    for (let i = 0; i < 4; i++) expect(textOf(await ask())).toBe("second");
    expect(first.asked.length - before).toBe(2);
    expect(engine.load()).toMatchObject({ slots: 128, busySlots: 0 });
  });

  it("a call that has begun stays where it is", async () => {
    first.on(chatPath, { body: [`data: ${JSON.stringify(delta({ content: "a" }))}\n\n`, "cut"] });
    const before = second.asked.length;
    await expect((await routed()).ask()).rejects.toThrow("the connection to its server broke");
    expect(second.asked.length).toBe(before + 1);
  });

  it("the caller's fault is told, and not tried elsewhere", async () => {
    first.on(chatPath, json({ error: { message: "no", param: "seed" } }, 400));
    await expect((await routed()).ask()).rejects.toThrow("sampling.seed");
  });

  it("when all fail, the last failure is told; when none is available, that", async () => {
    first.on(chatPath, broken);
    second.on(chatPath, broken);
    const { ask } = await routed();
    await expect(ask()).rejects.toThrow("failed with status 500");
    await expect(ask()).rejects.toThrow("failed with status 500");
    await expect(ask()).rejects.toThrow("none of the model's servers is available now");
  });

  it("calls that are no streams go the same way", async () => {
    const facts = { abilities: { rerank: true } };
    first.on("/v1/rerank", broken);
    second.on("/v1/rerank", json({ results: [{ index: 0, score: 1 }] }));
    const engines = await Promise.all([connect(first, { ...impatient, facts }), connect(second, { facts })]);
    const engine = routeUpstreams(engines.map((engine, priority) => ({ engine, priority, weight: 1 })));
    expect(await engine.rerank({ query: "q", documents: ["d"] }, calm)).toMatchObject({ scores: [1] });
  });

  it("promises what every one of them can do", async () => {
    const facts = { contextLength: 100, abilities: { images: true } };
    const { engine } = await routed({ facts });
    expect(engine.card).toMatchObject({ contextLength: 100, abilities: { chat: true, images: false } });
  });

  it("closing closes all", async () => {
    const { engine, engines, ask } = await routed();
    await engine.close();
    await expect(ask()).rejects.toThrow("the engine is closed");
    expect(engines.map((one) => one.isAvailable())).toEqual([false, false]);
  });

  it("refuses no engines and weights that make no sense", async () => {
    const engine = await connect(first);
    expect(() => routeUpstreams([])).toThrow("expected at least one engine");
    expect(() => routeUpstreams([{ engine, weight: -1, priority: 0 }])).toThrow("a weight from 0");
  });
});
