import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createGuardedPool, type GuardedPool, type GuardedPoolOptions } from "./guarded-pool.ts";
import { type TestServer, testServer } from "./testing/servers.ts";

const open: { close(): Promise<void> }[] = [];
const serve = async (handle: RequestListener): Promise<TestServer> => {
  const server = await testServer(handle);
  open.push(server);
  return server;
};
const pooled = (origin: string, options: Partial<GuardedPoolOptions> = {}): GuardedPool => {
  const pool = createGuardedPool({ origin, allowedAddresses: ["127.0.0.0/8"], connections: 4, ...options });
  open.unshift(pool);
  return pool;
};
const call = () => ({ method: "GET" as const, headers: {}, signal: AbortSignal.timeout(10_000) });
const forbidden = expect.objectContaining({ code: "url.forbidden" });
const ok: RequestListener = (_request, response) => response.end("ok");

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe("[NET7] a pool", () => {
  it("keeps its connections", async () => {
    const server = await serve(ok);
    const pool = pooled(server.url);
    for (let i = 0; i < 20; i++) expect(await (await pool.fetch(`${server.url}/x?y=${i}`, call())).text()).toBe("ok");
    expect(server.connections()).toBeLessThanOrEqual(4);
  });

  it("goes nowhere that is not allowed, by address or by name", async () => {
    const server = await serve(ok);
    const strict = { allowedAddresses: [] };
    await expect(pooled(server.url, strict).fetch(server.url, call())).rejects.toEqual(forbidden);
    for (const addresses of [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"]]) {
      const named = `https://models.example:${server.port}`;
      const pool = pooled(named, { ...strict, lookup: async () => addresses });
      await expect(pool.fetch(`${named}/v1`, call())).rejects.toEqual(forbidden);
    }
    const publicName = { ...strict, lookup: async () => ["1.1.1.1"] };
    const plain = pooled("http://models.example", publicName).fetch("http://models.example/v1", call());
    await expect(plain).rejects.toEqual(forbidden);
    expect(server.connections()).toBe(0);
  });

  it("asks the resolver for each connection, and believes it once", async () => {
    const server = await serve((_request, response) => {
      response.setHeader("connection", "close");
      response.end("ok");
    });
    let addresses = ["127.0.0.1"];
    const named = `http://models.example:${server.port}`;
    const pool = pooled(named, { lookup: async () => addresses });
    expect(await (await pool.fetch(named, call())).text()).toBe("ok");
    addresses = ["10.0.0.1"];
    await expect(pool.fetch(named, call())).rejects.toEqual(forbidden);
    expect(server.connections()).toBe(1);
  });

  it("calls its own origin alone, and follows no redirect", async () => {
    const other = await serve(ok);
    const server = await serve((_request, response) => response.writeHead(302, { location: other.url }).end());
    const pool = pooled(server.url);
    await expect(pool.fetch(other.url, call())).rejects.toEqual(forbidden);
    expect((await pool.fetch(server.url, call())).status).toBe(302);
    expect(other.connections()).toBe(0);
  });

  it("hands an answer on as it comes, and ends it when its reader leaves or its caller aborts", async () => {
    let closed = 0;
    const server = await serve((_request, response) => {
      response.on("close", () => closed++);
      response.write("first");
    });
    const pool = pooled(server.url);
    const left = (await pool.fetch(server.url, call())).body?.getReader();
    expect(Buffer.from((await left?.read())?.value ?? []).toString()).toBe("first");
    await left?.cancel();
    const stop = new AbortController();
    const aborted = (await pool.fetch(server.url, { ...call(), signal: stop.signal })).body?.getReader();
    await aborted?.read();
    stop.abort();
    await expect(aborted?.read()).rejects.toThrow();
    for (let i = 0; closed < 2 && i < 500; i++) await sleep(20);
    expect(closed).toBe(2);
  });

  it("tells what broke, without what was sent", async () => {
    const server = await serve((request) => request.socket.destroy());
    const sent = { ...call(), headers: { authorization: "Bearer secret" } };
    const failure = await pooled(server.url)
      .fetch(server.url, sent)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "url.unreachable" });
    expect(String(failure)).not.toContain("secret");
  });
});
