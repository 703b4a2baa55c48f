/** @file Rows of organizations. */
import type { ListQuery, OrganizationId, ProjectId, UserId } from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Database } from "../../db/index.ts";
import type { OrganizationRow, Tables } from "../tables.ts";

/** The organization and project that the admin key acts in. */
export interface Defaults {
  readonly organizationId: OrganizationId;
  readonly projectId: ProjectId;
}

/** The name of the one organization that every home has, and of the one project that every organization has. */
export const defaultName = "default";

/** Queries of organizations. */
export class OrganizationStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** Finds or makes the organization and the project that every home has. */
  async ensureDefaults(ids: { organization: OrganizationId; project: ProjectId }): Promise<Defaults> {
    await this.insertIfAbsent({ ...ids, name: defaultName, displayName: null });
    return await this.#db
      .selectFrom("organization")
      .innerJoin("project", "project.organization_id", "organization.id")
      .select(["organization.id as organizationId", "project.id as projectId"])
      .where("organization.name", "=", defaultName)
      .where("project.name", "=", defaultName)
      .executeTakeFirstOrThrow();
  }

  /** With its project `default`; undefined when the name is taken. */
  async insertIfAbsent(organization: {
    organization: OrganizationId;
    project: ProjectId;
    name: string;
    displayName: string | null;
  }): Promise<OrganizationRow | undefined> {
    const { organization: id, project, name, displayName } = organization;
    return await this.#db.transaction().execute(async (transaction) => {
      const inserted = await transaction
        .insertInto("organization")
        .values({ id, name, display_name: displayName })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .returningAll()
        .executeTakeFirst();
      if (inserted !== undefined)
        await transaction
          .insertInto("project")
          .values({ id: project, organization_id: id, name: defaultName, archived_at: null })
          .execute();
      return inserted;
    });
  }

  async isMember(userId: UserId, id: OrganizationId): Promise<boolean> {
    const row = await this.#db
      .selectFrom("membership")
      .select("user_id")
      .where("user_id", "=", userId)
      .where("organization_id", "=", id)
      .executeTakeFirst();
    return row !== undefined;
  }

  async find(nameOrId: string): Promise<OrganizationRow | undefined> {
    return await this.#db
      .selectFrom("organization")
      .selectAll()
      .where((eb) => eb.or([eb("id", "=", nameOrId as OrganizationId), eb("name", "=", nameOrId)]))
      .executeTakeFirst();
  }

  /** Those of a user's memberships, of one id, or all; one more row than `limit`, when there is one. */
  async list(
    whose: { readonly userId: UserId } | { readonly id: OrganizationId } | "all",
    { limit, after, order }: ListQuery,
  ): Promise<OrganizationRow[]> {
    let query = this.#db.selectFrom("organization").selectAll().orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as OrganizationId);
    if (whose !== "all")
      query =
        "id" in whose
          ? query.where("id", "=", whose.id)
          : query.where("id", "in", (eb) =>
              eb.selectFrom("membership").select("organization_id").where("user_id", "=", whose.userId),
            );
    return await query.limit(limit + 1).execute();
  }

  async rename(id: OrganizationId, displayName: string | null): Promise<OrganizationRow | undefined> {
    return await this.#db
      .updateTable("organization")
      .set({ display_name: displayName })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
  }
}
