/** @file The database of this process: the embedded one of its home, or the operator's. Owned, watched, migrated. */
import { AppError } from "@gristmill/contract";
import type { Log } from "../feature.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { prepareEmbedded, startEmbedded } from "./embedded/embedded.ts";
import { connectionOf } from "./embedded/launch.ts";
import { migrate } from "./migrator.ts";
import { Ownership } from "./ownership.ts";
import { createDatabase, type Database } from "./pool.ts";

/** Where the database is and who is told when it is lost. */
export interface OpenOptions {
  /** An existing folder, absolute. */
  readonly home: string;
  /** The operator's PostgreSQL; without it the home's embedded one. */
  readonly databaseUrl: string | undefined;
  readonly log: Log;
  /** Called once when another process owns the database now: this one must stop. */
  readonly onLost: (error: AppError) => void;
}

/** An open database that this process owns. */
export interface OpenDatabase {
  readonly db: Database;
  readonly connection: DatabaseConnection;
  /** The embedded server's pid; undefined when it is not ours or being restarted. */
  serverPid(): Promise<number | undefined>;
  /** Ends the pool, then the ownership, then the embedded server. */
  close(): Promise<void>;
}

/** A database that this process owns, with whatever schema it has. */
export interface OwnedDatabase {
  readonly connection: DatabaseConnection;
  /** The embedded server's pid; undefined when it is not ours or being restarted. */
  serverPid(): Promise<number | undefined>;
  /** Ends the ownership and the embedded server. */
  stop(): Promise<void>;
}

/**
 * Opens, takes ownership, migrates.
 * @throws AppError `home.in_use`, `home.newer`, `config.invalid`, `database.unavailable`.
 */
export async function openDatabase(options: OpenOptions): Promise<OpenDatabase> {
  const owned = await ownDatabase(options);
  try {
    const applied = await migrate(owned.connection);
    if (applied.length > 0) options.log.info({ applied }, "The database has new migrations.");
  } catch (error) {
    await owned.stop();
    throw error;
  }
  const db = createDatabase(owned.connection);
  return {
    db,
    connection: owned.connection,
    serverPid: owned.serverPid,
    close: async () => {
      await db.destroy();
      await owned.stop();
    },
  };
}

/** Takes ownership and leaves the schema alone. @throws AppError `home.in_use`, `config.invalid`, `database.unavailable`. */
export async function ownDatabase(options: OpenOptions): Promise<OwnedDatabase> {
  const { home, databaseUrl, log, onLost } = options;
  if (databaseUrl !== undefined) return await ownGiven(databaseUrl, options);
  const server = await startEmbedded({ home, log, onLost });
  if (server.wasAdopted) log.warn({}, "Took over the PostgreSQL that a killed Gristmill had left running.");
  return { connection: server.connection, serverPid: () => server.pid(), stop: () => server.stop() };
}

/** For readers such as a backup: owned when nobody else does, else the running owner's. */
export async function shareDatabase(
  options: OpenOptions,
): Promise<{ readonly connection: DatabaseConnection; close(): Promise<void> }> {
  try {
    const owned = await ownDatabase(options);
    return { connection: owned.connection, close: () => owned.stop() };
  } catch (error) {
    if (!(error instanceof AppError && error.code === "home.in_use")) throw error;
    const { home, databaseUrl } = options;
    const connection =
      databaseUrl === undefined
        ? connectionOf((await prepareEmbedded(home)).places)
        : { connectionString: databaseUrl };
    return { connection, close: async () => {} };
  }
}

async function ownGiven(connectionString: string, { log, onLost }: OpenOptions): Promise<OwnedDatabase> {
  const connection = { connectionString };
  const ownership = await Ownership.take({
    subject: "the database of DATABASE_URL",
    log,
    onLost,
    open: () => connect(connection),
  });
  return { connection, serverPid: async () => undefined, stop: () => ownership.release() };
}
