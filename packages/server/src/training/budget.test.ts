import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unitBudget } from "../metering/testing/unit-budget.ts";
import { World } from "./testing/world.ts";

/** Longer than what two slices (5 s and 60 s) pay. */
const request = { fit: { epochs: 10_000, seed: 5 } };
// A worker has long to stop in: a machine with much else to do would else kill it before it has said where it is.
const timing = { pausedCheckMs: 100, pauseMarginMs: 20_000 };
const patient = { timeout: 180_000 };
const soon = { timeout: 30_000 };

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());

const allowances = async (): Promise<{ held: string; used: number } | undefined> => {
  const { rows } = await sql<{ held: string; used: number }>`
    select trim_scale(sum(held))::text as held, ceil(sum(used))::int as used from allowance`.execute(world.database.db);
  return rows[0];
};
const held = async (): Promise<string> => (await allowances())?.held ?? "none";

it(
  "[RUN19] a run that nobody can pay waits as paused, without a worker, and begins when there is room",
  patient,
  async () => {
    const budget = unitBudget(64);
    const site = await world.site({ policy: budget, timing });
    await site.start();
    const { id } = await world.create(site, { fit: { epochs: 1, seed: 5 } });
    const paused = await world.until(site, id, ({ status }) => status === "paused");
    expect(paused).toMatchObject({ error: { code: "budget.exceeded" }, training_seconds: 0 });
    expect(site.pids).toEqual([]);
    await expect.poll(held, soon).toBe("0");
    await sleep(300); // it is looked at in vain
    expect((await site.runs.get(world.project, id)).status).toBe("paused");
    await budget.set(world.database.db, 65);
    const run = await world.ended(site, id);
    expect(run).toMatchObject({ status: "succeeded", error: null });
    await expect.poll(held, soon).toBe("0");
    await site.stop();
  },
);

it(
  "[RUN19] a run whose next slice nobody pays stops after an epoch, and goes on from there when there is room",
  patient,
  async () => {
    // Beside what earlier runs used: enough to begin (65), not for one slice more, and once used not enough to begin again.
    const budget = unitBudget(((await allowances())?.used ?? 0) + 68);
    const site = await world.site({ policy: budget, timing });
    await site.start();
    const { id } = await world.create(site, request);
    const paused = await world.until(site, id, ({ status }) => status === "paused");
    const epoch = paused.checkpoint?.epoch ?? 0;
    expect(epoch).toBeGreaterThan(0);
    expect(paused.history.length).toBe(epoch); // nothing of an epoch was lost
    expect(paused.training_seconds).toBeLessThanOrEqual(65);
    expect(paused.finished_at).toBeNull();
    await expect.poll(held, soon).toBe("0");
    const folders = async () => (await readdir(join(world.home, "work", "runs"))).filter((name) => name.startsWith(id));
    await expect.poll(folders, soon).toEqual([]);
    const usage = await world.usage(id);
    expect(usage.reduce((sum, { quantity }) => sum + quantity, 0)).toBeCloseTo(paused.training_seconds, 6);
    await budget.set(world.database.db, 100_000);
    const again = await world.until(site, id, ({ checkpoint }) => (checkpoint?.epoch ?? 0) > epoch);
    expect(again).toMatchObject({ status: "running", error: null, attempts: 2 });
    await site.runs.cancel(world.project, id);
    await world.ended(site, id);
    await expect.poll(held, soon).toBe("0");
    await site.stop();
  },
);

it("[RUN19] a paused run can be cancelled, or asked to go on", patient, async () => {
  const budget = unitBudget(10);
  const site = await world.site({ policy: budget, timing: { pausedCheckMs: 60_000 } });
  await site.start();
  const [one, other] = [await world.create(site, request), await world.create(site, { fit: { epochs: 1 } })];
  for (const { id } of [one, other]) await world.until(site, id, ({ status }) => status === "paused");
  expect(await site.runs.cancel(world.project, one.id)).toMatchObject({ status: "cancelled" });
  await expect(site.runs.resume(world.project, one.id)).rejects.toMatchObject({ code: "run.finished" });
  await budget.set(world.database.db, 100_000);
  expect(await site.runs.resume(world.project, other.id)).toMatchObject({ status: "queued", error: null });
  expect(await world.ended(site, other.id)).toMatchObject({ status: "succeeded" });
  await site.stop();
});
