/** @file Processes that tests kill, and what is left of them in the database. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "../db/index.ts";

/** Runs a script, kills it after so many lines, and returns all that it wrote. `onStart` gets it, to end it if the test fails. */
export async function linesUntilKilled(
  script: URL,
  args: readonly string[],
  lines: number,
  onStart: (child: ChildProcess) => void,
): Promise<readonly string[]> {
  const child = spawn(process.execPath, [script.pathname, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onStart(child);
  const written: string[] = [];
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    written.push(line);
    if (written.length === lines) child.kill("SIGKILL");
  }
  expect(await exited).toEqual([null, "SIGKILL"]);
  return written;
}

/** Waits until the sessions of killed processes have ended, with what they were doing. */
export async function sessionsEnded(db: Database): Promise<void> {
  const others = sql<{ n: number }>`
    select count(*)::integer as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  await expect.poll(async () => (await others.execute(db)).rows[0]?.n).toBe(0);
}
