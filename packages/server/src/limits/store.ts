/** @file Limits in the database. */
import type { LimitMetric, LimitSubject, LimitsQuery, OrganizationId, ProjectId } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";

/** One limit. */
export type LimitRow = {
  readonly id: string;
  readonly organization_id: OrganizationId;
  readonly subject_type: LimitSubject["type"];
  readonly subject_id: string;
  readonly metric: LimitMetric;
  /** bigint, as text. */
  readonly value: string;
  readonly created_at: Date;
};

/** The database, or a transaction on it. */
export type Session = Database | Transaction<unknown>;

/** Whose limits are meant: all of an organization, or, with a project, those that hold in it and for its keys. */
export interface Reach {
  readonly organizationId: OrganizationId;
  readonly projectId: ProjectId | null;
}

/** Every limit of every organization. */
export async function allLimits(db: Session): Promise<readonly LimitRow[]> {
  const { rows } = await sql<LimitRow>`select * from limit_rule order by id`.execute(db);
  return rows;
}

/** A page of limits and one more row, in the order in which they were made. */
export async function listLimits(db: Session, reach: Reach, query: LimitsQuery): Promise<readonly LimitRow[]> {
  const { limit, after, order, subject_type, subject_id, metric } = query;
  const { rows } = await sql<LimitRow>`
    select * from limit_rule
    where ${within(reach)}
      ${subject_type === undefined ? sql`` : sql`and subject_type = ${subject_type}`}
      ${subject_id === undefined ? sql`` : sql`and subject_id = ${subject_id}`}
      ${metric === undefined ? sql`` : sql`and metric = ${metric}`}
      ${after === undefined ? sql`` : sql`and id ${sql.raw(order === "asc" ? ">" : "<")} ${after}`}
    order by id ${sql.raw(order)} limit ${limit + 1}`.execute(db);
  return rows;
}

/** One limit, if it is within reach. */
export async function findLimit(db: Session, reach: Reach, id: string): Promise<LimitRow | undefined> {
  const { rows } = await sql<LimitRow>`select * from limit_rule where id = ${id} and ${within(reach)}`.execute(db);
  return rows[0];
}

/** The limit of a subject that counts the same. */
export async function findSame(
  db: Session,
  { type, id }: LimitSubject,
  metric: LimitMetric,
): Promise<LimitRow | undefined> {
  const { rows } = await sql<LimitRow>`
    select * from limit_rule where subject_type = ${type} and subject_id = ${id} and metric = ${metric}`.execute(db);
  return rows[0];
}

/** How many limits an organization has. */
export async function countLimits(db: Session, organizationId: OrganizationId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from limit_rule where organization_id = ${organizationId}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** True when the subject is of that organization. */
export async function isOwn(db: Session, organizationId: OrganizationId, { type, id }: LimitSubject): Promise<boolean> {
  if (type === "organization") return id === organizationId;
  const { rows } = await (type === "project"
    ? sql`select from project where id = ${id} and organization_id = ${organizationId}`
    : sql`select from api_key join project on project.id = project_id
          where api_key.id = ${id} and organization_id = ${organizationId} and revoked_at is null`
  ).execute(db);
  return rows.length === 1;
}

/** Adds a limit. */
export async function insertLimit(transaction: Transaction<unknown>, row: Omit<LimitRow, "created_at">): Promise<Date> {
  const { id, organization_id, subject_type, subject_id, metric, value } = row;
  const { rows } = await sql<{ created_at: Date }>`
    insert into limit_rule (id, organization_id, subject_type, subject_id, metric, value)
    values (${id}, ${organization_id}, ${subject_type}, ${subject_id}, ${metric}, ${value})
    returning created_at`.execute(transaction);
  const created = rows[0]?.created_at;
  if (created === undefined) throw new Error("limit_rule: expected the row that was inserted, received none");
  return created;
}

/** Gives a limit another value. */
export async function setValue(transaction: Transaction<unknown>, id: string, value: number): Promise<void> {
  await sql`update limit_rule set value = ${value} where id = ${id}`.execute(transaction);
}

/** Takes a limit away with all that was counted under it. */
export async function deleteLimit(transaction: Transaction<unknown>, id: string): Promise<void> {
  await sql`delete from limit_rule where id = ${id}`.execute(transaction);
  await sql`delete from rate_window where id = ${id}`.execute(transaction);
  await sql`delete from allowance where id = ${id}`.execute(transaction);
}

const within = ({ organizationId, projectId }: Reach) =>
  projectId === null
    ? sql`organization_id = ${organizationId}`
    : sql`organization_id = ${organizationId} and (subject_type = 'organization' or subject_id = ${projectId}
        or (subject_type = 'key' and subject_id in (select id from api_key where project_id = ${projectId})))`;
