/** @file The queue of deliveries, which is also their log. Times are the database's. */
import type { OrganizationId } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Delivery, Outcome } from "./notice.ts";

/** A delivery as its owner sees it. */
export type DeliveryRow = {
  readonly id: string;
  readonly channel: "webhook" | "email";
  readonly recipient: string;
  readonly message_id: string;
  readonly type: string;
  readonly status: "pending" | "delivered" | "failed";
  readonly attempts: number;
  readonly next_attempt_at: Date | null;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly ended_at: Date | null;
};

/** A delivery to be made. */
export interface NewDelivery extends Omit<Delivery, "attempts"> {
  readonly organizationId: OrganizationId;
}

/** Puts deliveries into the queue, due at once; a repeat of one changes nothing. Webhooks of others are left out. */
export async function insertDeliveries(
  db: Database | Transaction<unknown>,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  await sql`
    insert into delivery (id, organization_id, channel, webhook_id, recipient, message_id, type, body, next_attempt_at)
    select row.id, row."organizationId", row.channel, webhook.id, row.recipient, row."messageId", row.type, row.body, now()
    from json_to_recordset(${JSON.stringify(deliveries)}::json) as row(
      id text, "organizationId" text, channel text, recipient text, "messageId" text, type text, body text)
    left join webhook on row.channel = 'webhook' and webhook.id = row.recipient
      and webhook.organization_id = row."organizationId"
    where row.channel = 'email' or webhook.id is not null
    on conflict (message_id, recipient) do nothing`.execute(db);
}

/**
 * Takes what is due, for this server alone: should it die, another takes it `leaseMs` later.
 * @param busy receivers that are left out. @param perReceiver deliveries to one receiver at most.
 */
export async function claimDue(
  db: Database,
  options: {
    readonly limit: number;
    readonly perReceiver: number;
    readonly busy: readonly string[];
    readonly leaseMs: number;
  },
): Promise<readonly Delivery[]> {
  const { limit, perReceiver, busy, leaseMs } = options;
  const { rows } = await sql<Delivery>`
    update delivery set attempts = attempts + 1, next_attempt_at = now() + ${leaseMs} * interval '1 millisecond'
    where id in (
      select id from delivery
      where id in (
        select id from (
          select id, next_attempt_at, row_number() over (partition by recipient order by next_attempt_at, id) as place
          from delivery
          where status = 'pending' and next_attempt_at <= now() and recipient <> all (${busy}::text[])
        ) as due
        where place <= ${perReceiver} order by next_attempt_at, id limit ${limit}
      ) and status = 'pending' and next_attempt_at <= now()
      for update skip locked
    )
    returning id, channel, recipient, message_id as "messageId", type, body, attempts`.execute(db);
  return rows;
}

/** Writes what came of an attempt. @param delayMs until the next; undefined: there is none. */
export async function recordOutcome(
  db: Database,
  id: string,
  outcome: Outcome,
  delayMs: number | undefined,
): Promise<void> {
  if (outcome.kind === "interrupted") {
    await sql`update delivery set attempts = attempts - 1, next_attempt_at = now()
              where id = ${id} and status = 'pending'`.execute(db);
    return;
  }
  const status = outcome.kind === "delivered" ? "delivered" : delayMs === undefined ? "failed" : "pending";
  const error = outcome.kind === "delivered" ? null : outcome.error.slice(0, 500);
  const next = status === "pending" ? sql`now() + ${delayMs} * interval '1 millisecond'` : sql`null`;
  await sql`
    update delivery set status = ${status}, last_status = ${outcome.status}, last_error = ${error},
      next_attempt_at = ${next}, ended_at = ${status === "pending" ? sql`null` : sql`now()`}
    where id = ${id} and status = 'pending'`.execute(db);
}

/** Newest first or oldest first; one more row than `limit` when there is one. */
export async function listDeliveries(
  db: Database,
  webhookId: string,
  page: { readonly limit: number; readonly after?: string | undefined; readonly order: "asc" | "desc" },
): Promise<readonly DeliveryRow[]> {
  const { limit, after, order } = page;
  const beyond = order === "asc" ? sql`id > ${after ?? ""}` : sql`id < ${after ?? "~"}`;
  const { rows } = await sql<DeliveryRow>`
    select id, channel, recipient, message_id, type, status, attempts, next_attempt_at, last_status, last_error,
      created_at, ended_at
    from delivery where webhook_id = ${webhookId} and ${beyond}
    order by id ${sql.raw(order)} limit ${limit + 1}`.execute(db);
  return rows;
}

/** Deliveries of messages, in order. */
export async function deliveriesOf(
  db: Database | Transaction<unknown>,
  messageIds: readonly string[],
): Promise<readonly DeliveryRow[]> {
  const { rows } = await sql<DeliveryRow>`
    select id, channel, recipient, message_id, type, status, attempts, next_attempt_at, last_status, last_error,
      created_at, ended_at
    from delivery where message_id = any (${messageIds}::text[]) order by id`.execute(db);
  return rows;
}

/** Deletes what ended so long ago; returns how many. */
export async function deleteEnded(db: Database, olderThanMs: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from delivery where id in (
      select id from delivery where ended_at < now() - ${olderThanMs} * interval '1 millisecond' limit 10000
    )`.execute(db);
  return Number(numAffectedRows ?? 0n);
}
