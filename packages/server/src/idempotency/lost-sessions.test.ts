import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatabase, withSession } from "../db/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { keyedServer } from "./testing/keyed-server.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.close());

test("[IDM6] when database sessions are killed under them at any moment, keys whose requests are repeated until they are answered are charged once", {
  timeout: 240_000,
}, async () => {
  const project = await insertTestProject(database.db);
  const pools = [createDatabase(database.connection), createDatabase(database.connection)];
  const servers = await Promise.all(pools.map((db) => keyedServer({ db, limits: { waitMs: 300 } })));
  const count = 48;
  let isDone = false;
  let kills = 0;
  const killing = withSession(database.connection, async (admin) => {
    while (!isDone) {
      const killed = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')
           and (query like '%idempotent%' or query like '%ledger_%')`,
      );
      kills += killed.rowCount ?? 0;
      await sleep(3);
    }
  });
  let refusals = 0;
  const answers = new Map<string, string>();
  const client = async (number: number): Promise<void> => {
    const path = number % 3 === 0 ? "/test/stream" : "/test/use";
    for (let tries = 0; ; tries++) {
      const answer = await servers[(number + tries) % 2]?.http.app
        .inject({
          method: "POST",
          url: path,
          headers: { authorization: `Bearer ${project}/key_1`, "idempotency-key": `key ${number}` },
          payload: { images: 3 },
        })
        .catch(() => undefined); // a stream that was cut
      if (answer !== undefined && answer.statusCode < 300) {
        const known = answers.get(`${number}`);
        if (known !== undefined) return expect(answer.body).toBe(known);
        answers.set(`${number}`, answer.body);
        continue; // once more, to hear the same
      }
      refusals++;
      await sleep(5);
    }
  };
  try {
    for (let start = 0; start < count; start += 8)
      await Promise.all(Array.from({ length: 8 }, (_, index) => client(start + index)));
    isDone = true;
    await killing;
    expect(kills).toBeGreaterThan(0);
    expect(refusals).toBeGreaterThan(0);
    const { rows } = await sql<{ request_id: string; images: string; events: string }>`
      select request_id, sum(quantity) filter (where meter = 'service.images') as images, count(*) as events
      from usage_event where project_id = ${project} group by request_id`.execute(database.db);
    expect(rows).toHaveLength(count);
    for (const { images } of rows) expect(images).toBe("3");
    const open = sql`select from idempotent_answer where state in ('running', 'open')`;
    expect((await open.execute(database.db)).rows).toEqual([]);
  } finally {
    isDone = true;
    await killing;
    for (const server of servers) await server.stop();
    for (const pool of pools) await pool.destroy();
  }
});
