import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type Database, withSession } from "../db/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { DatabaseLedger } from "./database-ledger.ts";
import { claimOf, eventOf, openReservations, silent, writtenIds } from "./testing/events.ts";

let database: TestDatabase;
let db: Database;
let project: ProjectId;
let ledger: DatabaseLedger;
let projects = 0;

const ledgerOn = (on: Database, timeoutMs?: number) =>
  new DatabaseLedger({ db: on, log: silent, instance: () => null, ...(timeoutMs === undefined ? {} : { timeoutMs }) });

beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
});
afterAll(() => database.close());
beforeEach(async () => {
  project = await insertTestProject(db, `project ${++projects}`);
  ledger = ledgerOn(db);
});

describe("writing", () => {
  test("[MET14] a claim is found by its key, also after a vacuum has made its table look empty", async () => {
    const counts = async (): Promise<{ whole: number; byKey: number }> => {
      const { rows } = await sql<{ whole: string; by_key: string }>`
        select seq_scan as whole, coalesce(idx_scan, 0) as by_key
        from pg_stat_user_tables where relname = 'reservation'`.execute(db);
      return { whole: Number(rows[0]?.whole), byKey: Number(rows[0]?.by_key) };
    };
    await sql`vacuum analyze reservation`.execute(db);
    const before = await counts();
    // PostgreSQL tells its counts at most once a second for each session.
    for (let tries = 0; (await counts()).byKey < before.byKey + 4 && tries < 50; tries++) {
      const reservation = await ledger.reserve(claimOf(project));
      await ledger.settle(reservation, [eventOf(`vacuum ${tries}`)]);
      await sleep(100);
    }
    const after = await counts();
    expect(after.byKey).toBeGreaterThanOrEqual(before.byKey + 4);
    expect(after.whole).toBe(before.whole);
  });

  test("[MET4] a settlement writes its events and ends its reservation together", async () => {
    const reservation = await ledger.reserve(claimOf(project));
    expect(await openReservations(db)).toBe(1);
    const { requestId, admittedAt } = reservation;
    const time = new Date("2026-02-03T04:05:06.789Z");
    const more = {
      requestId,
      admittedAt,
      time,
      keyId: "key_1",
      quantity: "0.000000001",
      dimensions: { model: 'a"b\\c,{}é' },
    } as const;
    await ledger.settle(reservation, [eventOf("whole", more)]);
    expect(await openReservations(db)).toBe(0);
    const { rows } = await sql`select * from usage_event where project_id = ${project}`.execute(db);
    expect(rows).toMatchObject([
      {
        source: "gristmill",
        id: "whole",
        meter: "service.requests",
        quantity: "0.000000001",
        time,
        admitted_at: admittedAt,
        request_id: requestId,
        key_id: "key_1",
        dimensions: { model: 'a"b\\c,{}é' },
      },
    ]);
  });

  test("[MET4] a settlement whose rows are refused writes nothing, and its reservation stays open", async () => {
    const reservation = await ledger.reserve(claimOf(project));
    const elsewhere = { ...reservation, projectId: "prj_unknown" as ProjectId };
    await expect(ledger.settle(elsewhere, [eventOf("a"), eventOf("b")])).rejects.toThrow(/names no project/);
    expect(await openReservations(db)).toBe(1);
    await ledger.release(reservation);
    expect(await openReservations(db)).toBe(0);
  });

  test("[MET2] settling again changes nothing, even with other contents", async () => {
    const reservation = await ledger.reserve(claimOf(project));
    await ledger.settle(reservation, [eventOf("a", { quantity: "1" })]);
    await ledger.settle(reservation, [
      eventOf("a", { quantity: "2", time: new Date("2027-09-01T00:00:00Z") }),
      eventOf("b"),
    ]);
    const { rows } = await sql`select id, quantity from usage_event where project_id = ${project} order by id`.execute(
      db,
    );
    expect(rows).toEqual([
      { id: "a", quantity: "1" },
      { id: "b", quantity: "1" },
    ]);
  });

  test("[MET2] projects have ids of their own", async () => {
    const other = await insertTestProject(db, `project ${++projects}`);
    await Promise.all([project, other].map((each) => ledger.record(each, [eventOf("same")])));
    expect(await writtenIds(db, project)).toEqual(["same"]);
    expect(await writtenIds(db, other)).toEqual(["same"]);
  });

  test("[MET2] any history of repeats, in one call, one group, and from several servers at once, is written exactly once", async () => {
    const call = fc.record({
      server: fc.nat(1),
      ids: fc.array(fc.nat(20), { maxLength: 6 }),
      waitBefore: fc.boolean(),
    });
    const second = createDatabase(database.connection);
    const servers = [ledger, ledgerOn(second)];
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 25 }), async (calls) => {
          const prefix = `run-${++runs}-`;
          const pending: Promise<unknown>[] = [];
          for (const { server, ids, waitBefore } of calls) {
            if (waitBefore) await Promise.all(pending);
            const events = ids.map((id) => eventOf(`${prefix}${id}`, { quantity: String(id + 1) }));
            pending.push(servers[server]?.record(project, events) ?? Promise.reject(new Error("no such server")));
          }
          await Promise.all(pending);
          const expected = [...new Set(calls.flatMap(({ ids }) => ids.map((id) => `${prefix}${id}`)))].sort();
          expect((await writtenIds(db, project)).filter((id) => id.startsWith(prefix))).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    } finally {
      await second.destroy();
    }
  });

  test("[MET3] callers at the same time share commits", async () => {
    await ledger.record(project, [eventOf("first")]); // makes the month's partition
    await Promise.all(Array.from({ length: 64 }, (_, number) => ledger.record(project, [eventOf(`event-${number}`)])));
    const { rows } = await sql<{ events: number; transactions: number }>`
      select count(*)::integer as events, count(distinct xmin::text)::integer as transactions
      from usage_event where project_id = ${project} and id like 'event-%'`.execute(db);
    expect(rows).toEqual([{ events: 64, transactions: 2 }]);
  });

  test("[MET7] admission is by the database's clock, in whole milliseconds, and a repeat finds the first", async () => {
    const clock = async () =>
      (await sql<{ now: Date }>`select date_trunc('milliseconds', clock_timestamp()) as now`.execute(db)).rows[0]?.now;
    const claim = claimOf(project);
    const before = await clock();
    const { admittedAt } = await ledger.reserve(claim);
    const after = await clock();
    expect([before, admittedAt, after].toSorted((a, b) => Number(a) - Number(b))).toEqual([before, admittedAt, after]);
    const { rows } = await sql`select from reservation where admitted_at = ${admittedAt}`.execute(db);
    expect(rows).toHaveLength(1);
    const again = await ledger.reserve(claim);
    expect(again.admittedAt).toEqual(admittedAt);
    await ledger.release(again);
  });

  test("a request's id that another project has claimed is refused, and its neighbours are not", async () => {
    const other = await insertTestProject(db, `project ${++projects}`);
    const claim = claimOf(project);
    const reservation = await ledger.reserve(claim);
    const answers = await Promise.allSettled(
      [claimOf(other), claimOf(other, claim.requestId), claimOf(other)].map((each) => ledger.reserve(each)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    for (const answer of answers) if (answer.status === "fulfilled") await ledger.release(answer.value);
    await ledger.release(reservation);
    expect(await openReservations(db)).toBe(0);
  });

  test("[MET8] events that PostgreSQL refuses do not sink the group that they came with", async () => {
    const unknown = "prj_unknown" as ProjectId;
    const answers = await Promise.allSettled(
      [project, project, unknown, project].map((each, number) => ledger.record(each, [eventOf(`event-${number}`)])),
    );
    expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(await writtenIds(db, project)).toEqual(["event-0", "event-1", "event-3"]);
  });

  test("a claim and an event need a project, and a project that has either stays", async () => {
    const unknown = "prj_unknown" as ProjectId;
    await expect(ledger.reserve(claimOf(unknown))).rejects.toThrow(/names no project/);
    await expect(ledger.record(unknown, [eventOf("a")])).rejects.toThrow(/names no project/);
    const remove = () => sql`delete from project where id = ${project}`.execute(db);
    const reservation = await ledger.reserve(claimOf(project));
    await expect(remove()).rejects.toThrow(/has usage/);
    await ledger.settle(reservation, [eventOf("a")]);
    await expect(remove()).rejects.toThrow(/has usage/);
    expect(await writtenIds(db, project)).toEqual(["a"]);
  });

  test("a call without events writes nothing and resolves", async () => {
    await ledger.record(project, []);
    expect(await writtenIds(db, project)).toEqual([]);
  });
});

