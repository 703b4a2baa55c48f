/** @file Which servers live: each holds an advisory lock under its number, so that a killed one is known at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";

/** The first half of the lock; the second is the server's number. */
const lockFamily = 7_070_003;

/** How often the lock's session is looked at, and how long the next try waits after it was lost. */
const defaultCheckEveryMs = 5000;

/** This server's life, as other servers of the same database see it. It holds one session from `start` to `stop`. */
export class ServerInstance {
  readonly #db: Database;
  readonly #log: Log;
  readonly #checkEveryMs: number;
  readonly #stopped = new AbortController();
  #holding: Promise<void> = Promise.resolve();
  #number: number | null = null;

  constructor(db: Database, log: Log, checkEveryMs = defaultCheckEveryMs) {
    this.#db = db;
    this.#log = log;
    this.#checkEveryMs = checkEveryMs;
  }

  /** null before `start`. */
  get number(): number | null {
    return this.#number;
  }

  /** Takes a number and its lock. @throws AppError `database.unavailable`. */
  async start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    this.#holding = this.#hold(() => started.resolve()).catch(started.reject);
    await started.promise;
  }

  /** Gives the lock back. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#holding;
  }

  async #hold(onStarted: () => void): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#db.connection().execute((session) => this.#holdIn(session, onStarted));
      } catch (error) {
        if (this.#number === null) throw error;
        this.#log.warn(
          { error: String(error) },
          "the session that marks this server as alive was lost; taking another",
        );
        await this.#pause();
      }
    }
  }

  /** One session's life. The row becomes visible only when the lock is held, so nobody takes this server for dead. */
  async #holdIn(session: Kysely<unknown>, onStarted: () => void): Promise<void> {
    const known = this.#number;
    const number = await session.transaction().execute(async (transaction) => {
      const { rows } =
        known === null
          ? await sql<{ number: number }>`insert into server_instance default values returning number`.execute(
              transaction,
            )
          : await sql<{ number: number }>`
              insert into server_instance (number) values (${known})
              on conflict (number) do update set started_at = server_instance.started_at
              returning number`.execute(transaction);
      const taken = rows[0]?.number ?? null;
      await sql`select pg_advisory_lock(${lockFamily}::integer, ${taken}::integer)`.execute(transaction);
      return taken;
    });
    this.#number = number;
    onStarted();
    while (!this.#stopped.signal.aborted) {
      await this.#pause();
      await sql`select 1`.execute(session);
    }
    await sql`select pg_advisory_unlock(${lockFamily}::integer, ${number}::integer)`.execute(session);
  }

  async #pause(): Promise<void> {
    await sleep(this.#checkEveryMs, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => {});
  }
}

/**
 * Ends the claims of servers that live no more: their requests were never answered, so they used nothing. Returns how
 * many there were. Claims without a server are of ledgers that were never started, so of nobody who lives.
 */
export async function releaseClaimsOfDead(db: Database): Promise<number> {
  const { rows } = await sql<{ number: number }>`select number from server_instance order by number`.execute(db);
  let released = 0;
  for (const { number } of rows) released += await releaseIfDead(db, number);
  const { numAffectedRows } = await sql`
    delete from reservation where instance is null or instance not in (select number from server_instance)`.execute(db);
  return released + Number(numAffectedRows ?? 0);
}

function releaseIfDead(db: Database, number: number): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ dead: boolean }>`
      select pg_try_advisory_xact_lock(${lockFamily}::integer, ${number}::integer) as dead`.execute(transaction);
    if (rows[0]?.dead !== true) return 0;
    const { numAffectedRows } = await sql`delete from reservation where instance = ${number}`.execute(transaction);
    await sql`delete from server_instance where number = ${number}`.execute(transaction);
    return Number(numAffectedRows ?? 0);
  });
}
