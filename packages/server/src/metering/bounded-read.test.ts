import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { boundedRead } from "./bounded-read.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

test("[MET31] a reading that takes too long is ended, told to its caller as theirs, and leaves the session as it was", async () => {
  const { db } = database;
  await expect(
    boundedRead(db, (transaction) => sql`select pg_sleep(30)`.execute(transaction), 50),
  ).rejects.toMatchObject({
    code: "request.invalid",
    message: expect.stringContaining("0.05 s"),
  });
  const { rows } = await boundedRead(db, (transaction) => sql<{ one: number }>`select 1 as one`.execute(transaction));
  expect(rows).toEqual([{ one: 1 }]);
  const after = await sql<{ value: string }>`select current_setting('statement_timeout') as value`.execute(db);
  expect(after.rows).toEqual([{ value: "0" }]);
});

test("[MET31] a failure of the reading itself stays what it is", async () => {
  await expect(boundedRead(database.db, (transaction) => sql`select 1 / 0`.execute(transaction))).rejects.toMatchObject(
    {
      code: "22012",
    },
  );
});
