/** @file Starts the server, whatever a killed one left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { connect, type DatabaseConnection } from "../connection.ts";
import { databaseUser, serverEnvironment } from "./cluster.ts";
import { clearStaleLocks, postmasterOf } from "./lock-file.ts";
import type { Places } from "./places.ts";
import { isGone, processesIn } from "./processes.ts";

/** How long backends of a killed postmaster may go on with their queries before they are ended. */
const defaultPatienceMs = 30_000;

/** After that, a start must succeed within this. */
const lastAttemptsMs = 15_000;

/** How to reach the server of these places. */
export const connectionOf = (places: Places): DatabaseConnection => ({
  host: places.socket,
  user: databaseUser,
  database: "postgres",
});

/** Options of one start. */
export interface LaunchOptions {
  readonly program: string;
  readonly places: Places;
  /** Shown by `ps` and in the log: whose server this is. */
  readonly name: string;
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** A session on the running server, and whether it ran already. */
export interface Launched {
  readonly session: pg.Client;
  readonly adopted: boolean;
}

/**
 * Connects to the server of these places; starts it when none answers.
 * A start fails while backends of a killed postmaster still use its shared memory: it is tried again, and after
 * `patienceMs` those backends are ended.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { places } = options;
  const running = await tryConnect(places);
  if (running !== undefined) return { session: running, adopted: true };

  const patienceMs = options.patienceMs ?? defaultPatienceMs;
  const begun = Date.now();
  let haveEndedBackends = false;
  while (Date.now() - begun < patienceMs + lastAttemptsMs) {
    options.signal?.throwIfAborted();
    await clearStaleLocks(places.data, places.socket);
    const session = await attempt(options);
    if (session !== undefined) return { session, adopted: false };
    if (!haveEndedBackends && Date.now() - begun > patienceMs) {
      haveEndedBackends = true;
      await endBackends(places.data);
    }
    await sleep(200);
  }
  throw new Error(`PostgreSQL did not start; it says: ${await lastWords(places)}`);
}

/** Spawns once and waits until it answers or is gone. */
async function attempt({ program, places, name, signal }: LaunchOptions): Promise<pg.Client | undefined> {
  const log = await open(places.startLog, "w", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(join(program, "bin/postgres"), serverArguments(places, name), {
      ...places.user,
      cwd: "/",
      // Its own session: Ctrl-C in the terminal must not stop the database before the ledger is settled.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: serverEnvironment,
    });
    child.once("error", () => {}); // `exitCode` stays null, and the deadline below tells it
    child.unref();
  } finally {
    await log.close();
  }
  // Recovery after a crash replays up to a gigabyte of log, so a living server is waited for.
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    signal?.throwIfAborted();
    const session = await tryConnect(places);
    if (session !== undefined) return session;
    await sleep(20);
  }
  // Gone: another starter was faster (then it answers), or it could not start (then undefined).
  return await tryConnect(places);
}

async function tryConnect(places: Places): Promise<pg.Client | undefined> {
  try {
    return await connect(connectionOf(places));
  } catch {
    return undefined; // no server yet: the caller waits or starts one
  }
}

/** What `initdb` leaves to the server's own settings. */
const serverArguments = (places: Places, name: string): string[] => {
  const settings = {
    listen_addresses: "",
    unix_socket_directories: places.socket,
    unix_socket_permissions: "0700",
    // NAMEDATALEN is 64: longer names are refused.
    cluster_name: name.replace(/[^\x20-\x7e]/g, "?").slice(0, 63),
    timezone: "UTC",
    log_timezone: "UTC",
    // One file a weekday, each begun anew after a week: the log can't grow for ever.
    logging_collector: "on",
    log_directory: places.log,
    log_filename: "postgres-%a.log",
    log_rotation_age: "1d",
    log_rotation_size: "0",
    log_truncate_on_rotation: "on",
    log_checkpoints: "off",
  };
  return ["-D", places.data, ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`])];
};

/** Only processes that work in this data folder, and only once no postmaster leads them. */
async function endBackends(data: string): Promise<void> {
  if ((await postmasterOf(data)) !== undefined) return;
  for (const [signal, waitMs] of [["SIGTERM", 2_000] as const, ["SIGKILL", 2_000] as const]) {
    const pids = processesIn(data);
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await Promise.all(pids.map((pid) => isGone(pid, waitMs)));
  }
}

async function lastWords(places: Places): Promise<string> {
  const text = await readFile(places.startLog, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-4).join(" | ") || `nothing; see ${places.log}`;
}
