import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatabase, withSession } from "../db/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { linesUntilKilled, sessionsEnded } from "../testing/killed-process.ts";
import { DatabaseLedger } from "./database-ledger.ts";
import { createMetering } from "./index.ts";
import { ServerInstance } from "./server-instance.ts";
import { claimOf, eventOf, openReservations, silent, writtenIds } from "./testing/events.ts";

let database: TestDatabase;
let project: ProjectId;
let children: ChildProcess[];

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await database.close();
});

/** Runs the settling process, kills it after so many acknowledgements, and returns all that it acknowledged. */
const settleAndKill = (start: number, acknowledgements: number): Promise<readonly string[]> =>
  linesUntilKilled(
    new URL("./testing/settle-forever.ts", import.meta.url),
    [JSON.stringify(database.connection), project, String(start)],
    acknowledgements,
    (child) => children.push(child),
  );

const eventsOf = (request: string) => [`${request}:images`, `${request}:requests`];

test("[MET1] [MET2] [MET4] [MET11] after kill -9, what was acknowledged is there exactly once, whole, and open claims are ended", {
  timeout: 120_000,
}, async () => {
  const first = await settleAndKill(0, 100);
  await sessionsEnded(database.db);
  const afterFirst = await writtenIds(database.db, project);
  expect(afterFirst).toEqual(expect.arrayContaining(first.flatMap(eventsOf)));
  expect(new Set(afterFirst).size).toBe(afterFirst.length);
  const requests = [...new Set(afterFirst.map((id) => id.split(":")[0] ?? ""))];
  expect(afterFirst).toEqual(requests.flatMap(eventsOf));

  // The next process begins with the same ids, as one does that does not know what was written.
  const second = await settleAndKill(0, 200);
  await sessionsEnded(database.db);
  const afterSecond = await writtenIds(database.db, project);
  expect(afterSecond).toEqual(expect.arrayContaining([...first, ...second].flatMap(eventsOf)));
  expect(new Set(afterSecond).size).toBe(afterSecond.length);

  const metering = createMetering({ db: database.db, now: () => new Date(), log: silent, graceMs: 0 });
  await metering.start();
  try {
    expect(await openReservations(database.db)).toBe(0);
  } finally {
    await metering.stop();
  }
});

