/**
 * @file Which servers live. Each holds an advisory lock under its number, which ends with its session, and says every second that
 * it lives. One whose lock is free and that was silent for a while is dead; it is buried by whichever server finds it. The lock
 * alone would not do: PostgreSQL may have ended the session of a server that lives, and work that it has claimed goes on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";

/** The first half of the lock; the second is the server's number. */
const lockFamily = 7_070_003;

/** How often a server says that it lives, and how long the next try waits after its session was lost. */
const defaultBeatMs = 1000;

/** How long a server may be silent, and how long all have to come back after a start of PostgreSQL. */
const defaultGraceMs = 5000;

/** How many beats apart claims are looked for whose server has no row. */
const beatsBetweenSearches = 60;

/** What a server's life is made from. */
export interface ServerInstanceDeps {
  readonly db: Database;
  readonly log: Log;
  /** Told the version of the rules with every beat. */
  readonly onVersion?: (version: string) => Promise<void>;
  /** Default: 1000. */
  readonly beatMs?: number;
  /** Default: 5000. */
  readonly graceMs?: number;
}

/** This server's life, as other servers of the same database see it. It holds one session from `start` to `stop`. */
export class ServerInstance {
  readonly #deps: Required<ServerInstanceDeps>;
  readonly #stopped = new AbortController();
  #holding: Promise<void> = Promise.resolve();
  #number: number | null = null;
  #beats = 0;
  #isStarted = false;

  constructor({
    onVersion = async () => {},
    beatMs = defaultBeatMs,
    graceMs = defaultGraceMs,
    ...deps
  }: ServerInstanceDeps) {
    this.#deps = { ...deps, onVersion, beatMs, graceMs };
  }

  /** null before `start`. */
  get number(): number | null {
    return this.#number;
  }

  /** Takes a number and its lock, and buries who is dead by now. @throws AppError `database.unavailable`. */
  async start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    this.#holding = this.#hold(() => started.resolve()).catch(started.reject);
    await started.promise;
  }

  /** Takes the row away, which says that this server is dead, and gives the lock back. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#holding;
  }

  async #hold(onStarted: () => void): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#deps.db.connection().execute((session) => this.#holdIn(session, onStarted));
      } catch (error) {
        if (!this.#isStarted) throw error;
        this.#deps.log.warn(
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
              on conflict (number) do update set seen_at = now()
              returning number`.execute(transaction);
      const taken = rows[0]?.number;
      if (taken === undefined) throw new Error("server_instance: expected a number, received none");
      await sql`select pg_advisory_lock(${lockFamily}::integer, ${taken}::integer)`.execute(transaction);
      return taken;
    });
    this.#number = number;
    await this.#beat(session, number);
    if (!this.#isStarted) await this.#bury(session, null);
    this.#isStarted = true;
    onStarted();
    while (!this.#stopped.signal.aborted) {
      await this.#pause();
      await this.#beat(session, number);
    }
    await sql`delete from server_instance where number = ${number}`.execute(session);
    await sql`select pg_advisory_unlock(${lockFamily}::integer, ${number}::integer)`.execute(session);
  }

  async #beat(session: Kysely<unknown>, number: number): Promise<void> {
    const searches = this.#beats++ % beatsBetweenSearches === 0;
    const { rows } = await sql<{ version: string; silent: readonly number[] | null }>`
      select * from server_beat(${number}::integer, ${this.#grace}, ${searches}::boolean)`.execute(session);
    for (const silent of rows[0]?.silent ?? []) await this.#bury(session, silent);
    if (rows[0] !== undefined) await this.#tell(rows[0].version);
  }

  async #tell(version: string): Promise<void> {
    const { onVersion, log } = this.#deps;
    await onVersion(version).catch((error: unknown) => log.error({ error: String(error) }, "the rules can't be read"));
  }

  /** null: claims that were made without a number, by ledgers that were never started, so of nobody who lives. */
  async #bury(session: Kysely<unknown>, number: number | null): Promise<void> {
    const { rows } = await sql<{ claims: string | null }>`
      select server_bury(${number}::integer, ${this.#grace}) as claims`.execute(session);
    const claims = Number(rows[0]?.claims ?? 0);
    if (claims > 0)
      this.#deps.log.warn(
        { claims, server: number },
        "ended the claims of a killed server: their requests were never answered",
      );
  }

  get #grace(): RawBuilder<unknown> {
    return sql`make_interval(secs => ${this.#deps.graceMs / 1000}::float8)`;
  }

  async #pause(): Promise<void> {
    await sleep(this.#deps.beatMs, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => {});
  }
}
