import { request as httpRequest } from "node:http";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../ids.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { type Hooks, type KeyedServer, type KeyedServerOptions, keyedServer } from "./testing/keyed-server.ts";

let database: TestDatabase;
let project: ProjectId;
let servers: KeyedServer[] = [];
let projects = 0;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  project = await insertTestProject(database.db, `project ${++projects}`);
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  servers = [];
});

async function serve(options: Partial<KeyedServerOptions> = {}): Promise<KeyedServer> {
  const server = await keyedServer({ db: database.db, ...options });
  servers.push(server);
  return server;
}

interface Call {
  readonly path?: string;
  readonly key?: string;
  readonly caller?: string;
  readonly headers?: Record<string, string>;
}
async function post(server: KeyedServer, payload: object | Buffer, call: Call = {}) {
  const answer = await server.http.app.inject({
    method: "POST",
    url: call.path ?? "/test/use",
    headers: {
      authorization: `Bearer ${call.caller ?? `${project}/key_1`}`,
      ...(call.key === undefined ? {} : { "idempotency-key": call.key }),
      ...call.headers,
    },
    payload,
  });
  const { statusCode: status, headers, body } = answer;
  const isReplayed = headers["idempotent-replayed"] === "true";
  const code = body.startsWith("{") ? (JSON.parse(body).error?.code as string | undefined) : undefined;
  return { status, headers, body, isReplayed, code };
}

/** What the project was charged: "requests images". */
async function charged(): Promise<string> {
  const { rows } = await sql<{ meter: string; sum: string }>`
    select meter, sum(quantity)::text as sum from usage_event where project_id = ${project} group by meter`.execute(
    database.db,
  );
  const of = (meter: string) => rows.find((row) => row.meter === meter)?.sum ?? "0";
  return `${of("service.requests")} ${of("service.images")}`;
}
const openClaims = async (): Promise<number> =>
  (await sql`select from reservation where project_id = ${project}`.execute(database.db)).rows.length;
const rows = async () =>
  (
    await sql<{ state: string; text: string; size_bytes: number }>`
      select state, size_bytes, encode(coalesce(sealed, ''), 'escape') as text from idempotent_answer
      where project_id = ${project}`.execute(database.db)
  ).rows;

