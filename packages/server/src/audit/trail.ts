/** @file No change without an entry: noted before it begins, entered when it has ended, and found again by who comes later. */

import { Readable } from "node:stream";
import { AppError } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Ground } from "../feature.ts";
import type { Answer, AuditTrail, Change } from "../http/index.ts";
import { actorOf, detailsOf, endingOfAnswer, endingOfFailure, plainText } from "./description.ts";
import type { Beginning, Ended, Ending } from "./entry.ts";
import { appendEntry, deletePending, findOutcome, insertPending, listPending, type PendingRow } from "./store.ts";

/** What the trail needs. */
export interface TrailParts {
  readonly ground: Ground;
  readonly db: Database;
  /** The number under which this server lives; null before it has started. */
  readonly instance: () => number | null;
}

/** Endings that could not be written yet are kept in memory up to this number; beyond, their entries will say `unknown`. */
const maxLate = 10_000;
const sweepAtOnce = 200;

/** The trail on PostgreSQL. */
export class DatabaseAuditTrail implements AuditTrail {
  readonly #parts: TrailParts;
  /** Changes that this process is making. */
  readonly #active = new Set<string>();
  /** Changes that ended while the database was away. */
  readonly #late = new Map<string, Ended>();

  constructor(parts: TrailParts) {
    this.#parts = parts;
  }

  async around(change: Change, make: () => Promise<Answer>): Promise<Answer> {
    const { db, instance, ground } = this.#parts;
    const { path } = change;
    const begins = beginningOf(change, ground.newId("auditEntry"));
    this.#active.add(begins.id);
    try {
      const beganAt = await insertPending(db, begins, instance());
      const ends = (ending: Ending): Promise<void> => this.#end({ ...begins, ...ending, beganAt });
      let answer: Answer;
      try {
        answer = await make();
      } catch (failure) {
        // The caller hears of the change's failure; what could not be entered is entered by the next sweep.
        await ends(endingOfFailure(path, failure)).catch(() => {});
        throw failure;
      }
      try {
        await ends(endingOfAnswer(path, answer));
      } catch (failure) {
        if (answer.body instanceof Readable) answer.body.destroy();
        throw failure;
      }
      return answer;
    } finally {
      this.#active.delete(begins.id);
    }
  }

  /** Enters what was left behind: by this process while its database was away, and by servers that were killed. */
  async sweep(): Promise<void> {
    const { db, instance } = this.#parts;
    for (const [id, ended] of this.#late) {
      await this.#write(ended);
      this.#late.delete(id);
    }
    const rows = await listPending(db, { instance: instance(), limit: sweepAtOnce + this.#active.size });
    const left = rows.filter(({ id }) => !this.#active.has(id) && !this.#late.has(id));
    for (const row of left) await this.#enterUnknown(row);
  }

  async #end(ended: Ended): Promise<void> {
    try {
      await this.#write(ended).catch((error: unknown) => {
        if (isAway(error)) return this.#write(ended);
        throw error;
      });
    } catch (error) {
      this.#parts.ground.log.error({ err: error, audit_entry: ended.id }, "A change is not in the audit log yet.");
      if (this.#late.size < maxLate) this.#late.set(ended.id, ended);
      throw error;
    }
  }

  /**
   * In one step: the change is no longer under way, and its entry is there. Whoever took this server for dead has entered
   * `unknown`, and that stays: the truth follows it as an entry of its own. What was written before its acknowledgement was
   * lost is not written twice.
   */
  async #write(ended: Ended): Promise<void> {
    const { db, ground } = this.#parts;
    await db.transaction().execute(async (transaction) => {
      if (await deletePending(transaction, ended.id)) return await appendEntry(transaction, ended);
      const entered = await findOutcome(transaction, ended.id);
      if (entered === undefined) await appendEntry(transaction, ended);
      if (entered === "unknown") await appendEntry(transaction, { ...ended, id: ground.newId("auditEntry") });
    });
  }

  async #enterUnknown(row: PendingRow): Promise<void> {
    const entry = unknownOf(row);
    await this.#parts.db.transaction().execute(async (transaction) => {
      if (await deletePending(transaction, row.id)) await appendEntry(transaction, entry);
    });
  }
}

function beginningOf({ action, caller, requestId, path, body, address }: Change, id: string): Beginning {
  const { organizationId, projectId } = caller;
  return {
    id,
    organizationId,
    projectId,
    action,
    actor: actorOf(caller),
    requestId,
    path: plainText(path),
    address: plainText(address, 64),
    details: detailsOf(body),
  };
}

const unknownOf = (row: PendingRow): Ended => ({
  id: row.id,
  organizationId: row.organization_id as Ended["organizationId"],
  projectId: row.project_id,
  action: row.action,
  actor: { type: row.actor_type, id: row.actor_id },
  requestId: row.request_id,
  path: row.path,
  address: row.address,
  details: row.details,
  beganAt: row.began_at,
  outcome: "unknown",
  status: null,
  errorCode: null,
  targetId: null,
});

const isAway = (error: unknown): boolean => error instanceof AppError && error.code === "database.unavailable";
