import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { createDatabase } from "./pool.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.close());

const kept = sql<{ statement: string }>`select statement from pg_prepared_statements order by statement`;

test("a pool that prepares keeps each statement with parameters once, and answers as another does", async () => {
  const pool = createDatabase(database.connection, { max: 1, isPrepared: true });
  try {
    for (const value of [1, 2, 3]) {
      const { rows } = await sql<{ value: number }>`select ${value}::integer + 1 as value`.execute(pool);
      expect(rows).toEqual([{ value: value + 1 }]);
      await sql`select 1`.execute(pool);
    }
    await expect(sql`select ${"x"}::integer`.execute(pool)).rejects.toThrow(/invalid input/);
    expect((await kept.execute(pool)).rows).toEqual([
      { statement: "select $1::integer" },
      { statement: "select $1::integer + 1 as value" },
    ]);
    expect((await kept.execute(database.db)).rows).toEqual([]);
  } finally {
    await pool.destroy();
  }
});

test("a pool that prepares keeps a bounded number of statements", async () => {
  const pool = createDatabase(database.connection, { max: 1, isPrepared: true });
  try {
    for (let number = 0; number < 120; number++)
      expect((await sql`select ${number}::integer as ${sql.ref(`n${number}`)}`.execute(pool)).rows).toEqual([
        { [`n${number}`]: number },
      ]);
    expect((await kept.execute(pool)).rows).toHaveLength(100);
  } finally {
    await pool.destroy();
  }
});

test("a pool that prepares goes on in a new session after it lost one", async () => {
  const pool = createDatabase(database.connection, { max: 1, isPrepared: true });
  try {
    const ask = () => sql<{ pid: number }>`select pg_backend_pid() as pid where ${1} = 1`.execute(pool);
    const before = (await ask()).rows[0]?.pid;
    await sql`select pg_terminate_backend(${before}::integer)`.execute(database.db);
    await expect
      .poll(() =>
        ask().then(
          ({ rows }) => typeof rows[0]?.pid === "number" && rows[0].pid !== before,
          () => false,
        ),
      )
      .toBe(true);
  } finally {
    await pool.destroy();
  }
});
