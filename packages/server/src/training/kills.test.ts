import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "@gristmill/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withSession } from "../db/index.ts";
import type { Site } from "./testing/site.ts";
import { World } from "./testing/world.ts";

/** Long enough that a kill in the middle is in the middle. */
const request = { fit: { epochs: 12, seed: 5, batch_size: 16 }, register: { model: "digits" } };

let world: World;
let unbroken: Run;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  world = await World.create();
  const site = await world.site();
  await site.start();
  const { id } = await world.create(site, request);
  unbroken = await world.ended(site, id);
  await site.stop();
});

afterAll(async () => {
  for (const process of processes) process.kill("SIGKILL");
  await world.close();
});

const seconds = async (id: string): Promise<number> =>
  (await world.usage(id)).reduce((sum, { quantity }) => sum + Math.round(quantity * 1000), 0) / 1000;

/** Attempts with usage; each event's id is its own: `<run>:<attempt>:<slice>`. */
async function meteredAttempts(id: string): Promise<string[]> {
  const ids = (await world.usage(id)).map((event) => event.id);
  expect(new Set(ids).size).toBe(ids.length);
  return [...new Set(ids.map((own) => own.split(":")[1] ?? ""))].sort();
}

/** As good as never interrupted: the same numbers, the same bits, one version, all time in the ledger once. */
async function expectSameAsUnbroken(site: Site, run: Run): Promise<void> {
  expect(run).toMatchObject({ status: "succeeded", error: null });
  expect(run.checkpoint).toEqual(unbroken.checkpoint);
  expect(run.evaluation).toEqual(unbroken.evaluation);
  expect(run.history.map(({ epoch, metrics }) => ({ epoch, metrics }))).toEqual(
    unbroken.history.map(({ epoch, metrics }) => ({ epoch, metrics })),
  );
  const versions = await site.models.listVersions(world.project, "digits", { limit: 100, order: "asc" });
  expect(versions.data.filter(({ run_id }) => run_id === run.id)).toHaveLength(1);
  expect(new Set(versions.data.map(({ sha256 }) => sha256)).size).toBe(1);
  expect(await seconds(run.id)).toBe(run.training_seconds);
  // The folder goes after the row says that the run has ended.
  await expect.poll(() => readdir(join(world.home, "work", "runs"))).toEqual([]);
}

it("[RUN7] a worker that is killed is started again, and ends with the same bits as an unbroken run", async () => {
  const site = await world.site();
  await site.start();
  const { id } = await world.create(site, request);
  for (const epoch of [2, 6]) {
    await world.until(site, id, ({ checkpoint }) => (checkpoint?.epoch ?? 0) >= epoch);
    process.kill(site.pids.at(-1) ?? 0, "SIGKILL");
    const killed = site.pids.length;
    for (let tries = 0; site.pids.length === killed && tries < 400; tries++) await sleep(25);
  }
  const run = await world.ended(site, id);
  expect(run.attempts).toBe(3);
  await expectSameAsUnbroken(site, run);
  expect(await meteredAttempts(id)).toEqual(["1", "2", "3"]);
  await site.stop();
});

