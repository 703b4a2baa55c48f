/** @file Rows of projects. */
import type { ListQuery, OrganizationId, ProjectId, UserId } from "@gristmill/contract";
import { type Kysely, sql } from "kysely";
import type { Database } from "../../db/index.ts";
import type { ProjectRow, Tables } from "../tables.ts";

/** Which projects of an organization may be seen. */
export type Visible = "all" | { readonly memberId: UserId } | { readonly id: ProjectId };

/** Queries of projects; each names the organization. */
export class ProjectStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** undefined when the organization has that name. */
  async insertIfAbsent(project: {
    id: ProjectId;
    organization_id: OrganizationId;
    name: string;
    description: string;
  }): Promise<ProjectRow | undefined> {
    return await this.#db
      .insertInto("project")
      .values({ ...project, archived_at: null })
      .onConflict((conflict) => conflict.columns(["organization_id", "name"]).doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  /** By id, else by name. */
  async find(organizationId: OrganizationId, nameOrId: string, visible: Visible): Promise<ProjectRow | undefined> {
    return await this.#visible(organizationId, visible)
      .where((eb) => eb.or([eb("id", "=", nameOrId as ProjectId), eb("name", "=", nameOrId)]))
      .orderBy(sql`id = ${nameOrId}`, "desc")
      .executeTakeFirst();
  }

  /** In whichever organization: for the operator alone. */
  async findById(id: ProjectId): Promise<ProjectRow | undefined> {
    return await this.#db.selectFrom("project").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** The oldest of these that is not archived, else the oldest. */
  async findOldest(organizationId: OrganizationId, of: "all" | readonly ProjectId[]): Promise<ProjectRow | undefined> {
    let query = this.#db.selectFrom("project").selectAll().where("organization_id", "=", organizationId);
    if (of !== "all") query = query.where("id", "in", of);
    return await query.orderBy(sql`archived_at is not null`).orderBy("id").executeTakeFirst();
  }

  /** One more row than `limit`, when there is one. */
  async list(
    organizationId: OrganizationId,
    visible: Visible,
    { limit, after, order }: ListQuery,
  ): Promise<ProjectRow[]> {
    let query = this.#visible(organizationId, visible).orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as ProjectId);
    return await query.limit(limit + 1).execute();
  }

  /** "taken": another project of the organization has that name; undefined: there is no such project. */
  async update(
    { organization_id: organizationId, id }: Pick<ProjectRow, "organization_id" | "id">,
    change: { readonly name?: string; readonly description?: string; readonly archived_at?: Date | null },
  ): Promise<ProjectRow | "taken" | undefined> {
    try {
      return await this.#db
        .updateTable("project")
        .set(change)
        .where("organization_id", "=", organizationId)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
    } catch (error) {
      if ((error as { code?: unknown }).code === "23505") return "taken"; // unique_violation
      throw error;
    }
  }

  #visible(organizationId: OrganizationId, visible: Visible) {
    const query = this.#db.selectFrom("project").selectAll().where("organization_id", "=", organizationId);
    if (visible === "all") return query;
    if ("id" in visible) return query.where("id", "=", visible.id);
    return query.where("id", "in", (eb) =>
      eb
        .selectFrom("membership")
        .select((select) => select.ref("project_id").$notNull().as("project_id"))
        .where("organization_id", "=", organizationId)
        .where("user_id", "=", visible.memberId),
    );
  }
}
