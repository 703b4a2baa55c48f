/** @file Pages of events, as they were written. */
import { AppError, type Page, type ProjectId, type UsageEvent, type UsageEventsQuery } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import { pageOf } from "../http/index.ts";
import { ownSource } from "./ledger.ts";
import type { EventRow } from "./store.ts";

type Tables = {
  usage_event: EventRow;
  usage_event_key: Pick<EventRow, "project_id" | "source" | "id" | "time">;
};

/** Dimensions that a list can be narrowed to. */
const dimensionFilters = ["run", "deployment", "model", "dataset"] as const;

/**
 * One page of a project's events in order of time, then id.
 * @throws AppError `request.invalid` when `after` is no event of this project.
 */
export async function listEvents(
  db: Database,
  projectId: ProjectId,
  query: UsageEventsQuery,
): Promise<Page<UsageEvent>> {
  const { from, to, meter, request_id, key_id, limit, order, after } = query;
  let events = db
    .withTables<Tables>()
    .selectFrom("usage_event")
    .selectAll()
    .where("project_id", "=", projectId)
    .orderBy("time", order)
    .orderBy("id", order)
    .limit(limit + 1);
  if (from !== undefined) events = events.where("time", ">=", new Date(from));
  if (to !== undefined) events = events.where("time", "<", new Date(to));
  if (meter !== undefined) events = events.where("meter", "=", meter);
  if (request_id !== undefined) events = events.where(sql`request_id`, "=", request_id);
  if (key_id !== undefined) events = events.where(sql`key_id`, "=", key_id);
  for (const name of dimensionFilters)
    if (query[name] !== undefined) events = events.where(sql`dimensions ->> ${name}`, "=", query[name]);
  if (after !== undefined) {
    const time = await timeOf(db, projectId, after);
    events = events.where(sql<boolean>`(time, id) ${sql.raw(order === "asc" ? ">" : "<")} (${time}, ${after})`);
  }
  return pageOf(await events.execute(), limit, toWire);
}

async function timeOf(db: Database, projectId: ProjectId, id: string): Promise<Date> {
  const key = await db
    .withTables<Tables>()
    .selectFrom("usage_event_key")
    .select("time")
    .where("project_id", "=", projectId)
    .where("source", "=", ownSource)
    .where("id", "=", id)
    .executeTakeFirst();
  if (key !== undefined) return key.time;
  throw new AppError("request.invalid", `after: this project has no usage event "${id}".`);
}

const toWire = (row: EventRow): UsageEvent => ({
  id: row.id,
  object: "usage.event",
  project_id: row.project_id,
  source: row.source,
  meter: row.meter,
  quantity: row.quantity,
  time: row.time.toISOString(),
  admitted_at: row.admitted_at.toISOString(),
  request_id: row.request_id,
  key_id: row.key_id,
  dimensions: { ...row.dimensions },
});
