/**
 * @file One Gristmill per database: a session advisory lock marks the owner. PostgreSQL frees it when the owner's process or
 * connection dies, so it needs no cleaning up. The same session tells us when the server goes away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@gristmill/contract";
import type pg from "pg";
import type { Log } from "../feature.ts";

/** Advisory lock of the owner; any fixed number that no other program on this database uses. */
const ownerLock = 7_070_001;

/** PostgreSQL needs some milliseconds to notice that a killed owner is gone. */
const freeAfterKillMs = 1_000;

/** A cut network leaves our own old session until its keep-alive (30 s, set below) ends it. */
const regainMs = 60_000;

const longestPauseMs = 5_000;

/** What ownership needs to know. */
export interface OwnershipOptions {
  /** Opens a session on the database, starting its server when that is ours to do. */
  readonly open: (signal: AbortSignal) => Promise<pg.Client>;
  /** What is owned, in words for the error: "the home /data". */
  readonly subject: string;
  readonly log: Log;
  /** Called once when another process has taken over: this one must stop. */
  readonly onLost: (error: AppError) => void;
}

/** The lock, held until `release`; a server that dies is opened again with back-off. */
export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #stopping = new AbortController();
  #session: pg.Client | undefined;
  #watching: Promise<void> = Promise.resolve();

  private constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** @throws AppError `home.in_use` when a living process holds the lock. */
  static async take(options: OwnershipOptions): Promise<Ownership> {
    const ownership = new Ownership(options);
    await ownership.#acquire(freeAfterKillMs);
    return ownership;
  }

  /** Runs the last work, such as stopping the server, while nobody else can take over; then gives the lock back. */
  async release(last: () => Promise<void> = async () => {}): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    const session = this.#session;
    this.#session = undefined;
    await last();
    await session?.end().catch(() => {}); // the server may be gone already, and with it the lock
  }

  async #acquire(waitMs: number): Promise<void> {
    const session = await this.#options.open(this.#stopping.signal);
    try {
      await session.query(
        "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4",
      );
      if (!(await lock(session, waitMs, this.#stopping.signal)))
        throw new AppError("home.in_use", `Another Gristmill runs on ${this.#options.subject}.`);
    } catch (error) {
      await session.end().catch(() => {}); // the first failure is the one to tell
      throw error;
    }
    this.#session = session;
    session.once("end", () => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.#watching = this.#regain();
    });
  }

  /** The server is gone: opens it again until that succeeds, we stop, or another process has it. */
  async #regain(): Promise<void> {
    const { log, onLost, subject } = this.#options;
    const { signal } = this.#stopping;
    log.error({}, `The database of ${subject} went away; it is opened again.`);
    for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await sleep(pauseMs, undefined, { signal });
        await this.#acquire(regainMs);
        log.info({}, `The database of ${subject} is back.`);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AppError && error.code === "home.in_use") {
          onLost(error);
          return;
        }
        log.error({ err: error }, `The database of ${subject} can't be opened yet.`);
      }
    }
  }
}

async function lock(session: pg.Client, waitMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const { rows } = await session.query<{ mine: boolean }>("select pg_try_advisory_lock($1) as mine", [ownerLock]);
    if (rows[0]?.mine === true) return true;
    if (Date.now() > deadline) return false;
    await sleep(50, undefined, { signal });
  }
}
