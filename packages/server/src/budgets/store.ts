/** @file Rows of budgets. */
import type { BudgetPeriod, BudgetsQuery, KeyId, OrganizationId, ProjectId } from "@gristmill/contract";
import { type RawBuilder, sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { BudgetRule } from "./budget-rules.ts";

/** A budget as it is stored. */
export type BudgetRow = {
  readonly id: string;
  readonly organization_id: OrganizationId;
  readonly name: string;
  readonly subject_type: "organization" | "project" | "key";
  readonly subject_id: string;
  /** Exact decimals, as short as they can be. */
  readonly amount: string;
  readonly currency: string;
  readonly period: BudgetPeriod;
  readonly hard: boolean;
  readonly thresholds: readonly string[];
  readonly emails: readonly string[];
  readonly webhooks: readonly string[];
  readonly created_at: Date;
  readonly updated_at: Date;
};

type Source = Database | Transaction<unknown>;

const columns = sql`id, organization_id, name, subject_type, subject_id, trim_scale(amount)::text as amount, currency, period,
  hard, array(select trim_scale(percent)::text from unnest(thresholds) as percent order by percent) as thresholds,
  emails, webhooks, created_at, updated_at`;

/** Whose budgets a caller may see: all of an organization, or those of one of its projects and that project's keys. */
export interface Sight {
  readonly organizationId: OrganizationId;
  /** null: all. */
  readonly projectId: ProjectId | null;
}

const inSight = ({ organizationId, projectId }: Sight): RawBuilder<unknown> =>
  projectId === null
    ? sql`organization_id = ${organizationId}`
    : sql`organization_id = ${organizationId} and (
        (subject_type = 'project' and subject_id = ${projectId})
        or (subject_type = 'key' and subject_id in (select id from api_key where project_id = ${projectId})))`;

/** Every budget, for the ledger. */
export async function allRules(source: Source): Promise<readonly BudgetRule[]> {
  const { rows } = await sql<BudgetRow>`select ${columns} from budget order by id`.execute(source);
  return rows.map(toRule);
}

/** @param sight undefined: the platform's own. */
export async function findBudget(source: Source, sight: Sight | undefined, id: string): Promise<BudgetRow | undefined> {
  const seen = sight === undefined ? sql`true` : inSight(sight);
  const { rows } = await sql<BudgetRow>`select ${columns} from budget where ${seen} and id = ${id}`.execute(source);
  return rows[0];
}

/** One more row than `limit`, when there is one. */
export async function listBudgets(db: Database, sight: Sight, query: BudgetsQuery): Promise<readonly BudgetRow[]> {
  const { limit, after, order, subject_type, subject_id } = query;
  const beyond = order === "asc" ? sql`id > ${after ?? ""}` : sql`id < ${after ?? "~"}`;
  const { rows } = await sql<BudgetRow>`
    select ${columns} from budget where ${inSight(sight)} and ${beyond}
      ${subject_type === undefined ? sql`` : sql`and subject_type = ${subject_type}`}
      ${subject_id === undefined ? sql`` : sql`and subject_id = ${subject_id}`}
    order by id ${sql.raw(order)} limit ${limit + 1}`.execute(db);
  return rows;
}

/** How many budgets an organization has. */
export async function countBudgets(transaction: Source, organizationId: OrganizationId): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from budget where organization_id = ${organizationId}`.execute(transaction);
  return rows[0]?.count ?? 0;
}

/** Writes a budget whole, new or changed. */
export async function putBudget(
  transaction: Transaction<unknown>,
  row: Omit<BudgetRow, "created_at" | "updated_at">,
): Promise<void> {
  await sql`
    insert into budget
      (id, organization_id, name, subject_type, subject_id, amount, currency, period, hard, thresholds, emails, webhooks)
    values (${row.id}, ${row.organization_id}, ${row.name}, ${row.subject_type}, ${row.subject_id}, ${row.amount}::numeric,
      ${row.currency}, ${row.period}, ${row.hard}, ${row.thresholds}::numeric[], ${row.emails}::text[],
      ${row.webhooks}::text[])
    on conflict (id) do update set name = excluded.name, amount = excluded.amount, hard = excluded.hard,
      thresholds = excluded.thresholds, emails = excluded.emails, webhooks = excluded.webhooks,
      updated_at = now()`.execute(transaction);
}

/** With its alerts and all that the ledger counted for it. */
export async function deleteBudget(transaction: Transaction<unknown>, id: string): Promise<void> {
  await sql`delete from budget where id = ${id}`.execute(transaction);
  await sql`delete from allowance where starts_with(id, ${`${id}:`})`.execute(transaction);
  await sql`delete from allowance_alert where starts_with(allowance_id, ${`${id}:`})`.execute(transaction);
}

/** What a subject is made of: whose usage counts. undefined: the organization has no such subject. */
export async function findSubject(
  source: Source,
  organizationId: OrganizationId,
  { type, id }: BudgetRule["subject"],
): Promise<{ readonly projectIds: readonly ProjectId[]; readonly keyIds?: readonly KeyId[] } | undefined> {
  const condition =
    type === "key"
      ? sql`id = (select project_id from api_key where id = ${id})`
      : sql`${type} = 'organization' or id = ${id}`;
  if (type === "organization" && id !== organizationId) return undefined;
  const { rows } = await sql<{ id: ProjectId }>`
    select id from project where organization_id = ${organizationId} and (${condition})`.execute(source);
  const projectIds = rows.map((row) => row.id);
  if (type === "organization") return { projectIds };
  if (projectIds.length === 0) return undefined;
  return type === "key" ? { projectIds, keyIds: [id as KeyId] } : { projectIds };
}

/** What the ledger counts. */
export type AllowanceRow = { readonly id: string; readonly used: string; readonly held: string };

/** What is used and held of allowances; those that nobody has claimed yet are missing. */
export async function readAllowances(source: Source, ids: readonly string[]): Promise<readonly AllowanceRow[]> {
  const { rows } = await sql<AllowanceRow>`
    select id, trim_scale(used)::text as used, trim_scale(held)::text as held
    from allowance where id = any (${ids}::text[])`.execute(source);
  return rows;
}

/** The database's clock, to the millisecond. */
export async function databaseNow(source: Source): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(source);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error("expected a row of the database's clock, received none");
  return now;
}

/** A row as the ledger's rules take it. */
export const toRule = (row: BudgetRow): BudgetRule => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  subject: { type: row.subject_type, id: row.subject_id },
  amount: row.amount,
  currency: row.currency,
  period: row.period,
  hard: row.hard,
  thresholds: row.thresholds,
});
