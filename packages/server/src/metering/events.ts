/** @file Pages of events, as they were written. */
import { AppError, type Page, type ProjectId, type UsageEvent, type UsageEventsQuery } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import { boundedRead } from "./bounded-read.ts";
import { ownSource } from "./ledger.ts";
import type { EventRow } from "./store.ts";

type Tables = {
  usage_event: EventRow;
  usage_event_key: Pick<EventRow, "project_id" | "source" | "id" | "time">;
};

/** Dimensions that a list can be narrowed to. */
const dimensionFilters = ["run", "deployment", "model", "dataset"] as const;

/** Fields that a list can be narrowed to. */
const fieldFilters = ["meter", "source", "request_id", "key_id", "price_id"] as const;

const columns = [
  "project_id",
  "source",
  "id",
  "meter",
  "quantity",
  "time",
  "admitted_at",
  "request_id",
  "key_id",
  "price_id",
  "dimensions",
] as const;

/**
 * One page of a project's events in order of time, then id, then source.
 * @throws AppError `request.invalid` when `after` is no event of this project.
 */
export async function listEvents(
  db: Database,
  projectId: ProjectId,
  query: UsageEventsQuery,
): Promise<Page<UsageEvent>> {
  const { from, to, limit, order, after } = query;
  let events = db
    .withTables<Tables>()
    .selectFrom("usage_event")
    .select(columns)
    .where("project_id", "=", projectId)
    .orderBy("time", order)
    .orderBy("id", order)
    .orderBy("source", order)
    .limit(limit + 1);
  if (from !== undefined) events = events.where("time", ">=", new Date(from));
  if (to !== undefined) events = events.where("time", "<", new Date(to));
  for (const name of fieldFilters)
    if (query[name] !== undefined) events = events.where(sql.ref(name), "=", query[name]);
  for (const name of dimensionFilters)
    if (query[name] !== undefined) events = events.where(sql`dimensions ->> ${name}`, "=", query[name]);
  if (after !== undefined) {
    const { time, id, source } = await placeOf(db, projectId, after);
    const beyond = sql.raw(order === "asc" ? ">" : "<");
    events = events.where(sql<boolean>`(time, id, source) ${beyond} (${time}, ${id}, ${source})`);
  }
  const rows = await boundedRead(db, async (transaction) => (await transaction.executeQuery(events)).rows);
  const page = rows.slice(0, limit);
  return {
    object: "list",
    data: page.map(toWire),
    first_id: nameOf(page[0]),
    last_id: nameOf(page.at(-1)),
    has_more: rows.length > limit,
  };
}

type Named = Pick<EventRow, "source" | "id">;

/** Names one event of a project: our own by its id, others by source and id, for no source holds a space. */
function nameOf(event: Named | undefined): string | null {
  if (event === undefined) return null;
  return event.source === ownSource ? event.id : `${event.source} ${event.id}`;
}

async function placeOf(db: Database, projectId: ProjectId, name: string): Promise<Named & { readonly time: Date }> {
  const space = name.indexOf(" ");
  const candidates: Named[] = [{ source: ownSource, id: name }];
  if (space > 0) candidates.push({ source: name.slice(0, space), id: name.slice(space + 1) });
  for (const { source, id } of candidates) {
    const key = await db
      .withTables<Tables>()
      .selectFrom("usage_event_key")
      .select("time")
      .where("project_id", "=", projectId)
      .where("source", "=", source)
      .where("id", "=", id)
      .executeTakeFirst();
    if (key !== undefined) return { source, id, time: key.time };
  }
  throw new AppError("request.invalid", `after: this project has no usage event "${name}".`);
}

const toWire = (row: Pick<EventRow, (typeof columns)[number]>): UsageEvent => ({
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
  price_id: row.price_id,
  dimensions: { ...row.dimensions },
});
