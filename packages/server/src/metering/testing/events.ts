/** @file Requests and events for tests, and what the database has of them. */
import type { ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../../db/index.ts";
import type { Log } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { testOrganizationId } from "../../testing/caller.ts";
import type { ReservationRequest, UsageRecord } from "../ledger.ts";

/** Tells nobody. */
export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** A claim of one request. */
export const claimOf = (projectId: ProjectId, requestId: RequestId = newId("request")): ReservationRequest => ({
  requestId,
  organizationId: testOrganizationId,
  projectId,
  keyId: null,
  estimates: [{ meter: "service.requests", quantity: 1n, dimensions: {} }],
});

/** One event; its fields by default those of an inference request now. */
export function eventOf(id: string, more: Partial<UsageRecord> = {}): UsageRecord {
  const now = new Date();
  return {
    id,
    meter: "service.requests",
    quantity: "1",
    time: now,
    admittedAt: now,
    requestId: null,
    keyId: null,
    dimensions: { model: "mnist", deployment: "digits" },
    ...more,
  };
}

/** Ids of a project's events in the table itself, each as often as it is there, in order. */
export async function writtenIds(db: Database, projectId: ProjectId): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from usage_event where project_id = ${projectId} order by id collate "C"`.execute(db);
  return rows.map((row) => row.id);
}

/** How many reservations are open. */
export async function openReservations(db: Database): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::integer as n from reservation`.execute(db);
  return rows[0]?.n ?? 0;
}
