import { sql } from "kysely";
import { expect, test } from "vitest";
import { createDatabase } from "../db/pool.ts";
import { insertTestProject, testDatabase } from "./database.ts";

test("a test's database is migrated, empty, and its own", async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  try {
    await insertTestProject(one.db);
    const count = async (db: typeof one.db) =>
      (await sql<{ n: string }>`select count(*) as n from project`.execute(db)).rows[0]?.n;
    expect(await count(one.db)).toBe("1");
    expect(await count(two.db)).toBe("0");
    const fsync = await sql<{ fsync: string }>`show fsync`.execute(one.db);
    expect(fsync.rows[0]?.fsync).toBe("on");
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
});

test("closing names the sessions that a test forgot", async () => {
  const { connection, close } = await testDatabase();
  const forgotten = createDatabase(connection);
  await sql`select 'left open'`.execute(forgotten);
  await expect(close()).rejects.toThrow(/did not close 1 session.*left open/);
  await forgotten.destroy();
});