describe("the same request", () => {
  test("[IDM1] is worked on and charged once; its repeats get the same bytes, marked as replays", async () => {
    const server = await serve();
    const first = await post(server, { say: "ü", images: 3 }, { key: "k" });
    expect(first).toMatchObject({ status: 201, isReplayed: false });
    for (let repeat = 0; repeat < 3; repeat++) {
      const again = await post(server, { images: 3, say: "ü" }, { key: "k" });
      expect(again).toMatchObject({ status: 201, isReplayed: true, body: first.body });
      expect(again.headers["x-said"]).toBe(first.headers["x-said"]);
      expect(again.headers["content-type"]).toBe(first.headers["content-type"]);
    }
    expect([server.runs(), await charged(), await openClaims()]).toEqual([1, "1 3", 0]);
  });

  test("[IDM1] is the same on every server, and with another key or without one is another request", async () => {
    const [one, two] = [await serve(), await serve()];
    const first = await post(one, { say: "a" }, { key: "k" });
    expect(await post(two, { say: "a" }, { key: "k" })).toMatchObject({ isReplayed: true, body: first.body });
    for (const call of [{ key: "k2" }, {}, {}])
      expect(await post(one, { say: "a" }, call)).toMatchObject({ status: 201, isReplayed: false });
    expect(await charged()).toBe("4 4");
  });

  test("[IDM1] may answer bytes or nothing", async () => {
    const server = await serve();
    const call = { path: "/test/bytes", key: "k", headers: { "content-type": "application/octet-stream" } };
    const bytes = Buffer.from([0, 255, 1, 254]);
    const first = await post(server, bytes, call);
    expect(await post(server, bytes, call)).toMatchObject({ status: 200, isReplayed: true, body: first.body });
    expect(await post(server, Buffer.from([1]), call)).toMatchObject({ code: "idempotency.mismatch" });
    const empty = { ...call, key: "none" };
    for (const isReplayed of [false, true])
      expect(await post(server, Buffer.alloc(0), empty)).toMatchObject({ status: 204, isReplayed, body: "" });
    expect(server.runs()).toBe(2);
  });

  test("[IDM2] of a stream is replayed whole and charged once", async () => {
    const server = await serve();
    const call = { path: "/test/stream", key: "k" };
    const first = await post(server, { say: "hi" }, call);
    expect(first.body).toBe("data: hi 0 \n\ndata: hi 1 \n\ndata: hi 2 \n\n");
    const again = await post(server, { say: "hi" }, call);
    expect(again).toMatchObject({ isReplayed: true, body: first.body });
    expect(again.headers["content-type"]).toBe("text/event-stream");
    expect([server.runs(), await charged()]).toEqual([1, "1 3"]);
  });

  test("[IDM4] that comes while the first is worked on waits for its answer, on this server and on others", async () => {
    const gate = Promise.withResolvers<void>();
    const servers = [await serve({ hooks: { worked: () => gate.promise } }), await serve()];
    const first = post(servers[0] as KeyedServer, { say: "a" }, { key: "k" });
    await expect.poll(() => servers[0]?.runs()).toBe(1);
    const twins = Array.from({ length: 12 }, (_, index) =>
      post(servers[index % 2] as KeyedServer, { say: "a" }, { key: "k" }),
    );
    expect(await post(servers[1] as KeyedServer, { say: "b" }, { key: "k" })).toMatchObject({ status: 409 });
    gate.resolve();
    const { body } = await first;
    for (const twin of await Promise.all(twins)) expect(twin).toMatchObject({ status: 201, isReplayed: true, body });
    expect([servers[0]?.runs(), servers[1]?.runs(), await charged()]).toEqual([1, 0, "1 1"]);
  });

  test("[IDM4] sent twenty times at once to three servers is worked on once", async () => {
    const three = [await serve(), await serve(), await serve()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => post(three[index % 3] as KeyedServer, { images: 2 }, { key: "k" })),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(answers.filter(({ isReplayed }) => !isReplayed)).toHaveLength(1);
    expect([three.reduce((sum, server) => sum + server.runs(), 0), await charged()]).toEqual([1, "1 2"]);
  });

  test("[IDM4] does not wait for ever, nor do more wait than there is room for, nor one whose client has left", async () => {
    const gate = Promise.withResolvers<void>();
    const hooks: Hooks = { worked: () => gate.promise };
    const server = await serve({ hooks, limits: { waitMs: 100 } });
    const first = post(server, { say: "a" }, { key: "k" });
    await expect.poll(() => server.runs()).toBe(1);
    const late = await post(server, { say: "a" }, { key: "k" });
    expect(late).toMatchObject({ status: 409, code: "idempotency.in_progress" });
    expect(JSON.parse(late.body).error).toMatchObject({ retryable: true, details: { retry_after_ms: 1000 } });
    const full = await serve({ limits: { seats: { total: 100, perProject: 0 }, waitMs: 60_000 } });
    expect(await post(full, { say: "a" }, { key: "k" })).toMatchObject({ code: "idempotency.in_progress" });
    const patient = await serve({ limits: { waitMs: 600_000 } });
    const port = await patient.http.listen("127.0.0.1", 0);
    const leaving = httpRequest({
      port,
      method: "POST",
      path: "/test/use",
      headers: { authorization: `Bearer ${project}/key_1`, "idempotency-key": "k", "content-type": "application/json" },
    });
    leaving.on("error", () => {});
    leaving.end(JSON.stringify({ say: "a" }));
    await new Promise((resolve) => leaving.once("socket", (socket) => socket.once("connect", resolve)));
    leaving.destroy();
    gate.resolve();
    await first;
    expect(patient.runs()).toBe(0);
  });
});

