/** @file The log itself: adding what features tell, reading, exporting, verifying. */
import {
  type AuditEntry,
  type AuditVerification,
  type AuditVerificationQuery,
  type ChainPosition,
  type OrganizationId,
  verifyAuditLog,
} from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { NewId } from "../ids.ts";
import { plainDetails, plainText } from "./description.ts";
import type { AuditRecord, Ended } from "./entry.ts";
import { type EntryFilter, type EntryPage, findEntries } from "./search.ts";
import { appendEntry, findHead, listEntries, toWire } from "./store.ts";

/** So many entries are in memory at a time. */
const pageSize = 1000;

/** The audit logs of all organizations; every method names one. */
export class AuditLog {
  readonly #db: Database;
  readonly #newId: NewId;
  /** Verifications hash a whole log: one at a time. */
  #verifying: Promise<unknown> = Promise.resolve();

  constructor(db: Database, newId: NewId) {
    this.#db = db;
    this.#newId = newId;
  }

  /**
   * Enters a change that its feature tells of by itself. In the transaction that makes the change, as its last step (the
   * organization's chain is held until it ends): then there is no change without an entry.
   */
  async record(told: AuditRecord, transaction?: Transaction<unknown>): Promise<void> {
    const ended = endedOf(told, this.#newId("auditEntry"));
    if (transaction === undefined) await this.#db.transaction().execute((own) => appendEntry(own, ended));
    else await appendEntry(transaction, ended);
  }

  /** A page of entries. @throws AppError `request.invalid` when `after` or `before` is no entry's id. */
  async find(organizationId: OrganizationId, filter: EntryFilter, page: EntryPage): Promise<readonly AuditEntry[]> {
    return (await findEntries(this.#db, organizationId, filter, page)).map(toWire);
  }

  /** All entries after a number as they are now, a page in memory at a time. What is added meanwhile is left out. */
  async *entries(organizationId: OrganizationId, after: number, signal?: AbortSignal): AsyncGenerator<AuditEntry> {
    const head = await findHead(this.#db, organizationId);
    yield* this.#entriesUntil(organizationId, after, head?.number ?? 0, signal);
  }

  /** Computes every hash again. `kept`: a position that somebody kept outside, which must still be there. */
  async verify(
    organizationId: OrganizationId,
    kept: AuditVerificationQuery,
    signal?: AbortSignal,
  ): Promise<AuditVerification> {
    const turn = this.#verifying.then(() => this.#verify(organizationId, kept, signal));
    this.#verifying = turn.catch(() => {});
    return await turn;
  }

  async #verify(
    organizationId: OrganizationId,
    kept: AuditVerificationQuery,
    signal?: AbortSignal,
  ): Promise<AuditVerification> {
    signal?.throwIfAborted();
    const head = await findHead(this.#db, organizationId);
    const until = head ?? { number: 0, hash: "" };
    let hashThere: string | undefined;
    const watched = async function* (entries: AsyncIterable<AuditEntry>): AsyncGenerator<AuditEntry> {
      for await (const entry of entries) {
        if (entry.number === kept.number) hashThere = entry.hash;
        yield entry;
      }
    };
    const entries = watched(this.#entriesUntil(organizationId, 0, until.number, signal));
    const report = await verifyAuditLog(entries, head === undefined ? {} : { until });
    const broken = report.broken ?? faultBeside(kept, hashThere, head);
    const { number, hash } = report.head;
    return {
      object: "audit.verification",
      valid: broken === null,
      entries: report.entries,
      head: { number, hash },
      broken,
    };
  }

  async *#entriesUntil(
    organizationId: OrganizationId,
    after: number,
    until: number,
    signal?: AbortSignal,
  ): AsyncGenerator<AuditEntry> {
    for (let last = after; last < until; ) {
      signal?.throwIfAborted();
      const rows = await listEntries(this.#db, organizationId, { after: last, until, limit: pageSize });
      for (const row of rows) yield toWire(row);
      if (rows.length < pageSize) return;
      last = Number(rows.at(-1)?.number);
    }
  }
}

/** What the chain itself does not show: a log that was written anew as a whole, and rows behind its end. */
function faultBeside(
  kept: AuditVerificationQuery,
  hashThere: string | undefined,
  head: (ChainPosition & { readonly hasMore: boolean }) | undefined,
): AuditVerification["broken"] {
  if (kept.number !== undefined && hashThere !== kept.hash) return { number: kept.number, fault: "kept_hash_differs" };
  if (head?.hasMore === true) return { number: head.number + 1, fault: "entries_behind_the_head" };
  return null;
}

function endedOf(told: AuditRecord, id: string): Ended {
  const text = (value: string | null | undefined): string | null => (value == null ? null : plainText(value));
  return {
    id,
    organizationId: told.organizationId,
    projectId: text(told.projectId),
    action: told.action,
    actor: { type: told.actor.type, id: text(told.actor.id) },
    outcome: told.outcome,
    status: told.status ?? null,
    errorCode: text(told.errorCode),
    targetId: text(told.targetId),
    path: text(told.path),
    address: text(told.address),
    requestId: text(told.requestId),
    details: plainDetails(told.details ?? {}),
    beganAt: null,
  };
}
