/**
 * @file PostgreSQL's lock files: `postmaster.pid` in the data folder, `.s.PGSQL.5432.lock` beside the socket. PostgreSQL removes a
 * stale one itself unless it is empty (a crash between making and filling it) or its pid lives on as another program of the same
 * user: then it refuses to start for ever.
 */
import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, isZombie, startedAt, workingFolder } from "./processes.ts";

/** A starting PostgreSQL fills its file within microseconds; one that is still empty after this belongs to nobody. */
const emptyForMs = 500;

/** Clocks of /proc and of the lock file are both whole seconds. */
const clockToleranceSeconds = 3;

/** The two lock files of a server. */
export const lockFiles = (data: string, socket: string): readonly string[] => [
  join(data, "postmaster.pid"),
  join(socket, ".s.PGSQL.5432.lock"),
];

/** The pid of a data folder's living postmaster. */
export async function postmasterOf(data: string): Promise<number | undefined> {
  const text = await read(join(data, "postmaster.pid"));
  const pid = Number(text?.split("\n")[0]);
  return text !== undefined && pid > 0 && isAlive(pid) && !isStale(text, data) ? pid : undefined;
}

/** Removes the lock files that nobody holds. */
export async function clearStaleLocks(data: string, socket: string): Promise<void> {
  for (const file of lockFiles(data, socket)) {
    const seen = await read(file);
    if (seen === undefined || !isStale(seen, data)) continue;
    if (seen.trim() === "") await sleep(emptyForMs);
    await removeIfStill(file, seen);
  }
}

/**
 * Its lines are: pid, data folder, start time in seconds since 1970, ... A pid that works in another folder, or where that
 * is not known started at another time, is another program that got the same number.
 */
function isStale(text: string, data: string): boolean {
  if (text.trim() === "") return true;
  const [pidLine, , startLine] = text.split("\n");
  const pid = Number(pidLine);
  if (!(pid > 0)) return false;
  if (isZombie(pid)) return true; // to PostgreSQL a zombie seems to live
  if (!isAlive(pid)) return false; // PostgreSQL sees this itself
  const folder = workingFolder(pid);
  if (folder !== undefined) return folder !== data;
  const started = startedAt(pid);
  return started !== undefined && Math.abs(started - Number(startLine)) > clockToleranceSeconds;
}

/** Another starter may have replaced the file meanwhile: taken away by its name, looked at again, and put back if it is not the stale one. */
async function removeIfStill(file: string, seen: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readFile(aside, "utf8")) !== seen) await link(aside, file).catch(() => {}); // a newer one is there already
  await rm(aside, { force: true });
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
