import type { ChildProcess } from "node:child_process";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../ids.ts";
import { createMetering } from "../metering/index.ts";
import { testOrganizationId } from "../testing/caller.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { linesUntilKilled, sessionsEnded } from "../testing/killed-process.ts";
import { createAudit } from "./index.ts";
import { wholeLog } from "./testing/chained.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
let database: TestDatabase;
let project: ProjectId;
let children: ChildProcess[];

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  await sql`create table test_change (request_id text primary key)`.execute(database.db);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await database.close();
});

/** Runs the changing process, kills it after so many answers, and returns all that it answered. */
const changeAndKill = (start: number, answers: number): Promise<readonly string[]> =>
  linesUntilKilled(
    new URL("./testing/change-forever.ts", import.meta.url),
    [JSON.stringify(database.connection), project, String(start)],
    answers,
    (child) => children.push(child),
  );

test("[AUD1] [AUD2] [AUD4] servers that are killed at any moment leave no change without an entry, and the chain whole", {
  timeout: 120_000,
}, async () => {
  const { db } = database;
  const answered: string[] = [];
  for (let round = 0; round < 4; round++) {
    answered.push(...(await changeAndKill(round * 100_000, 7 + 23 * round)));
    await sessionsEnded(database.db);
  }
  const metering = createMetering({ db, now: () => new Date(), log, graceMs: 200 });
  await metering.start();
  const instance = () => metering.instance();
  const audit = createAudit({ ground: { now: () => new Date(), newId, log }, db, instance, everyMs: 50 });
  await audit.start();
  try {
    const pending = sql<{ n: number }>`select count(*)::integer as n from audit_pending`;
    await expect.poll(async () => (await pending.execute(db)).rows[0]?.n, { timeout: 20_000 }).toBe(0);
    const entries = await wholeLog(audit.log, testOrganizationId);
    const outcomes = new Map(entries.map(({ request_id, outcome }) => [request_id, outcome]));
    expect(outcomes.size).toBe(entries.length);
    const made = await sql<{ request_id: string }>`select request_id from test_change`.execute(db);
    for (const { request_id } of made.rows) expect(["succeeded", "unknown"]).toContain(outcomes.get(request_id));
    for (const requestId of answered) expect(outcomes.get(requestId)).toBe("succeeded");
    // Four servers died with up to eight changes under way each.
    const unknown = entries.filter(({ outcome }) => outcome === "unknown");
    expect(unknown.length).toBeLessThanOrEqual(32);
    expect(unknown.every(({ status, target_id }) => status === null && target_id === null)).toBe(true);
    expect(JSON.stringify(entries)).not.toContain("never");
  } finally {
    await audit.stop();
    await metering.stop();
  }
});