it("[RUN8] [RUN12] a server that is killed leaves a run that the next one finishes, with the same bits, metered once", async () => {
  const next = await world.site();
  const { id } = await world.create(next, request); // queued; `next` has not started
  const server = fork(
    join(import.meta.dirname, "testing", "server-process.ts"),
    [JSON.stringify({ connection: world.database.connection, home: world.home })],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  processes.push(server);
  await once(server, "message");
  await world.until(next, id, ({ checkpoint }) => (checkpoint?.epoch ?? 0) >= 3);
  server.kill("SIGKILL");
  await once(server, "exit");
  const left = await next.runs.get(world.project, id);
  expect(left.status).toBe("running");
  await next.start();
  const run = await world.ended(next, id);
  expect(run.attempts).toBe(2);
  await expectSameAsUnbroken(next, run);
  expect(await meteredAttempts(id)).toEqual(["1", "2"]);
  await next.stop();
});

it("[RUN8] a scheduler that has lost its run to another writes nothing more and ends its worker", async () => {
  const first = await world.site();
  await first.start();
  const { id } = await world.create(first, request);
  await world.until(first, id, ({ checkpoint }) => checkpoint !== null);
  const second = await world.site();
  await second.training.start?.(); // without ending leftovers: the first's worker still lives
  const run = await world.ended(second, id);
  expect(run.attempts).toBe(2); // by whichever of the two took it from the queue
  await expectGone(first.pids[0] ?? 0);
  await expectSameAsUnbroken(second, run);
  await first.stop();
  expect(await second.runs.get(world.project, id)).toEqual(run);
  await second.stop();
});

it("[RUN17] a server that stops queues its run, and the next start goes on with it", async () => {
  const first = await world.site();
  await first.start();
  const { id } = await world.create(first, request);
  await world.until(first, id, ({ checkpoint }) => checkpoint !== null);
  await first.stop();
  const second = await world.site();
  expect((await second.runs.get(world.project, id)).status).toBe("queued");
  await second.start();
  const run = await world.ended(second, id);
  expect(run.attempts).toBe(2);
  await expectSameAsUnbroken(second, run);
  await second.stop();
});

it("[RUN9] a run whose worker dies again and again without a checkpoint fails with the last lines", async () => {
  const site = await world.site();
  await site.start();
  const { id } = await world.create(site, { fit: { epochs: 10_000, batch_size: 1 } });
  for (let death = 0; death < 3; death++) {
    for (let tries = 0; site.pids.length === death && tries < 800; tries++) await sleep(10);
    process.kill(site.pids[death] ?? 0, "SIGKILL");
  }
  const run = await world.ended(site, id);
  expect(run).toMatchObject({
    status: "failed",
    attempts: 3,
    checkpoint: null,
    error: {
      code: "run.worker_died",
      message: expect.stringContaining("was killed by SIGKILL"),
      details: { last_lines: "" },
    },
  });
  expect(await seconds(id)).toBe(run.training_seconds);
  await site.stop();
});

it("[RUN8] a run that was to be cancelled when its server was killed is cancelled at the next start", async () => {
  const first = await world.site({ timing: { cancelGraceMs: 60_000 } });
  await first.start();
  const { id } = await world.create(first, { fit: { epochs: 10_000 } });
  await world.until(first, id, ({ checkpoint }) => checkpoint !== null);
  process.kill(first.pids[0] ?? 0, "SIGSTOP");
  await first.runs.cancel(world.project, id);
  const second = await world.site();
  await second.start(); // ends the leftover by its record
  expect((await second.runs.get(world.project, id)).status).toBe("cancelled");
  await expectGone(first.pids[0] ?? 0);
  await first.stop();
  await second.stop();
});

it("[RUN13] a server killed between registering and saying so makes no second version", async () => {
  const site = await world.site();
  await sql`update run set status = 'running', owner = 'a killed server', finished_at = null, model_version = null
            where id = ${unbroken.id}`.execute(world.database.db);
  await site.start();
  const run = await world.ended(site, unbroken.id);
  expect(run).toMatchObject({ attempts: 2, model_version: unbroken.model_version, checkpoint: unbroken.checkpoint });
  await expectSameAsUnbroken(site, run);
  await site.stop();
});

it("[RUN18] a database whose sessions are cut again and again changes nothing of a run's result", async () => {
  const site = await world.site({ timing: { retryMs: 20 } });
  await site.start();
  const { id } = await world.create(site, request);
  for (let cut = 0; cut < 5; cut++) {
    await sleep(300);
    await withSession(world.database.connection, (session) =>
      session.query(`select pg_terminate_backend(pid) from pg_stat_activity
                     where datname = current_database() and pid <> pg_backend_pid() and query ~ 'run'`),
    );
  }
  const run = await world.ended(site, id);
  expect(run.attempts).toBe(1);
  await expectSameAsUnbroken(site, run);
  await site.stop();
});

it("a corrupt checkpoint on disk fails the run and names the object", async () => {
  const first = await world.site();
  await first.start();
  const { id } = await world.create(first, { fit: { epochs: 10_000, seed: 99 } });
  await world.until(first, id, ({ checkpoint }) => checkpoint !== null);
  await first.stop();
  const second = await world.site();
  const { checkpoint } = await second.runs.get(world.project, id);
  await writeFile(await second.objects.path(checkpoint?.sha256 ?? ""), "damaged");
  await second.start();
  expect(await world.ended(second, id)).toMatchObject({
    status: "failed",
    error: { code: "artifact.corrupt", message: expect.stringContaining(checkpoint?.sha256 ?? "?") },
  });
  await second.stop();
});

/** A child of this very process stays a zombie, which answers signals, until Node has asked for its exit code. */
async function expectGone(pid: number): Promise<void> {
  for (let tries = 0; isAlive(pid) && tries < 200; tries++) await sleep(25);
  expect(isAlive(pid)).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH
  }
}
