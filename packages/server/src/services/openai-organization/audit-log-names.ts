/** @file Names that OpenAI's audit logs show beside ids: projects, users' addresses, whose a key is. */
import type { AuditEntry, OrganizationId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../../db/index.ts";

/** Whose a key is. Both null: the operator's. */
export interface KeyOwner {
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
}

/** What is known of a page's ids. */
export interface AuditLogNames {
  readonly projects: ReadonlyMap<string, string>;
  readonly emails: ReadonlyMap<string, string>;
  readonly owners: ReadonlyMap<string, KeyOwner>;
}

/** Looks up a page's ids, those of the organization only. */
export async function findNames(
  db: Database,
  organizationId: OrganizationId,
  entries: readonly AuditEntry[],
): Promise<AuditLogNames> {
  const idsOf = (type: string): string[] =>
    entries.flatMap(({ actor }) => (actor.type === type && actor.id !== null ? [actor.id] : []));
  const projectIds = entries.flatMap(({ project_id }) => (project_id === null ? [] : [project_id]));
  const projects = await sql<{ id: string; name: string }>`
    select id, name from project where organization_id = ${organizationId} and id = any (${projectIds})`.execute(db);
  const owners = await sql<{ id: string } & KeyOwner>`
    select k.id, k.user_id as "userId", k.service_account_id as "serviceAccountId"
    from api_key k join project p on p.id = k.project_id
    where p.organization_id = ${organizationId} and k.id = any (${idsOf("key")})`.execute(db);
  const userIds = [...idsOf("user"), ...owners.rows.flatMap(({ userId }) => (userId === null ? [] : [userId]))];
  const users = await sql<{ id: string; email: string }>`
    select id, email from user_account where id = any (${userIds})`.execute(db);
  return {
    projects: new Map(projects.rows.map(({ id, name }) => [id, name])),
    emails: new Map(users.rows.map(({ id, email }) => [id, email])),
    owners: new Map(owners.rows.map((row) => [row.id, row])),
  };
}

/** Users of the organization who have one of these addresses. */
export async function userIdsOf(
  db: Database,
  organizationId: OrganizationId,
  emails: readonly string[],
): Promise<readonly string[]> {
  const lower = emails.map((email) => email.toLowerCase());
  const { rows } = await sql<{ id: string }>`
    select u.id from user_account u where u.email = any (${lower})
      and exists (select from audit_entry e where e.organization_id = ${organizationId} and e.actor_id = u.id)`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}
