/** @file What the ledger has of events, as reads. */
import type { EventsQuery, KeyId, ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import { boundedRead, ownSource } from "../metering/index.ts";
import { separator } from "./counting.ts";

/** One record of the ledger. */
export interface LedgerRow {
  readonly source: string;
  readonly id: string;
  readonly meter: string;
  /** Exact decimal. */
  readonly quantity: string;
  readonly time: Date;
  readonly admitted_at: Date;
  readonly request_id: RequestId | null;
  readonly key_id: KeyId | null;
  readonly dimensions: Readonly<Record<string, string>>;
  /** The event as others sent it, JSON; null: one of ours. */
  readonly original: string | null;
}

/** A place in the order of events: time, then id, then source. */
export interface EventPlace {
  readonly time: Date;
  readonly id: string;
  readonly source: string;
}

/** Of the records of one event, the first keeps it as it was sent. */
const columns = sql`source, id, meter, quantity::text as quantity, time, admitted_at, request_id, key_id, dimensions,
  coalesce(original, (
    select first.original from usage_event as first
    where first.project_id = event.project_id and first.time = event.time and first.source = event.source
      and event.source <> ${ownSource} and first.id = split_part(event.id, ${separator}, 1)
  )) as original`;

/** Reads events of a project. */
export class EventStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Which of these events are on the ledger, each as JSON of [source, id]. */
  async known(
    projectId: ProjectId,
    events: readonly { readonly source: string; readonly id: string }[],
  ): Promise<ReadonlySet<string>> {
    if (events.length === 0) return new Set();
    const sources = events.map((event) => event.source);
    const ids = events.map((event) => event.id);
    const { rows } = await sql<{ source: string; id: string }>`
      select key.source, key.id
      from unnest(${sources}::text[], ${ids}::text[]) as asked (source, id)
      join usage_event_key as key on key.project_id = ${projectId} and key.source = asked.source and key.id = asked.id
    `.execute(this.#db);
    return new Set(rows.map((row) => eventKey(row)));
  }

  /** Records by source and ids. */
  async find(projectId: ProjectId, source: string, ids: readonly string[]): Promise<readonly LedgerRow[]> {
    const { rows } = await sql<LedgerRow>`
      select ${columns} from usage_event as event
      where project_id = ${projectId} and source = ${source} and id = any (${ids}::text[])
        and time in (select time from usage_event_key
          where project_id = ${projectId} and source = ${source} and id = any (${ids}::text[]))
      order by id collate "C"`.execute(this.#db);
    return rows;
  }

  /** One more than a page of events, each once. */
  async page(projectId: ProjectId, query: EventsQuery, after: EventPlace | undefined): Promise<readonly LedgerRow[]> {
    const { from, to, source, type, subject, meter, id, limit, order } = query;
    const direction = sql.raw(order === "asc" ? "asc" : "desc");
    const beyond = sql.raw(order === "asc" ? ">" : "<");
    // A meter's own records of an event are shown only when that meter is asked for.
    const page = sql<LedgerRow>`
      select ${columns} from usage_event as event
      where project_id = ${projectId}
        ${meter === undefined ? sql`and (original is not null or source = ${ownSource})` : sql`and meter = ${meter}`}
        ${from === undefined ? sql`` : sql`and time >= ${new Date(from)}`}
        ${to === undefined ? sql`` : sql`and time < ${new Date(to)}`}
        ${source === undefined ? sql`` : sql`and source = ${source}`}
        ${id === undefined ? sql`` : sql`and id = ${id}`}
        ${type === undefined ? sql`` : sql`and coalesce(original::json ->> 'type', 'gristmill.' || meter) = ${type}`}
        ${subject === undefined ? sql`` : sql`and original::json ->> 'subject' = ${subject}`}
        ${after === undefined ? sql`` : sql`and (time, id, source) ${beyond} (${after.time}, ${after.id}, ${after.source})`}
      order by time ${direction}, id ${direction}, source ${direction}
      limit ${limit + 1}`;
    return (await boundedRead(this.#db, (transaction) => page.execute(transaction))).rows;
  }
}

/** A text that only the same event has. */
export const eventKey = ({ source, id }: { readonly source: string; readonly id: string }): string =>
  JSON.stringify([source, id]);
