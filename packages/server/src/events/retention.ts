/** @file How long single events are kept: whole months end, their sums by the hour stay. */
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import type { QuarantineStore } from "./quarantine-store.ts";

/** No event of an earlier time is taken: the ledger begins here. */
const beginning = new Date("2020-01-01T00:00:00Z");

/** How long what was replayed or discarded can still be seen. */
const resolvedMs = 30 * 86_400_000;

/** How often it is looked whether a month has ended. */
const everyMs = 6 * 3_600_000;

/** The time before which single events are not kept: the start of a month (UTC). @param months 0: all are kept for ever. */
export function oldestKept(now: Date, months: number): Date {
  if (months === 0) return beginning;
  const start = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months));
  return start > beginning ? start : beginning;
}

/** What retention is made from. */
export interface RetentionDeps {
  readonly db: Database;
  readonly quarantine: QuarantineStore;
  readonly now: () => Date;
  readonly log: Log;
  /** Months that events are kept beside the running one; 0: for ever. */
  readonly months: number;
}

/** Ends months that are older than the operator wants to keep. */
export class Retention {
  readonly #deps: RetentionDeps;
  #timer: NodeJS.Timeout | undefined;
  #sweep: Promise<void> | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Sweeps now, in the background, and again every six hours. */
  start(): void {
    this.#begin();
    this.#timer = setInterval(() => this.#begin(), everyMs);
    this.#timer.unref();
  }

  /** Waits for a sweep that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep;
  }

  /** Ends what is too old. Months end one at a time, each with its keys in one transaction. */
  async sweep(): Promise<void> {
    const { db, quarantine, now, log, months } = this.#deps;
    await quarantine.forget(new Date(now().getTime() - resolvedMs));
    if (months === 0) return;
    const before = oldestKept(now(), months);
    for (const { name, start, end } of await partitions(db)) {
      if (end > before) continue;
      await db.transaction().execute(async (transaction) => {
        // The lock under which partitions are made (0002-metering).
        await sql`select pg_advisory_xact_lock(7070004)`.execute(transaction);
        await sql`insert into usage_retirement (before) values (${end}) on conflict do nothing`.execute(transaction);
        await sql`drop table if exists ${sql.id(name)}`.execute(transaction);
        await sql`delete from usage_event_key where time >= ${start} and time < ${end}`.execute(transaction);
      });
      log.info({ month: start.toISOString().slice(0, 7) }, "single usage events of a month have ended; its sums stay");
    }
  }

  #begin(): void {
    const { log } = this.#deps;
    this.#sweep ??= this.sweep()
      .catch((error: unknown) =>
        log.warn({ error: String(error) }, "old usage events were not ended; tried again later"),
      )
      .finally(() => {
        this.#sweep = undefined;
      });
  }
}

interface Partition {
  readonly name: string;
  readonly start: Date;
  readonly end: Date;
}

/** The months that there are, oldest first. */
async function partitions(db: Database): Promise<readonly Partition[]> {
  const { rows } = await sql<{ name: string }>`
    select child.relname as name from pg_inherits
    join pg_class as child on child.oid = inhrelid
    where inhparent = 'usage_event'::regclass
    order by child.relname`.execute(db);
  return rows.flatMap(({ name }) => {
    const found = /^usage_event_(\d{4})_(\d{2})$/.exec(name);
    if (found === null) return [];
    const [year, month] = [Number(found[1]), Number(found[2])];
    return [{ name, start: new Date(Date.UTC(year, month - 1)), end: new Date(Date.UTC(year, month)) }];
  });
}
