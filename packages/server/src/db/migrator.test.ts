import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { withSession } from "./connection.ts";
import { migrations } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";
import { appliedMigrations, migrate } from "./migrator.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.close());

const next: Migration = { name: "9999-next", up: "create table next (n int); insert into next values (1);" };

test("[DB13] the list is in order, named for it, and applied as a whole", async () => {
  const names = migrations.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  for (const name of names) expect(name).toMatch(/^\d{4}-[a-z-]+$/);
  expect(await appliedMigrations(database.connection)).toEqual(names);
  expect(await migrate(database.connection)).toEqual([]);
});

describe("[DB13] a migrator", () => {
  test("applies what is missing, once, also when several run at the same moment", async () => {
    const list = [...migrations, next];
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database.connection, list)));
    expect(applied.flat()).toEqual(["9999-next"]);
    const { rows } = await sql<{ n: number }>`select n from next`.execute(database.db);
    expect(rows).toEqual([{ n: 1 }]);
  });

  test("leaves nothing of a migration that fails, and can be run again", async () => {
    const broken: Migration = { name: "9999-next", up: "create table half (n int); select 1 / 0;" };
    await expect(migrate(database.connection, [...migrations, broken])).rejects.toThrow(/9999-next.*division by zero/);
    expect(await appliedMigrations(database.connection)).not.toContain("9999-next");
    const half = await sql<{ there: boolean }>`select to_regclass('half') is not null as there`.execute(database.db);
    expect(half.rows).toEqual([{ there: false }]);
    expect(await migrate(database.connection, [...migrations, next])).toEqual(["9999-next"]);
  });

  test("refuses a database of a newer version, and changes nothing", async () => {
    await migrate(database.connection, [...migrations, next]);
    await expect(migrate(database.connection)).rejects.toMatchObject({
      code: "home.newer",
      details: { migration: "9999-next" },
    });
    expect(await appliedMigrations(database.connection)).toContain("9999-next");
  });

  test("refuses a database whose migration has another text", async () => {
    const [first, ...rest] = migrations;
    if (first === undefined) throw new Error("no migrations");
    const changed = [{ ...first, up: `${first.up} -- edited` }, ...rest];
    await expect(migrate(database.connection, changed)).rejects.toMatchObject({ code: "home.newer" });
  });
});

test("a database that was never migrated has no migrations", async () => {
  await sql`drop table migration`.execute(database.db);
  expect(await appliedMigrations(database.connection)).toEqual([]);
});

describe("the pool", () => {
  test("[DB16] passes on what is the query's own fault", async () => {
    await insertTestProject(database.db, "one");
    await expect(insertTestProject(database.db, "one")).rejects.toMatchObject({ code: "23505" });
    await expect(sql`select nothing`.execute(database.db)).rejects.toMatchObject({ code: "42703" });
  });

  test("[DB7] tells a session that was ended under it as database.unavailable, and goes on", async () => {
    const ended = database.db.connection().execute(async (one) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(one);
      await withSession(database.connection, (client) =>
        client.query("select pg_terminate_backend($1)", [rows[0]?.pid]),
      );
      await sql`select 1`.execute(one);
    });
    await expect(ended).rejects.toMatchObject({ code: "database.unavailable" });
    const { rows } = await sql<{ n: number }>`select 1 as n`.execute(database.db);
    expect(rows).toEqual([{ n: 1 }]);
  });

  test("[DB7] rolls back a transaction whose session was ended", async () => {
    const failed = database.db.transaction().execute(async (trx) => {
      await insertTestProject(trx, "half");
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
    });
    await expect(failed).rejects.toMatchObject({ code: "database.unavailable" });
    const { rows } = await sql`select name from project`.execute(database.db);
    expect(rows).toEqual([]);
  });

  test("keeps money exact and times as Date", async () => {
    const { rows } = await sql<{ amount: string; big: string; at: Date }>`
      select 0.1000000000000000000001::numeric as amount, 9007199254740993::bigint as big, 'epoch'::timestamptz as at
    `.execute(database.db);
    expect(rows[0]).toEqual({ amount: "0.1000000000000000000001", big: "9007199254740993", at: new Date(0) });
  });
});
