/** @file The ledger's statements. Each write is one statement, so one transaction and one round trip. */
import type { KeyId, ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import { ownSource, type ReservationRequest, type UsageRecord } from "./ledger.ts";

/** Events and ended reservations that belong together. */
export interface Settlement {
  readonly projectId: ProjectId;
  /** null: usage outside a request. */
  readonly requestId: RequestId | null;
  readonly events: readonly UsageRecord[];
}

/** Writes claims, not durably, and answers by request when the database admitted it. */
export async function writeClaims(
  db: Database,
  requests: readonly ReservationRequest[],
  instance: number | null,
): Promise<ReadonlyMap<string, Date>> {
  const claims = requests.map((request) => ({
    request_id: request.requestId,
    project_id: request.projectId,
    key_id: request.keyId,
    estimates: request.estimates.map(({ meter, quantity }) => ({ meter, quantity: String(quantity) })),
  }));
  const { rows } = await sql<{ request_id: string; admitted_at: Date }>`
    select request_id, admitted_at from ledger_reserve(${JSON.stringify(claims)}::json, ${instance}::integer)`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.request_id, row.admitted_at]));
}

/** Writes settlements durably, all or none; returns how many events were new. */
export async function writeSettlements(db: Database, settlements: readonly Settlement[]): Promise<number> {
  const events = settlements.flatMap(({ projectId, events }) => events.map((event) => toRow(projectId, event)));
  const requests = settlements.flatMap(({ requestId }) => (requestId === null ? [] : [requestId]));
  const { rows } = await sql<{ fresh: string }>`
    select ledger_settle(${JSON.stringify(events)}::json, ${requests}::text[]) as fresh`.execute(db);
  return Number(rows[0]?.fresh ?? 0);
}

/** Makes the partitions of months; those that are there stay as they are. */
export async function makePartitions(db: Database, months: readonly Date[]): Promise<void> {
  const times = months.map((month) => month.toISOString());
  await sql`select usage_event_partition(moment) from unnest(${times}::timestamptz[]) as moment`.execute(db);
}

/** One usage event as the database has it. */
export type EventRow = {
  readonly project_id: ProjectId;
  readonly source: string;
  readonly id: string;
  readonly meter: string;
  readonly quantity: string;
  readonly time: Date;
  readonly admitted_at: Date;
  readonly request_id: RequestId | null;
  readonly key_id: KeyId | null;
  readonly dimensions: Readonly<Record<string, string>>;
};

const toRow = (projectId: ProjectId, event: UsageRecord): EventRow => ({
  project_id: projectId,
  source: event.source ?? ownSource,
  id: event.id,
  meter: event.meter,
  quantity: String(event.quantity),
  time: event.time,
  admitted_at: event.admittedAt,
  request_id: event.requestId,
  key_id: event.keyId,
  dimensions: event.dimensions,
});
