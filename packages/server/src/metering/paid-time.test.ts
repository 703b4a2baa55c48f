import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createMetering, type Metering, PaidTime, type PaidTimeParts } from "./index.ts";
import { type UnitBudget, unitBudget } from "./testing/unit-budget.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };

let database: TestDatabase;
let projectId: Awaited<ReturnType<typeof insertTestProject>>;
let budget: UnitBudget;
const running = new Set<Metering>();

beforeEach(async () => {
  database = await testDatabase();
  projectId = await insertTestProject(database.db);
  budget = unitBudget(200);
});
afterEach(async () => {
  for (const metering of running) await stop(metering);
  await database.close();
});

async function start(): Promise<Metering> {
  const metering = createMetering({ db: database.db, now: () => new Date(), log, policy: budget });
  running.add(metering);
  await metering.start();
  return metering;
}

async function stop(metering: Metering): Promise<void> {
  running.delete(metering);
  await metering.stop();
}

const open = async (): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`select request_id as id from reservation order by 1`.execute(database.db);
  return rows.map(({ id }) => id);
};

const room = async (): Promise<{ used: string; held: string }> => {
  const { rows } = await sql<{ used: string; held: string }>`
    select trim_scale(used)::text as used, trim_scale(held)::text as held from allowance`.execute(database.db);
  return rows[0] ?? { used: "0", held: "0" };
};

const meter = "training.seconds";
const partsOf = ({ ledger }: Metering): PaidTimeParts => ({
  ledger,
  projectId,
  keyId: null,
  idOf: (slice) => `run_x:1:${slice}`,
  use: (quantity) => ({ meter, quantity, dimensions: { run: "run_x" } }),
});
const eventOf = (id: string, quantity: string) => {
  const time = new Date();
  return { id, meter, quantity, time, admittedAt: time, requestId: null, keyId: null, dimensions: { run: "run_x" } };
};

test("[MET20] the slice that runs and the next one are claimed, and what is not used comes back", async () => {
  const paid = new PaidTime(partsOf(await start()));
  await paid.cover(0);
  expect([await open(), paid.untilMs]).toEqual([["run_x:1:0", "run_x:1:1"], 65_000]);
  await paid.cover(4_999);
  expect(paid.untilMs).toBe(65_000);
  await paid.cover(5_000);
  expect([await room(), paid.untilMs]).toEqual([{ used: "0", held: "125" }, 125_000]);
  await paid.end(1);
  expect(await open()).toEqual(["run_x:1:0"]);
  expect(await room()).toEqual({ used: "0", held: "5" });
});

test("[MET20] before a start both slices find room or none is taken; later, what is paid stays paid", async () => {
  const metering = await start();
  await budget.set(database.db, 64);
  const paid = new PaidTime(partsOf(metering));
  await expect(paid.cover(0)).rejects.toMatchObject({ code: "budget.exceeded" });
  expect([await open(), paid.untilMs]).toEqual([[], 0]);
  await budget.set(database.db, 65);
  await paid.cover(0);
  await expect(paid.cover(30_000)).rejects.toMatchObject({ code: "budget.exceeded" });
  expect([await room(), paid.untilMs]).toEqual([{ used: "0", held: "65" }, 65_000]);
});

test("[MET20] [MET11] claims of what runs outlive their server, and the next one settles or gives back exactly those", async () => {
  const first = await start();
  await new PaidTime(partsOf(first)).cover(0);
  await first.ledger.claim({ id: "of the first", projectId, keyId: null, estimates: [] });
  await stop(first); // as if killed: nothing was ended
  const second = await start();
  expect(await open()).toEqual(["run_x:1:0", "run_x:1:1"]);
  expect(await room()).toEqual({ used: "0", held: "65" });
  // Claimed again by the next server, it is the same claim.
  await new PaidTime(partsOf(second)).cover(0);
  expect(await room()).toEqual({ used: "0", held: "65" });
  await second.ledger.settle({ id: "run_x:1:0", projectId }, [eventOf("run_x:1:0", "3.5")]);
  await PaidTime.endLeft(partsOf(second), 1);
  expect(await open()).toEqual([]);
  expect(await room()).toEqual({ used: "3.5", held: "0" });
});
