/**
 * @file Vitest's global set-up: names the folder in which the first test that needs PostgreSQL starts it, and at the end stops
 * that server. Runs without such tests start nothing.
 */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { withSession } from "../db/connection.ts";
import { stopServer } from "../db/embedded/embedded.ts";
import { connectionOf } from "../db/embedded/launch.ts";
import { postmasterOf } from "../db/embedded/lock-file.ts";
import { makePlaces, serverUser } from "../db/embedded/places.ts";
import { isAlive } from "../db/embedded/processes.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Folder of this run's PostgreSQL. */
    testDatabaseFolder: string;
  }
}

const prefix = "gristmill-test-";

/** Called by Vitest once a run; returns the end of the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  await chmod(folder, 0o755); // as root, PostgreSQL runs as another user, who must be able to enter
  project.provide("testDatabaseFolder", folder);
  return () => end(folder, true);
}

async function end(folder: string, isOwnRun: boolean): Promise<void> {
  try {
    if (!existsSync(join(folder, "data"))) return;
    const places = await makePlaces(folder, await serverUser());
    if ((await postmasterOf(places.data)) === undefined) return;
    const forgotten = isOwnRun ? await withSession(connectionOf(places), databasesLeft) : [];
    await stopServer(places);
    if (forgotten.length > 0) throw new Error(`These tests did not close their database: ${forgotten.join(", ")}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What earlier runs left that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split("-")[0]) : 0;
    if (pid > 0 && !isAlive(pid)) await end(join(tmpdir(), name), false);
  }
}

const databasesLeft: Parameters<typeof withSession<readonly string[]>>[1] = async (client) => {
  const { rows } = await client.query<{ file: string }>(
    "select distinct coalesce(shobj_description(oid, 'pg_database'), datname) as file from pg_database where datname like 'test\\_%' order by 1",
  );
  return rows.map((row) => row.file);
};