describe("keeping", () => {
  const statements = [
    "update usage_event set quantity = 2",
    "delete from usage_event",
    "truncate usage_event",
    "update usage_event_2026_01 set quantity = 2",
    "delete from usage_event_2026_01",
    "truncate usage_event_2026_01",
    "update usage_event_key set id = 'b'",
    "delete from usage_event_key",
    "truncate usage_event_key",
  ];

  test.each(statements)("[MET5] %s raises", async (statement) => {
    await ledger.record(project, [eventOf("kept", { time: new Date("2026-01-31T23:59:59.999Z") })]);
    await expect(sql.raw(statement).execute(db)).rejects.toThrow(/never (changed|deleted)/);
    expect(await writtenIds(db, project)).toEqual(["kept"]);
  });

  test("[MET6] an event lies in the partition of its month in UTC, which is made on demand by however many servers", async () => {
    const times = ["2030-12-31T23:59:59.999Z", "2031-01-01T00:00:00.000Z", "2031-02-28T12:00:00.000Z"];
    const second = createDatabase(database.connection);
    const events = times.map((time) => eventOf(time, { time: new Date(time) }));
    try {
      await Promise.all([ledger, ledgerOn(second), ledgerOn(second)].map((each) => each.record(project, events)));
    } finally {
      await second.destroy();
    }
    const { rows } = await sql`
      select id, tableoid::regclass::text as partition from usage_event where project_id = ${project} order by id`.execute(
      db,
    );
    expect(rows).toEqual([
      { id: times[0], partition: "usage_event_2030_12" },
      { id: times[1], partition: "usage_event_2031_01" },
      { id: times[2], partition: "usage_event_2031_02" },
    ]);
  });

  test("[MET6] months begin at midnight UTC whatever the session's time zone is", async () => {
    await withSession(database.connection, async (session) => {
      await session.query("set timezone = 'America/New_York'");
      await session.query(
        "select usage_event_partition('2032-03-31T23:00:00Z'), usage_event_partition('2032-11-15T00:00:00Z')",
      );
      await session.query("set timezone = 'UTC'");
      const bounds = await session.query<{ bounds: string }>(
        `select pg_get_expr(relpartbound, oid) as bounds from pg_class
         where relname in ('usage_event_2032_03', 'usage_event_2032_11') order by relname`,
      );
      expect(bounds.rows.map((row) => row.bounds)).toEqual([
        "FOR VALUES FROM ('2032-03-01 00:00:00+00') TO ('2032-04-01 00:00:00+00')",
        "FOR VALUES FROM ('2032-11-01 00:00:00+00') TO ('2032-12-01 00:00:00+00')",
      ]);
    });
  });

  test("[MET1] a settlement is flushed to disk when it resolves, though the database's default is not to wait", async () => {
    await withSession(database.connection, async (session) => {
      const { rows } = await session.query<{ name: string }>("select current_database() as name");
      await session.query(`alter database ${rows[0]?.name} set synchronous_commit = off`);
      const lazy = createDatabase(database.connection);
      try {
        const setting = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(lazy);
        expect(setting.rows[0]?.synchronous_commit).toBe("off");
        const settling = ledgerOn(lazy);
        for (let number = 0; number < 50; number++) {
          const before = await session.query<{ lsn: string }>("select pg_current_wal_insert_lsn()::text as lsn");
          await settling.record(project, [eventOf(`event-${number}`)]);
          // The settlement's log lies after \`before\`; what is flushed reaches beyond it only if the commit waited.
          const flushed = await session.query<{ beyond: boolean }>(
            "select pg_current_wal_flush_lsn() > $1::pg_lsn as beyond",
            [before.rows[0]?.lsn],
          );
          expect(flushed.rows[0]?.beyond).toBe(true);
        }
      } finally {
        await lazy.destroy();
        await session.query(`alter database ${rows[0]?.name} reset synchronous_commit`);
      }
    });
  });
});