describe("another request", () => {
  test("[IDM3] with the same key is refused, whatever differs: body, query, caller", async () => {
    const server = await serve();
    await post(server, { say: "a" }, { key: "k" });
    const others: [object, Call][] = [
      [{ say: "b" }, {}],
      [{ say: "a", images: 2 }, {}],
      [{ say: "a" }, { path: "/test/use?x=1" }],
      [{ say: "a" }, { caller: `${project}/key_2` }],
    ];
    for (const [body, call] of others)
      expect(await post(server, body, { key: "k", ...call })).toMatchObject({
        status: 409,
        code: "idempotency.mismatch",
      });
    expect([server.runs(), await charged()]).toEqual([1, "1 1"]);
  });

  test("[IDM3] is one of another project, or to another route, with the same key", async () => {
    const server = await serve();
    const other = await insertTestProject(database.db, `project ${++projects}`);
    const answers = [
      await post(server, { say: "a" }, { key: "k" }),
      await post(server, { say: "a" }, { key: "k", caller: `${other}/key_1` }),
      await post(server, { say: "a" }, { key: "k", path: "/test/free" }),
    ];
    expect(answers.map(({ status, isReplayed }) => [status, isReplayed])).toEqual(
      [201, 201, 201].map((s) => [s, false]),
    );
    expect(new Set(answers.map(({ body }) => body)).size).toBe(3);
  });

  test.each(["", "x".repeat(256)])("a key of %# characters beyond 1 to 255 is refused", async (key) => {
    const server = await serve();
    expect(await post(server, {}, { key })).toMatchObject({ status: 400, code: "request.invalid" });
    expect(server.runs()).toBe(0);
  });
});

describe("a failure", () => {
  test("[IDM5] that would come again is kept and replayed byte for byte", async () => {
    const server = await serve();
    const first = await post(server, { fail: "engine.input_invalid" }, { key: "k" });
    expect(first).toMatchObject({ status: 400, isReplayed: false, code: "engine.input_invalid" });
    const again = await post(server, { fail: "engine.input_invalid" }, { key: "k" });
    expect({ ...JSON.parse(again.body).error, request_id: "" }).toEqual({
      ...JSON.parse(first.body).error,
      request_id: "",
    });
    expect(again).toMatchObject({ status: 400, isReplayed: true, body: first.body });
    expect([server.runs(), await charged(), await openClaims()]).toEqual([1, "0 0", 0]);
  });

  test.each(["engine.queue_full", "internal", "budget.exceeded"])(
    "[IDM5] that may pass (%s) is not kept: the next request of the key is worked on",
    async (fail) => {
      const server = await serve();
      for (let tries = 1; tries <= 3; tries++) {
        const answer = await post(server, { fail }, { key: "k" });
        expect(answer).toMatchObject({ isReplayed: false, code: fail });
        expect(server.runs()).toBe(tries);
      }
      expect(await openClaims()).toBe(0);
    },
  );

  test("[IDM6] to learn whether the ledger wrote is worked on again under the same request id, and charged once", async () => {
    let isLost = true;
    const server = await serve({
      wrapLedger: (ledger) => ({
        reserve: (request, options) => ledger.reserve(request, options),
        release: (reservation) => ledger.release(reservation),
        record: (...args) => ledger.record(...args),
        claim: (...args) => ledger.claim(...args),
        settle: async (reservation, events) => {
          await ledger.settle(reservation, events);
          // It is written, and the word of it is lost.
          if (isLost) throw Object.assign(new Error("lost"), { code: "ECONNRESET" });
        },
      }),
    });
    expect(await post(server, { images: 2 }, { key: "k" })).toMatchObject({ status: 500 });
    expect(await charged()).toBe("1 2");
    isLost = false;
    expect(await post(server, { images: 2 }, { key: "k" })).toMatchObject({ status: 201, isReplayed: false });
    expect([server.runs(), await charged()]).toEqual([2, "1 2"]);
  });
});

