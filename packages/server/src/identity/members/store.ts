/** @file Rows of memberships. */
import type { ListQuery, OrganizationId, ProjectId, Role, UserId } from "@gristmill/contract";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Database } from "../../db/index.ts";
import type { MembershipRow, Tables } from "../tables.ts";

/** A user with all roles in one organization. */
export interface MemberRow {
  readonly id: UserId;
  readonly email: string;
  readonly name: string;
  /** In the whole organization. */
  readonly role: Role | null;
  readonly projects: readonly { readonly project_id: ProjectId; readonly role: Role }[];
  readonly created_at: Date;
}

/** A membership with the names of what it is in. */
export interface NamedMembership extends Omit<MembershipRow, "user_id" | "created_at"> {
  readonly organization_name: string;
  readonly project_name: string | null;
  readonly archived_at: Date | null;
}

/** Queries of members. */
export class MemberStore {
  readonly #root: Database | Transaction<unknown>;
  readonly #db: Kysely<Tables>;

  constructor(db: Database | Transaction<unknown>) {
    this.#root = db;
    this.#db = db.withTables<Tables>();
  }

  /** All of a user's, oldest first. */
  async listOf(userId: UserId): Promise<NamedMembership[]> {
    return await this.#db
      .selectFrom("membership as m")
      .innerJoin("organization as o", "o.id", "m.organization_id")
      .leftJoin("project as p", "p.id", "m.project_id")
      .select(["m.organization_id", "o.name as organization_name", "m.project_id", "p.name as project_name"])
      .select(["p.archived_at", "m.role"])
      .where("m.user_id", "=", userId)
      .orderBy("m.created_at")
      .orderBy("m.organization_id")
      .orderBy("m.project_id")
      .execute();
  }

  /** Of the whole organization, or those with a role in the project itself; one more than `limit`, when there is one. */
  async list(
    organizationId: OrganizationId,
    { projectId, limit, after, order }: ListQuery & { readonly projectId: ProjectId | null },
  ): Promise<readonly MemberRow[]> {
    const { rows } = await this.#members(organizationId, {
      where: sql`${projectId === null ? sql`true` : sql`bool_or(m.project_id = ${projectId})`}
        and ${after === undefined ? sql`true` : order === "asc" ? sql`u.id > ${after}` : sql`u.id < ${after}`}`,
      order: order === "asc" ? sql`u.id` : sql`u.id desc`,
      limit: limit + 1,
    }).execute(this.#db);
    return rows;
  }

  async find(organizationId: OrganizationId, userId: string): Promise<MemberRow | undefined> {
    const where = sql`u.id = ${userId}`;
    const { rows } = await this.#members(organizationId, { where, order: sql`u.id`, limit: 1 }).execute(this.#db);
    return rows[0];
  }

  /**
   * Changes of one organization's members and invitations, one after the other: what the work reads stays so until it has
   * written. It gets the stores of its transaction.
   */
  async alone<T>(organizationId: OrganizationId, work: (transaction: Transaction<unknown>) => Promise<T>): Promise<T> {
    return await this.#root.transaction().execute(async (transaction) => {
      await lockOrganization(transaction.withTables<Tables>(), organizationId);
      return await work(transaction);
    });
  }

  async countOwners(organizationId: OrganizationId): Promise<number> {
    const { count } = await this.#db
      .selectFrom("membership")
      .select((eb) => eb.fn.countAll<string>().as("count"))
      .where("organization_id", "=", organizationId)
      .where("project_id", "is", null)
      .where("role", "=", "owner")
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** Gives the role, in the organization (project null) or in the project, whatever there was. */
  async set({ organization_id, project_id, user_id, role }: Omit<MembershipRow, "created_at">): Promise<void> {
    const updated = await this.#db
      .updateTable("membership")
      .set({ role })
      .where("organization_id", "=", organization_id)
      .where("project_id", "is not distinct from", project_id)
      .where("user_id", "=", user_id)
      .executeTakeFirst();
    if (updated.numUpdatedRows > 0n) return;
    await this.#db.insertInto("membership").values({ organization_id, project_id, user_id, role }).execute();
  }

  /** projectId null: all of the organization's. */
  async remove(organizationId: OrganizationId, userId: UserId, projectId: ProjectId | null): Promise<void> {
    let query = this.#db
      .deleteFrom("membership")
      .where("organization_id", "=", organizationId)
      .where("user_id", "=", userId);
    if (projectId !== null) query = query.where("project_id", "=", projectId);
    await query.execute();
  }

  #members(
    organizationId: OrganizationId,
    { where, order, limit }: { where: ReturnType<typeof sql>; order: ReturnType<typeof sql>; limit: number },
  ) {
    return sql<MemberRow>`
      select u.id, u.email, u.name, min(m.created_at) as created_at,
        min(m.role) filter (where m.project_id is null) as role,
        coalesce(jsonb_agg(jsonb_build_object('project_id', m.project_id, 'role', m.role) order by m.project_id)
          filter (where m.project_id is not null), '[]') as projects
      from membership m join user_account u on u.id = m.user_id
      where m.organization_id = ${organizationId}
      group by u.id having ${where} order by ${order} limit ${limit}`;
  }
}

/** Held to the end of the transaction. It does not hinder new projects, whose rows name the organization. */
export async function lockOrganization(transaction: Transaction<Tables>, id: OrganizationId): Promise<void> {
  await transaction.selectFrom("organization").select("id").where("id", "=", id).forNoKeyUpdate().execute();
}
