import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatabase } from "../db/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createMetering } from "./index.ts";
import { changeRules } from "./rules.ts";
import { openReservations, silent } from "./testing/events.ts";
import { createRoomTable, type Room, roomPolicy, setRooms } from "./testing/rooms.ts";

let database: TestDatabase;
let project: ProjectId;
let children: ChildProcess[];
/** What the servers printed that should not have happened. */
let faults: string[];

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  await createRoomTable(database.db);
  children = [];
  faults = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await database.close();
});

/** Starts a server that claims and settles without end. */
async function serve(callers: number): Promise<ChildProcess> {
  const script = new URL("./testing/contend.ts", import.meta.url).pathname;
  const args = [script, JSON.stringify(database.connection), project, String(callers)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) =>
    line === "ready" ? ready.resolve() : faults.push(line),
  );
  child.once("exit", (code) => ready.reject(new Error(`the server ended with ${code}`)));
  await ready.promise;
  return child;
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const rules = (...rooms: Room[]) => changeRules(database.db, (transaction) => setRooms(transaction, rooms));

interface Books {
  readonly id: string;
  readonly used: number;
  readonly held: number;
  /** By the claims that are open. */
  readonly claimed: number;
}

/** All allowances beside what open claims say, in one snapshot. */
async function books(): Promise<readonly Books[]> {
  const { rows } = await sql<Books>`
    select id, used::float8 as used, held::float8 as held, coalesce((
      select sum((hold ->> 1)::numeric) from reservation, jsonb_array_elements(holds -> 'allowances') as hold
      where hold ->> 0 = allowance.id
    ), 0)::float8 as claimed from allowance order by id`.execute(database.db);
  return rows;
}

test("[MET15] [MET16] [MET11] three servers that are killed, lose their sessions and contend for hard budgets never go beyond them, leak no hold, and note each threshold once", {
  timeout: 180_000,
}, async () => {
  const { db } = database;
  // PostgreSQL itself refuses whatever would go beyond: no moment is missed.
  await sql`
    create function never_beyond() returns trigger language plpgsql as $$
    begin
      if new.used + new.held > (select (room ->> 'capacity')::numeric from test_room where room ->> 'id' = new.id) then
        raise exception 'beyond: % used, % held', new.used, new.held;
      end if;
      return null;
    end $$`.execute(db);
  await sql`create trigger never_beyond after insert or update on allowance for each row execute function never_beyond()`.execute(
    db,
  );
  const thresholds = (amount: number) => [amount * 0.5, amount * 0.8, amount];
  const budgets = (hard: number): Room[] => [
    { id: "hard", capacity: hard, thresholds: thresholds(600) },
    { id: "soft", capacity: null, thresholds: thresholds(900) },
    { id: "wide", capacity: hard * 2 },
  ];
  let hard = 300;
  await rules(...budgets(hard));
  const servers = await Promise.all([serve(6), serve(6), serve(6)]);
  const spent = async () => (await books()).find(({ id }) => id === "soft")?.used ?? 0;

  for (let round = 0; round < 4; round++) {
    hard += 200;
    await rules(...budgets(hard));
    const before = await spent();
    await expect.poll(spent, { timeout: 20_000 }).toBeGreaterThan(before);
    for (let look = 0; look < 10; look++) {
      for (const { held, claimed } of await books()) expect(held).toBe(claimed);
      await sleep(20);
    }
    // Sessions are lost in the middle of whatever they do, those that hold the servers' locks too.
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`.execute(db);
    await kill(servers[round % 3]);
    servers[round % 3] = await serve(6);
  }
  // All that is left is spent, to the last unit that a claim can get.
  await expect
    .poll(async () => (await books()).find(({ id }) => id === "hard"), { timeout: 60_000, interval: 200 })
    .toSatisfy((state: Books | undefined) => state !== undefined && state.used + state.held > hard - 20);
  for (const server of servers) await kill(server);

  const pool = createDatabase(database.connection);
  const last = createMetering({ db: pool, now: () => new Date(), log: silent, policy: roomPolicy, graceMs: 500 });
  await last.start();
  try {
    await expect.poll(() => openReservations(db), { timeout: 20_000 }).toBe(0);
  } finally {
    await last.stop();
    await pool.destroy();
  }
  const { rows } = await sql<{ sum: number }>`select sum(quantity)::float8 as sum from usage_event`.execute(db);
  const sum = rows[0]?.sum ?? 0;
  expect(await books()).toEqual(["hard", "soft", "wide"].map((id) => ({ id, used: sum, held: 0, claimed: 0 })));
  expect(sum).toBeLessThanOrEqual(hard);
  expect(sum).toBeGreaterThan(900);
  const alerts = await sql<{ id: string; threshold: number }>`
    select allowance_id as id, threshold::float8 as threshold from allowance_alert order by 1, 2`.execute(db);
  expect(alerts.rows).toEqual([
    ...thresholds(600).map((threshold) => ({ id: "hard", threshold })),
    ...thresholds(900).map((threshold) => ({ id: "soft", threshold })),
  ]);
  expect(faults).toEqual([]);
});

test("[MET17] three servers together never admit more than a window holds, in any span of its length, and use it up", {
  timeout: 120_000,
}, async () => {
  const { db } = database;
  await rules({ id: "window", capacity: 40, seconds: 3 });
  const servers = await Promise.all([serve(8), serve(8), serve(8)]);
  const { rows: begun } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  await sleep(10_000);
  const { rows: ended } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(db);
  for (const server of servers) await kill(server);
  // Those that used nothing left no event, so what is counted here is a little less than what was admitted.
  const { rows } = await sql<{ most: number; all: number }>`
    select max(together)::integer as most, count(*)::integer as all from (
      select count(*) over (order by admitted_at range between interval '2999 milliseconds' preceding and current row)
        as together
      from usage_event
    ) as each`.execute(db);
  expect(rows[0]?.most).toBeLessThanOrEqual(40);
  const spans = Math.floor((Number(ended[0]?.at) - Number(begun[0]?.at)) / 3050);
  expect(spans).toBeGreaterThanOrEqual(3);
  expect(rows[0]?.all).toBeGreaterThan(spans * 40 * 0.6);
  expect(faults).toEqual([]);
});