describe("an answer", () => {
  test("[IDM7] that is too large is charged once and not replayed, streams too", async () => {
    const server = await serve({ limits: { answerBytes: 1000 } });
    for (const path of ["/test/use", "/test/stream"]) {
      const first = await post(server, { size: 1000 }, { key: "k", path });
      expect(first.isReplayed).toBe(false);
      expect(first.body.length).toBeGreaterThan(1000);
      const again = await post(server, { size: 1000 }, { key: "k", path });
      expect(again).toMatchObject({ status: 409, code: "idempotency.not_replayable" });
    }
    expect([server.runs(), await charged()]).toEqual([2, "2 4"]);
    expect((await rows()).map(({ state, size_bytes }) => [state, size_bytes])).toEqual([
      ["not_kept", 0],
      ["not_kept", 0],
    ]);
  });

  test("[IDM8] is encrypted where it lies, with its place, and unreadable with another secret", async () => {
    const server = await serve();
    await post(server, { say: "a plain word" }, { key: "k" });
    await post(server, { say: "a plain word" }, { key: "k2" });
    for (const { text, state } of await rows()) {
      expect(state).toBe("kept");
      expect(text).not.toContain("plain word");
    }
    const dump = await sql<{ row: string }>`select to_jsonb(a)::text as row from idempotent_answer a`.execute(
      database.db,
    );
    expect(JSON.stringify(dump.rows)).not.toContain("plain word");
    const other = await serve({ secret: "another" });
    expect(await post(other, { say: "a plain word" }, { key: "k" })).toMatchObject({
      code: "idempotency.not_replayable",
    });
    // An answer moved to another key's place is not opened there.
    await sql`update idempotent_answer a set sealed = b.sealed from idempotent_answer b
      where a.project_id = ${project} and b.project_id = ${project} and a.key_sha256 <> b.key_sha256`.execute(
      database.db,
    );
    expect(await post(server, { say: "a plain word" }, { key: "k" })).toMatchObject({
      code: "idempotency.not_replayable",
    });
    expect([server.runs(), other.runs()]).toEqual([2, 0]);
  });

  test("[IDM9] is kept for a day and then removed; the key is then free for any request", async () => {
    const server = await serve({ everyMs: 3_600_000 });
    await post(server, { say: "a" }, { key: "k" });
    const { rows: kept } = await sql<{ hours: number }>`
      select extract(epoch from expires_at - started_at)::float8 / 3600 as hours from idempotent_answer
      where project_id = ${project}`.execute(database.db);
    expect(kept[0]?.hours).toBeCloseTo(24, 3);
    const expire = sql`update idempotent_answer set expires_at = now() where project_id = ${project}`;
    await expire.execute(database.db);
    expect(await post(server, { say: "b" }, { key: "k" })).toMatchObject({ status: 201, isReplayed: false });
    expect(await rows()).toHaveLength(1);
    await expire.execute(database.db);
    await serve();
    await expect.poll(rows).toEqual([]);
  });

  test("[IDM10] of a stream whose reader left is not replayed, and charged once for what was made", async () => {
    const part = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const hooks: Hooks = {
      part: async (number, signal) => {
        if (number < 2) return;
        reached.resolve();
        signal.addEventListener("abort", () => part.resolve(), { once: true });
        await part.promise;
        signal.throwIfAborted();
      },
    };
    const server = await serve({ hooks });
    const port = await server.http.listen("127.0.0.1", 0);
    const reading = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/test/stream`, {
      method: "POST",
      headers: { authorization: `Bearer ${project}/key_1`, "idempotency-key": "k", "content-type": "application/json" },
      body: JSON.stringify({ say: "hi" }),
      signal: reading.signal,
    });
    await answer.body?.getReader().read();
    await reached.promise;
    reading.abort();
    await expect.poll(charged).toBe("1 2");
    await expect.poll(rows).toMatchObject([{ state: "not_kept" }]);
    const again = await post(server, { say: "hi" }, { key: "k", path: "/test/stream" });
    expect(again).toMatchObject({ status: 409, code: "idempotency.not_replayable" });
    expect([server.runs(), await charged(), await openClaims()]).toEqual([1, "1 2", 0]);
  });

  test("[IDM11] is not kept beyond a project's share, and beyond its number of keys new ones are refused", async () => {
    const server = await serve({ quotas: { answers: 3, bytes: 1 } });
    await post(server, { say: "a" }, { key: "1" });
    await post(server, { say: "a" }, { key: "2" });
    expect(await post(server, { say: "a" }, { key: "1" })).toMatchObject({ isReplayed: true });
    expect(await post(server, { say: "a" }, { key: "2" })).toMatchObject({ code: "idempotency.not_replayable" });
    await post(server, { say: "a" }, { key: "3" });
    expect(await post(server, { say: "a" }, { key: "4" })).toMatchObject({ status: 429, code: "limit.exceeded" });
    expect(await post(server, { say: "a" }, { key: "1" })).toMatchObject({ isReplayed: true });
    expect(await post(server, { say: "a" })).toMatchObject({ status: 201 });
    expect([server.runs(), await charged()]).toEqual([4, "4 4"]);
    await sql`delete from idempotent_answer where project_id = ${project}`.execute(database.db);
    await expect.poll(async () => (await post(server, { say: "a" }, { key: newId("request") })).status).toBe(201);
  });
});