test("[MET10] when sessions are killed under it, whoever was told so has its event, once, and a repeat finds it", async () => {
  const { db } = database;
  const pool = createDatabase(database.connection);
  const ledger = new DatabaseLedger({ db: pool, log: silent, instance: () => null });
  const outcome = new Map<string, boolean>();
  let kills = 0;
  try {
    await withSession(database.connection, async (admin) => {
      let isDone = false;
      const killing = (async () => {
        while (!isDone) {
          const killed = await admin.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and query like '%ledger_settle%'`,
          );
          kills += killed.rowCount ?? 0;
          await sleep(2);
        }
      })();
      const settle = async (caller: number): Promise<void> => {
        for (let number = 0; number < 60; number++) {
          const id = `event-${caller}-${number}`;
          const isWritten = ledger.record(project, [eventOf(id)]).then(
            () => true,
            (error: unknown) => {
              expect(error).toMatchObject({ code: "database.unavailable" });
              return false;
            },
          );
          outcome.set(id, await isWritten);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, caller) => settle(caller)));
      isDone = true;
      await killing;
    });
    expect(kills).toBeGreaterThan(0);
    const told = [...outcome].filter(([, isWritten]) => isWritten).map(([id]) => id);
    const written = await writtenIds(db, project);
    expect(new Set(written).size).toBe(written.length);
    expect(written).toEqual(expect.arrayContaining(told));

    const all = [...outcome.keys()];
    await Promise.all(all.map((id) => ledger.record(project, [eventOf(id)])));
    expect(await writtenIds(db, project)).toEqual(all.toSorted());
  } finally {
    await pool.destroy();
  }
});

test("[MET10] a write whose session is killed on the way is repeated on another, and its caller notices nothing", async () => {
  const { db } = database;
  const ledger = new DatabaseLedger({ db, log: silent, instance: () => null });
  await ledger.record(project, [eventOf("before")]);
  await withSession(database.connection, async (admin) => {
    await admin.query("begin; lock table usage_event_key in exclusive mode");
    const recording = ledger.record(project, [eventOf("a")]);
    const killBlocked = async (): Promise<number> => {
      const killed = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%ledger_settle%'`,
      );
      return killed.rowCount ?? 0;
    };
    await expect.poll(killBlocked).toBe(1);
    await admin.query("commit");
    await recording;
  });
  expect(await writtenIds(db, project)).toEqual(["a", "before"]);
});

test("[MET9] readers that take every session of their pool do not hold up a ledger that has its own", async () => {
  const [readers, writer] = [
    createDatabase(database.connection, { max: 1 }),
    createDatabase(database.connection, { max: 3 }),
  ];
  const metering = createMetering({ db: readers, writer, now: () => new Date(), log: silent });
  try {
    await readers.connection().execute(async () => {
      const reservation = await metering.ledger.reserve(claimOf(project));
      await metering.ledger.settle(reservation, [eventOf("a")]);
    });
    expect(await writtenIds(database.db, project)).toEqual(["a"]);
  } finally {
    await metering.stop();
    await Promise.all([readers.destroy(), writer.destroy()]);
  }
});

test("[MET11] a server that starts ends the claims of the dead and leaves those of the living", async () => {
  const { db } = database;
  const start = async () => {
    const pool = createDatabase(database.connection);
    const metering = createMetering({ db: pool, now: () => new Date(), log: silent, graceMs: 0 });
    await metering.start();
    return { metering, pool };
  };
  const living = await start();
  const dying = await start();
  const kept = await living.metering.ledger.reserve(claimOf(project));
  await dying.metering.ledger.reserve(claimOf(project));
  await dying.metering.stop(); // its lock is free now, as after kill -9; its claim is left
  await dying.pool.destroy();
  expect(await openReservations(db)).toBe(2);

  const third = await start();
  const { rows } = await sql<{ request_id: string }>`select request_id from reservation`.execute(db);
  expect(rows).toEqual([{ request_id: kept.requestId }]);
  await living.metering.ledger.settle(kept, [eventOf("kept")]);
  for (const { metering, pool } of [living, third]) {
    await metering.stop();
    await pool.destroy();
  }
  expect(await openReservations(db)).toBe(0);
});

test("[MET11] a living server that loses the session of its lock takes it again", async () => {
  const { db } = database;
  const holders = sql<{ pid: number }>`
    select pid from pg_locks where locktype = 'advisory' and classid = 7070003 and granted
      and database = (select oid from pg_database where datname = current_database())`;
  const pool = createDatabase(database.connection);
  const instance = new ServerInstance({ db: pool, log: silent, beatMs: 50 });
  await instance.start();
  try {
    const before = (await holders.execute(db)).rows[0]?.pid;
    expect(before).toBeTypeOf("number");
    await sql`select pg_terminate_backend(${before}::integer)`.execute(db);
    const another = async () => (await holders.execute(db)).rows.some(({ pid }) => pid !== before);
    await expect.poll(another, { timeout: 10_000 }).toBe(true);
  } finally {
    await instance.stop();
    await pool.destroy();
  }
  expect((await holders.execute(db)).rows).toEqual([]);
});

test("[MET9] without its database every call is refused at once", async () => {
  const nowhere = createDatabase({ host: "/nonexistent", user: "gristmill", database: "postgres" });
  const ledger = new DatabaseLedger({ db: nowhere, log: silent, instance: () => null });
  const refused = { code: "database.unavailable" };
  await expect(ledger.reserve(claimOf(project))).rejects.toMatchObject(refused);
  await expect(ledger.record(project, [eventOf("a")])).rejects.toMatchObject(refused);
  const metering = createMetering({ db: nowhere, now: () => new Date(), log: silent });
  await expect(metering.start()).rejects.toMatchObject(refused);
  await metering.stop();
  await nowhere.destroy();
});

test("[MET9] [MET10] a database that does not answer lets callers go; what it writes later is found by a repeat", async () => {
  const { db } = database;
  const ledger = new DatabaseLedger({ db, log: silent, instance: () => null, timeoutMs: 200 });
  await ledger.record(project, [eventOf("before")]);
  await withSession(database.connection, async (admin) => {
    await admin.query("begin; lock table usage_event_key in exclusive mode");
    const late = await Promise.allSettled(["a", "b"].map((id) => ledger.record(project, [eventOf(id)])));
    expect(late.map((each) => each.status)).toEqual(["rejected", "rejected"]);
    await expect(ledger.record(project, [eventOf("c")])).rejects.toMatchObject({ code: "database.unavailable" });
    await admin.query("commit");
  });
  await expect.poll(() => writtenIds(db, project)).toEqual(["a", "before"]);
  await expect
    .poll(() =>
      ledger.record(project, [eventOf("a")]).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect(await writtenIds(db, project)).toEqual(["a", "before"]);
  await ledger.stop();
});

test("[MET12] a claim that was written for a caller who left is released", async () => {
  const { db } = database;
  const ledger = new DatabaseLedger({ db, log: silent, instance: () => null });
  const left = new AbortController();
  const reserving = ledger.reserve(claimOf(project), { signal: left.signal });
  left.abort(new Error("the client left"));
  await expect(reserving).rejects.toThrow("the client left");
  await ledger.stop();
  await expect.poll(() => openReservations(db)).toBe(0);
});
