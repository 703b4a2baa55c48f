/** @file Rows of events that were set aside. */
import type { KeyId, ProjectId, QuarantineQuery, QuarantineReason, quarantineStates } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { Problem } from "./cloud-event.ts";

/** An event that was set aside, as the database has it. */
export interface QuarantineRow {
  readonly id: string;
  readonly project_id: ProjectId;
  readonly status: (typeof quarantineStates)[number];
  readonly code: QuarantineReason;
  readonly reason: string;
  /** JSON. */
  readonly event: string;
  readonly key_id: KeyId | null;
  readonly received_at: Date;
  readonly received: number;
  readonly resolved_at: Date | null;
  readonly discard_reason: string | null;
}

/** An event to set aside. */
export interface NewQuarantined {
  readonly id: string;
  readonly text: string;
  /** The same for the same event. */
  readonly fingerprint: Uint8Array;
  readonly problem: Problem;
}

const columns = sql`id, project_id, status, code, reason, event::text as event, key_id, received_at, received, resolved_at, discard_reason`;

/** Keeps events that were set aside. Every method takes the project. */
export class QuarantineStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Sets events aside, durably; one that waits already is counted once more.
   * @returns their ids in order, those of the first if the same came before; undefined: more than `most` would wait, and nothing was written.
   */
  async add(
    projectId: ProjectId,
    keyId: KeyId | null,
    events: readonly NewQuarantined[],
    most: number,
  ): Promise<readonly string[] | undefined> {
    return await this.#db.transaction().execute(async (transaction) => {
      await sql`select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`.execute(
        transaction,
      );
      // One at a time for each project, so that the bound holds.
      await sql`select pg_advisory_xact_lock(7070014, hashtext(${projectId}))`.execute(transaction);
      const { rows: counted } = await sql<{ n: number }>`
        select count(*)::integer as n
        from (select from quarantined_event where project_id = ${projectId} and status = 'waiting' limit ${most}) as waiting
      `.execute(transaction);
      if ((counted[0]?.n ?? 0) + events.length > most) return undefined;
      const ids = new Map<string, string>();
      for (const { id, text, fingerprint, problem } of events) {
        const { rows } = await sql<{ id: string }>`
          insert into quarantined_event (id, project_id, fingerprint, code, reason, event, key_id)
          values (${id}, ${projectId}, ${Buffer.from(fingerprint)}, ${problem.code}, ${problem.reason}, ${text}::json, ${keyId})
          on conflict (project_id, fingerprint) where status = 'waiting'
          do update set received = least(quarantined_event.received::bigint + 1, 2147483647)::integer,
            code = excluded.code, reason = excluded.reason
          returning id`.execute(transaction);
        ids.set(id, rows[0]?.id ?? id);
      }
      return events.map(({ id }) => ids.get(id) ?? id);
    });
  }

  /** One more than a page. */
  async page(
    projectId: ProjectId,
    { status, code, limit, after, order }: QuarantineQuery,
  ): Promise<readonly QuarantineRow[]> {
    const { rows } = await sql<QuarantineRow>`
      select ${columns} from quarantined_event
      where project_id = ${projectId} and status = ${status}
        ${code === undefined ? sql`` : sql`and code = ${code}`}
        ${after === undefined ? sql`` : sql`and id ${sql.raw(order === "asc" ? ">" : "<")} ${after}`}
      order by id ${sql.raw(order === "asc" ? "asc" : "desc")}
      limit ${limit + 1}`.execute(this.#db);
    return rows;
  }

  /** undefined: this project has none of that id. */
  async find(projectId: ProjectId, id: string): Promise<QuarantineRow | undefined> {
    const { rows } = await sql<QuarantineRow>`
      select ${columns} from quarantined_event where project_id = ${projectId} and id = ${id}`.execute(this.#db);
    return rows[0];
  }

  /** It is on the ledger now: also when somebody has discarded it at the same time. */
  async resolveReplayed(projectId: ProjectId, id: string): Promise<QuarantineRow | undefined> {
    const { rows } = await sql<QuarantineRow>`
      update quarantined_event set status = 'replayed', resolved_at = now(), discard_reason = null
      where project_id = ${projectId} and id = ${id}
      returning ${columns}`.execute(this.#db);
    return rows[0];
  }

  /** @returns undefined when it does not wait any more. */
  async discard(projectId: ProjectId, id: string, reason: string): Promise<QuarantineRow | undefined> {
    const { rows } = await sql<QuarantineRow>`
      update quarantined_event set status = 'discarded', resolved_at = now(), discard_reason = ${reason}
      where project_id = ${projectId} and id = ${id} and status = 'waiting'
      returning ${columns}`.execute(this.#db);
    return rows[0];
  }

  /** Says anew why an event waits. */
  async explain(projectId: ProjectId, id: string, { code, reason }: Problem): Promise<void> {
    await sql`update quarantined_event set code = ${code}, reason = ${reason}
      where project_id = ${projectId} and id = ${id} and status = 'waiting'`.execute(this.#db);
  }

  /** Forgets what was replayed or discarded before a time. */
  async forget(before: Date): Promise<void> {
    await sql`delete from quarantined_event where resolved_at < ${before}`.execute(this.#db);
  }
}
