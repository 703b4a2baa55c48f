import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMetering, type Metering } from "../metering/index.ts";
import { type UnitBudget, unitBudget } from "../metering/testing/unit-budget.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createStorage, type Storage } from "./index.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };

let database: TestDatabase;
let metering: Metering;
let budget: UnitBudget;
let mine: ProjectId;
let other: ProjectId;
let stored: Map<ProjectId, bigint>;
const running = new Set<Storage>();

beforeEach(async () => {
  database = await testDatabase();
  mine = await insertTestProject(database.db, "mine");
  other = await insertTestProject(database.db, "other");
  budget = unitBudget(1_000_000);
  metering = createMetering({ db: database.db, now: () => new Date(), log, policy: budget });
  await metering.start();
  stored = new Map();
});
afterEach(async () => {
  for (const storage of running) await stop(storage);
  await metering.stop();
  await database.close();
});

async function start(): Promise<Storage> {
  const storage = createStorage({ ground: { log }, db: database.db, ledger: metering.ledger, retryMs: 20 });
  running.add(storage);
  storage.addKeeper(async () => stored);
  await storage.start();
  return storage;
}

async function stop(storage: Storage): Promise<void> {
  running.delete(storage);
  await storage.stop();
}

const events = async () => {
  const { rows } = await sql<{ id: string; project: ProjectId; bytes: string }>`
    select id, project_id as project, trim_scale(quantity)::text as bytes from usage_event
    where meter = 'data.byte_hours' order by id`.execute(database.db);
  return rows;
};

test("[STO1] [STO5] each project's bytes are counted for the hour, once, however often the server starts", async () => {
  stored = new Map([
    [mine, 5000n],
    [other, 70n],
  ]);
  const first = await start();
  await expect.poll(events).toMatchObject([{}, {}]);
  await stop(first);
  const second = await start();
  await second.checkPaid(mine);
  await stop(second);
  const found = await events();
  expect(found.map(({ project, bytes }) => [project, bytes]).sort()).toEqual(
    [
      [mine, "5000"],
      [other, "70"],
    ].sort(),
  );
  for (const { id, project } of found)
    expect(id).toMatch(new RegExp(`^${project}:storage:\\d{4}-\\d\\d-\\d\\dT\\d\\d$`));
});

test("[STO1] an hour that was paid when its server died is not paid again", async () => {
  stored.set(mine, 5000n);
  const first = await start();
  await expect.poll(events).toHaveLength(1);
  await stop(first);
  // Dead between the ledger and the row.
  await sql`delete from stored_hour`.execute(database.db);
  const second = await start();
  await expect.poll(async () => (await sql`select from stored_hour`.execute(database.db)).rows.length).toBe(1);
  await stop(second);
  expect(await events()).toHaveLength(1);
  const { rows } = await sql<{ used: string; held: string }>`
    select trim_scale(used)::text as used, trim_scale(held)::text as held from allowance`.execute(database.db);
  expect(rows).toEqual([{ used: "5000", held: "0" }]);
});

test("[STO2] [STO3] what nobody pays for stays, is not recorded, and takes no more writes until there is room", async () => {
  await budget.set(database.db, 4999);
  stored.set(mine, 5000n);
  const storage = await start();
  const refused = () =>
    storage.checkPaid(mine).then(
      () => "paid",
      (error: { code?: string }) => error.code,
    );
  await expect.poll(refused).toBe("budget.exceeded");
  expect(await events()).toEqual([]);
  await storage.checkPaid(other); // its own budget is not concerned
  await budget.set(database.db, 10_000);
  expect(await refused()).toBe("paid");
  expect(await events()).toMatchObject([{ project: mine, bytes: "5000" }]);
  await stop(storage);
});

test("[STO4] an hour in which no server ran is not counted, and the running one is", async () => {
  stored.set(mine, 10n);
  const first = await start();
  await expect.poll(events).toHaveLength(1);
  await stop(first);
  await sql`update stored_hour set hour = hour - interval '5 hours'`.execute(database.db);
  const second = await start();
  await expect
    .poll(
      async () =>
        (await sql`select from stored_hour where hour >= now() - interval '1 hour'`.execute(database.db)).rows.length,
    )
    .toBe(1);
  await stop(second);
  expect(await events()).toHaveLength(1); // this hour's, which was there already; none of the four before
});
