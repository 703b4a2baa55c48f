/** @file Makes a cluster: `initdb` works beside and its result is renamed, so that a killed one never looks whole. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "@gristmill/contract";
import type { Log } from "../../feature.ts";
import type { Places } from "./places.ts";

const run = promisify(execFile);

/** The database user that owns everything; the socket's folder is what keeps others out. */
export const databaseUser = "gristmill";

/** Nothing of the caller's environment: locales that are not installed and PG* variables would change what is made. */
export const serverEnvironment = { LC_ALL: "C", TZ: "UTC" } as const;

/** True when the cluster is finished. */
export const isCluster = (data: string): boolean => existsSync(join(data, "PG_VERSION"));

/** Makes the cluster unless it exists. Any number of starters may do this at once: the first rename wins. */
export async function ensureCluster(program: string, places: Places): Promise<void> {
  if (isCluster(places.data)) return;
  const beside = `${places.data}.${randomUUID()}`;
  try {
    await run(join(program, "bin/initdb"), initdbArguments(beside), {
      ...places.user,
      cwd: "/",
      env: serverEnvironment,
    });
    await rename(beside, places.data);
    await syncFolder(places.clusters);
  } catch (cause) {
    await rm(beside, { recursive: true, force: true });
    if (isCluster(places.data)) return; // another starter was first
    if (String(cause).includes("could not look up effective user ID"))
      throw new AppError(
        "config.invalid",
        `PostgreSQL needs a user with a name, and the user id ${process.getuid?.()} has none on this machine: give it one in /etc/passwd, or set DATABASE_URL.`,
        { cause },
      );
    throw new Error(`initdb failed: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/**
 * Removes what killed `initdb`s left beside the cluster. Only the owner of the running server calls this. Another starter
 * may be at work in such a folder at this moment; it has lost, and what of it can't be removed now goes at the next start.
 */
export async function removeUnfinished(places: Places, log: Log): Promise<void> {
  for (const name of await readdir(places.clusters)) {
    const path = join(places.clusters, name);
    if (path === places.data) continue;
    await rm(path, { recursive: true, force: true }).catch((err: unknown) =>
      log.warn({ err, path }, "an unfinished cluster stays until the next start"),
    );
  }
}

const initdbArguments = (data: string): string[] => [
  ...["-D", data, "-U", databaseUser, "-E", "UTF8"],
  // The builtin provider needs no locale of the machine, and sorts alike on every machine.
  ...["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
  // `peer` would refuse root talking to another user's server; the socket's folder has mode 0700 instead.
  ...["--auth-local=trust", "--auth-host=reject"],
];

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
