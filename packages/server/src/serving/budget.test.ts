import { tensor } from "@gristmill/onnx";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { unitBudget } from "../metering/testing/unit-budget.ts";
import { scaling } from "./testing/small-models.ts";
import { openWorld, type Running, until, untilStatus, type World } from "./testing/world.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const call = { inputs: { x: tensor("float32", [1, 3], Float32Array.of(1, 2, 3)) } };

const infer = (running: Running) =>
  running.serving.infer(world.projectId, "double", call, { signal: AbortSignal.timeout(20_000) });

async function deploy(running: Running): Promise<void> {
  await running.models.importOnnx(world.projectId, "double", scaling(2), {
    notes: null,
    signal: new AbortController().signal,
  });
  await running.serving.create(world.projectId, {
    name: "double",
    model: "double",
    replicas: 1,
    threads: 1,
    batching: { max_batch_size: 1, max_delay_ms: 0, max_queue: 10 },
  });
}

const amounts = async (): Promise<{ used: number; held: number }> => {
  const { rows } = await sql<{ used: string; held: string }>`
    select sum(used)::text as used, sum(held)::text as held from allowance`.execute(world.db);
  return { used: Number(rows[0]?.used ?? 0), held: Number(rows[0]?.held ?? 0) };
};

it("[SRV16] a deployment that nobody can pay does not start, says why, and starts when there is room", async () => {
  const budget = unitBudget(60);
  const running = await world.start({ policy: budget, unpaidCheckMs: 100 });
  await deploy(running);
  const stopped = await untilStatus(running, world.projectId, "double", "stopped");
  expect(stopped).toMatchObject({ error: { code: "budget.exceeded" }, replicas: [{ status: "unpaid", pid: null }] });
  await expect(infer(running)).rejects.toMatchObject({ code: "budget.exceeded" });
  await expect.poll(amounts).toEqual({ used: 0, held: 0 }); // between two looks at the budget
  await budget.set(world.db, 1000);
  await untilStatus(running, world.projectId, "double", "ready");
  await infer(running);
  expect((await amounts()).held).toBe(65);
  await running.stop();
  expect((await amounts()).held).toBe(0);
});

it("[SRV16] a replica whose next slice nobody pays drains, its paid time alone counts, and it comes back", async () => {
  const budget = unitBudget(68);
  // Drains as soon as a slice is refused, not only near the end of what is paid.
  const running = await world.start({ policy: budget, drainMs: 60_000, unpaidCheckMs: 100 });
  await deploy(running);
  await untilStatus(running, world.projectId, "double", "ready");
  await infer(running);
  await untilStatus(running, world.projectId, "double", "stopped");
  await until(async () => (await amounts()).held === 0, "nothing is held");
  const { used } = await amounts();
  expect(used).toBeGreaterThanOrEqual(5);
  expect(used).toBeLessThan(60);
  const seconds = (await world.seconds()).reduce((sum, { quantity }) => sum + Number(quantity), 0);
  expect(seconds).toBeCloseTo(used, 6);
  await budget.set(world.db, 10_000);
  await untilStatus(running, world.projectId, "double", "ready");
  await infer(running);
  await running.stop();
});
