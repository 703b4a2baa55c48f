/** @file The ledger's statements. Each write is one call of a function of the database (migrations 0002 and 0010), so one transaction and one round trip. */
import type { KeyId, ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import {
  type AdmissionAnswer,
  type AdmissionQuestion,
  bucketWidthMs,
  type Candidate,
  type NoRoom,
} from "./admission.ts";
import type { RateWindow } from "./policy.ts";
import { type RatedEvent, type SettlementQuestion, sourceOf } from "./settlement.ts";

/** Why nothing was written: the rules have changed; rows of allowances or windows are missing. */
export type Unwritten = "stale" | "missing";

/** Writes claims, not durably. */
export async function admit(
  db: Database,
  question: AdmissionQuestion,
  instance: number | null,
): Promise<AdmissionAnswer | Unwritten> {
  const { candidates, allowances, windows, demands, version } = question;
  const claims = candidates.flatMap((candidate, index) => claimRow(candidate, index + 1));
  const { rows } = await sql<{
    stale: boolean;
    missing: boolean;
    admitted_at: Date;
    known: readonly { readonly n: number; readonly admitted_at: string | null }[] | null;
    refused: readonly NoRoom[] | null;
    remaining: readonly string[];
  }>`
    select * from ledger_admit(${JSON.stringify(claims)}::json, ${claims.map(({ id }) => id)}::text[],
      ${[...new Set(claims.map(({ project_id }) => project_id))]}::text[],
      ${allowances.map(({ id }) => id)}::text[], ${allowances.map(({ capacity }) => capacity)}::numeric[],
      ${windows.map(({ id }) => id)}::text[], ${windows.map(({ capacity }) => capacity)}::bigint[],
      ${windows.map(bucketWidthMs)}::integer[],
      ${demands.map(({ n }) => n)}::integer[], ${demands.map(({ room }) => room)}::integer[],
      ${demands.map(({ amount }) => amount)}::numeric[], ${version}::bigint, ${instance}::integer)`.execute(db);
  const row = rows[0];
  if (row === undefined) throw new Error("ledger_admit: expected a row, received none");
  if (row.stale) return "stale";
  if (row.missing) return "missing";
  return {
    admittedAt: row.admitted_at,
    known: new Map(row.known?.map(({ n, admitted_at }) => [n, admitted_at === null ? null : new Date(admitted_at)])),
    refused: new Map(row.refused?.map((noRoom) => [noRoom.n, noRoom])),
    remaining: row.remaining.map(Number),
  };
}

function claimRow({ entrant: { claim }, terms }: Candidate, n: number) {
  if (claim === null) return [];
  const { id, projectId, keyId, estimates, outlives } = claim;
  const allowances = terms.holds.map(({ allowance, amount }) => [allowance.id, amount]);
  const windows = terms.takes.flatMap(({ window, amount }) =>
    window.metric === "tokens" ? [[window.id, amount]] : [],
  );
  return [
    {
      n,
      id,
      project_id: projectId,
      key_id: keyId,
      ...(outlives ? { outlives } : {}),
      estimates: estimates.map((estimate) => ({ ...estimate, quantity: String(estimate.quantity) })),
      ...(allowances.length + windows.length === 0
        ? {}
        : {
            holds: { ...(allowances.length === 0 ? {} : { allowances }), ...(windows.length === 0 ? {} : { windows }) },
          }),
    },
  ];
}

/** Makes rows of allowances and windows. */
export async function makeRooms(
  db: Database,
  allowances: readonly { readonly id: string }[],
  windows: readonly RateWindow[],
): Promise<void> {
  await sql`select ledger_make_rooms(${allowances.map(({ id }) => id)}::text[], ${windows.map(({ id }) => id)}::text[],
    ${windows.map(bucketWidthMs)}::integer[])`.execute(db);
}

/** Writes events and ends claims durably, all or none; answers with the numbers of events that were there already. */
export async function settle(db: Database, question: SettlementQuestion): Promise<readonly number[] | Unwritten> {
  const { events, cells, ended, accruals, version } = question;
  const thresholds = new Map(accruals.map(({ allowance }) => [allowance.id, allowance.thresholds]));
  const noted = [...thresholds].flatMap(([id, all]) => all.map((threshold) => ({ id, threshold })));
  const projects = new Set(events.map(({ projectId }) => projectId));
  const { rows } = await sql<{
    stale: boolean;
    missing: boolean;
    repeated: readonly number[] | null;
    unflushed: boolean;
  }>`
    select * from ledger_settle(${jsonOf(events.map(eventRow))}::json, ${jsonOf(cells)}::json,
      ${[...projects]}::text[], ${ended.map(({ id }) => id)}::text[], ${ended.map(({ tokens }) => tokens)}::bigint[],
      ${accruals.map(({ n }) => n)}::integer[], ${accruals.map(({ allowance }) => allowance.id)}::text[],
      ${accruals.map(({ amount }) => amount)}::numeric[], ${noted.map(({ id }) => id)}::text[],
      ${noted.map(({ threshold }) => threshold)}::numeric[], ${version}::bigint)`.execute(db);
  const row = rows[0];
  if (row === undefined) throw new Error("ledger_settle: expected a row, received none");
  if (row.stale) return "stale";
  if (row.missing) return "missing";
  if (row.unflushed) await sql`select ledger_flush()`.execute(db);
  return row.repeated ?? [];
}

const jsonOf = (rows: readonly unknown[]): string | null => (rows.length === 0 ? null : JSON.stringify(rows));

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
  /** By which price it was rated; null: none was in force. */
  readonly price_id: string | null;
  /** As others sent it, JSON as text. */
  readonly original: string | null;
};

const eventRow = ({ n, cell, projectId, record, priceId }: RatedEvent) => ({
  n,
  cell,
  project_id: projectId,
  source: sourceOf(record),
  id: record.id,
  meter: record.meter,
  quantity: String(record.quantity),
  time: record.time,
  admitted_at: record.admittedAt,
  request_id: record.requestId,
  key_id: record.keyId,
  dimensions: record.dimensions,
  price_id: priceId,
  original: record.original ?? null,
});
