/** @file Rows of the audit log: entries and their chains, changes under way, denied accesses. */

import { createHash } from "node:crypto";
import {
  type AuditAction,
  type AuditActorType,
  type AuditDetails,
  type AuditEntry,
  type AuditOutcome,
  auditEntryText,
  type ChainPosition,
  chainStart,
} from "@gristmill/contract";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Beginning, Ended } from "./entry.ts";

/** Columns that entries and changes under way share. */
interface Said {
  id: string;
  organization_id: string;
  action: AuditAction;
  actor_type: AuditActorType;
  actor_id: string | null;
  project_id: string | null;
  path: string | null;
  address: string | null;
  request_id: string | null;
  details: AuditDetails;
  began_at: Date;
}

/** An entry as it lies in the database. */
export interface EntryRow extends Said {
  /** `bigint` arrives as text. */
  number: string;
  previous_hash: string;
  hash: string;
  outcome: AuditOutcome;
  status: number | null;
  error_code: string | null;
  target_id: string | null;
  at: Date;
}

/** A change under way. */
export type PendingRow = Said & { readonly instance: number | null };

type Session = Kysely<unknown> | Transaction<unknown>;

/** The entry on the wire; its canonical text is what is hashed. */
export const toWire = (row: EntryRow): AuditEntry => ({
  id: row.id,
  object: "audit.entry",
  organization_id: row.organization_id,
  number: Number(row.number),
  previous_hash: row.previous_hash,
  hash: row.hash,
  action: row.action,
  outcome: row.outcome,
  status: row.status,
  error_code: row.error_code,
  actor: { type: row.actor_type, id: row.actor_id },
  project_id: row.project_id,
  target_id: row.target_id,
  path: row.path,
  address: row.address,
  request_id: row.request_id,
  details: row.details,
  began_at: row.began_at.toISOString(),
  at: row.at.toISOString(),
});

/**
 * Adds an entry to its organization's chain, whose row is held until the transaction ends: let it be the transaction's last
 * step, so that nobody waits for another's work.
 */
export async function appendEntry(transaction: Transaction<unknown>, ended: Ended): Promise<void> {
  const { organizationId } = ended;
  const { rows } = await sql<{ number: string; hash: string; now: Date }>`
    insert into audit_chain (organization_id, number, hash) values (${organizationId}, 0, ${chainStart.hash})
    on conflict (organization_id) do update set number = audit_chain.number
    returning number, hash, date_trunc('milliseconds', clock_timestamp()) as now`.execute(transaction);
  const last = rows[0];
  if (last === undefined) throw new Error("expected the row of an audit log's chain, received none");
  const row = chained(ended, { number: Number(last.number), hash: last.hash }, last.now);
  await sql`
    with entry as (
      insert into audit_entry (organization_id, number, id, previous_hash, hash, action, outcome, status, error_code,
        actor_type, actor_id, project_id, target_id, path, address, request_id, details, began_at, at)
      values (${row.organization_id}, ${row.number}, ${row.id}, ${row.previous_hash}, ${row.hash}, ${row.action},
        ${row.outcome}, ${row.status}, ${row.error_code}, ${row.actor_type}, ${row.actor_id}, ${row.project_id},
        ${row.target_id}, ${row.path}, ${row.address}, ${row.request_id}, ${JSON.stringify(row.details)}::jsonb,
        ${row.began_at}, ${row.at}))
    update audit_chain set number = ${row.number}, hash = ${row.hash} where organization_id = ${row.organization_id}
  `.execute(transaction);
}

/** The row of a change after the one before it. */
function chained(ended: Ended, last: ChainPosition, now: Date): EntryRow {
  const row: EntryRow = {
    id: ended.id,
    organization_id: ended.organizationId,
    number: String(last.number + 1),
    previous_hash: last.hash,
    hash: "",
    action: ended.action,
    outcome: ended.outcome,
    status: ended.status,
    error_code: ended.errorCode,
    actor_type: ended.actor.type,
    actor_id: ended.actor.id,
    project_id: ended.projectId,
    target_id: ended.targetId,
    path: ended.path,
    address: ended.address,
    request_id: ended.requestId,
    details: ended.details,
    began_at: ended.beganAt ?? now,
    at: now,
  };
  return {
    ...row,
    hash: createHash("sha256")
      .update(auditEntryText(toWire(row)))
      .digest("hex"),
  };
}

/** The last entry of a chain as its row says, and whether entries lie behind it; undefined: an organization without entries. */
export async function findHead(
  db: Database,
  organizationId: string,
): Promise<(ChainPosition & { readonly hasMore: boolean }) | undefined> {
  const { rows } = await sql<{ number: string; hash: string; more: boolean }>`
    select number, hash, exists (select from audit_entry e
      where e.organization_id = c.organization_id and e.number > c.number) as more
    from audit_chain c where organization_id = ${organizationId}`.execute(db);
  const row = rows[0];
  return row === undefined ? undefined : { number: Number(row.number), hash: row.hash, hasMore: row.more };
}

/** Entries in the order of their numbers, from the one after `after` to `until`. */
export async function listEntries(
  db: Database,
  organizationId: string,
  range: { readonly after: number; readonly until: number; readonly limit: number },
): Promise<readonly EntryRow[]> {
  return await db
    .withTables<{ audit_entry: EntryRow }>()
    .selectFrom("audit_entry")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("number", ">", String(range.after))
    .where("number", "<=", String(range.until))
    .orderBy("number")
    .limit(range.limit)
    .execute();
}

/** Notes durably that a change begins. Returns when, by the database's clock. */
export async function insertPending(db: Database, said: Beginning, instance: number | null): Promise<Date> {
  const { rows } = await sql<{ began_at: Date }>`
    insert into audit_pending (id, organization_id, instance, action, actor_type, actor_id, project_id, path, address,
      request_id, details, began_at)
    values (${said.id}, ${said.organizationId}, ${instance}, ${said.action}, ${said.actor.type}, ${said.actor.id},
      ${said.projectId}, ${said.path}, ${said.address}, ${said.requestId}, ${JSON.stringify(said.details)}::jsonb,
      date_trunc('milliseconds', clock_timestamp()))
    returning began_at`.execute(db);
  const began = rows[0]?.began_at;
  if (began === undefined) throw new Error("expected the row of a change that begins, received none");
  return began;
}

/** Ends a change under way. False: it was ended already. */
export async function deletePending(transaction: Transaction<unknown>, id: string): Promise<boolean> {
  const { rows } = await sql`delete from audit_pending where id = ${id} returning id`.execute(transaction);
  return rows.length === 1;
}

/** Changes under way of servers that live no more, or of this one. */
export async function listPending(
  db: Database,
  of: { readonly instance: number | null; readonly limit: number },
): Promise<readonly PendingRow[]> {
  const { rows } = await sql<PendingRow>`
    select * from audit_pending
    where (instance is not null and not exists (select from server_instance where number = instance))
      or instance = ${of.instance}
      or (instance is null and began_at < now() - interval '1 hour')
    order by id limit ${of.limit}`.execute(db);
  return rows;
}

/** How an entry says that its change ended; undefined: there is no such entry. */
export async function findOutcome(session: Session, id: string): Promise<AuditOutcome | undefined> {
  const { rows } = await sql<{ outcome: AuditOutcome }>`
    select outcome from audit_entry where id = ${id}`.execute(session);
  return rows[0]?.outcome;
}
