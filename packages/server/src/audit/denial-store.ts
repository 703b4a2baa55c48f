/** @file Rows of denied accesses. */
import type { DeniedAccess, DeniedAccessQuery } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { DenialCount } from "./denial-counter.ts";

/** Adds counts to those of other servers and of earlier seconds. */
export async function addDenials(db: Database, counts: readonly DenialCount[]): Promise<void> {
  if (counts.length === 0) return;
  const rows = counts.map(({ minuteMs, organizationId, projectId, actorId, ...rest }) => ({
    minute: new Date(minuteMs).toISOString(),
    organization_id: organizationId,
    project_id: projectId,
    actor_id: actorId,
    ...rest,
  }));
  await sql`
    insert into denied_access (minute, organization_id, project_id, actor_id, address, route, code, count)
    select minute, organization_id, project_id, actor_id, address, route, code, count
    from json_to_recordset(${JSON.stringify(rows)}::json) as denial(
      minute timestamptz, organization_id text, project_id text, actor_id text, address text, route text, code text,
      count bigint)
    on conflict (minute, organization_id, project_id, actor_id, address, route, code)
      do update set count = denied_access.count + excluded.count`.execute(db);
}

/** Drops what is older than `keepDays`, and of each organization (and of unknown callers) the oldest above `most` rows. */
export async function pruneDenials(
  db: Database,
  { keepDays, most }: { readonly keepDays: number; readonly most: number },
): Promise<void> {
  await sql`delete from denied_access where minute < now() - make_interval(days => ${keepDays})`.execute(db);
  await sql`
    delete from denied_access d using (
      select organization_id, count(*) - ${most} as excess from denied_access
      group by organization_id having count(*) > ${most}
    ) full_group
    where d.organization_id is not distinct from full_group.organization_id and d.id <= (
      select id from denied_access o where o.organization_id is not distinct from full_group.organization_id
      order by id offset full_group.excess - 1 limit 1)`.execute(db);
}

/** A page of an organization's denied accesses, and one row more when there is more. `withUnknown`: also those of nobody's. */
export async function listDenials(
  db: Database,
  organizationId: string,
  query: DeniedAccessQuery & { readonly withUnknown: boolean },
): Promise<readonly DeniedAccess[]> {
  const { limit, order, after, code, actor_id, address, from, to, withUnknown } = query;
  const start = after !== undefined && /^\d{1,18}$/.test(after) ? after : null;
  const { rows } = await sql<Omit<DeniedAccess, "object" | "minute" | "count"> & { minute: Date; count: string }>`
    select id::text, minute, project_id, actor_id, address, route, code, count
    from denied_access
    where (organization_id = ${organizationId} or (${withUnknown} and organization_id is null))
      and (${start}::bigint is null
        or (case when ${order} = 'asc' then id > ${start}::bigint else id < ${start}::bigint end))
      and (${code ?? null}::text is null or code = ${code ?? null})
      and (${actor_id ?? null}::text is null or actor_id = ${actor_id ?? null})
      and (${address ?? null}::text is null or address = ${address ?? null})
      and (${from ?? null}::timestamptz is null or minute >= ${from ?? null}::timestamptz)
      and (${to ?? null}::timestamptz is null or minute < ${to ?? null}::timestamptz)
    order by id ${order === "asc" ? sql`asc` : sql`desc`} limit ${limit + 1}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    object: "denied_access",
    minute: row.minute.toISOString(),
    project_id: row.project_id,
    actor_id: row.actor_id,
    address: row.address,
    route: row.route,
    code: row.code,
    count: Number(row.count),
  }));
}
