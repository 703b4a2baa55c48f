/** @file The embedded PostgreSQL of one home: started or adopted, watched, restarted, stopped by its one owner. */
import type { AppError } from "@gristmill/contract";
import type { Log } from "../../feature.ts";
import type { DatabaseConnection } from "../connection.ts";
import { Ownership } from "../ownership.ts";
import { ensureCluster, removeUnfinished } from "./cluster.ts";
import { connectionOf, launch } from "./launch.ts";
import { databaseFolder, sharedFolder } from "./location.ts";
import { postmasterOf } from "./lock-file.ts";
import { makePlaces, ownerOf, type Places, serverUser } from "./places.ts";
import { isGone } from "./processes.ts";
import { installProgram } from "./program.ts";

/** How long a fast shutdown may take: it writes what is in memory to disk. */
const stopWithinMs = 60_000;

/** Options of the embedded server. */
export interface EmbeddedOptions {
  /** An existing folder, absolute. */
  readonly home: string;
  readonly log: Log;
  /** Called once when another process owns the server now: this one must stop. */
  readonly onLost: (error: AppError) => void;
  /** How long backends of a killed server may finish their queries; default 30 s. */
  readonly patienceMs?: number;
}

/** A running server that this process owns. */
export interface EmbeddedServer {
  readonly connection: DatabaseConnection;
  /** True when a process that was killed had left it running. */
  readonly wasAdopted: boolean;
  /** The server's pid; undefined while it is being restarted. */
  pid(): Promise<number | undefined>;
  /** Stops the server; sessions that are open are cut. */
  stop(): Promise<void>;
}

/** Program and folders of a home's server, with its cluster made. */
export async function prepareEmbedded(home: string): Promise<{ program: string; places: Places }> {
  const user = await serverUser();
  const base = await databaseFolder(home, user);
  const places = await makePlaces(base, user === undefined ? undefined : ((await ownerOf(base)) ?? user));
  const program = await installProgram(user === undefined ? base : sharedFolder);
  await ensureCluster(program, places);
  return { program, places };
}

/**
 * Starts the server of this home, or adopts the one that a killed process left running, and keeps it running.
 * @throws AppError `home.in_use` when a living process owns it, `config.invalid` when this machine or path can't hold one.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { home, log, onLost, patienceMs } = options;
  const { program, places } = await prepareEmbedded(home);
  const name = `gristmill:${home}`;
  let wasAdopted: boolean | undefined;
  const ownership = await Ownership.take({
    subject: `the home ${home}`,
    log,
    onLost,
    open: async (signal) => {
      const launched = await launch({
        program,
        places,
        name,
        signal,
        ...(patienceMs === undefined ? {} : { patienceMs }),
      });
      wasAdopted ??= launched.adopted;
      return launched.session;
    },
  });
  await removeUnfinished(places, log);
  return {
    connection: connectionOf(places),
    wasAdopted: wasAdopted === true,
    pid: () => postmasterOf(places.data),
    // While the lock is still held, so that no new owner gets a server that is about to stop.
    stop: () => ownership.release(() => stopServer(places)),
  };
}

/** SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for every client to leave, SIGQUIT would leave recovery to the next start. */
export async function stopServer(places: Places): Promise<void> {
  const pid = await postmasterOf(places.data);
  if (pid === undefined) return;
  process.kill(pid, "SIGINT");
  if (!(await isGone(pid, stopWithinMs)))
    throw new Error(`PostgreSQL (pid ${pid}) did not stop in ${stopWithinMs / 1000} s; see ${places.log}`);
}
