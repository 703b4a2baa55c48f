/** @file Rows of organizations, projects and keys. */
import type { KeyId, ListQuery, OrganizationId, ProjectId, Scope } from "@gristmill/contract";
import type { Generated, Kysely, Selectable } from "kysely";
import type { Database } from "../db/index.ts";

interface OrganizationTable {
  id: OrganizationId;
  name: string;
  created_at: Generated<Date>;
}

interface ProjectTable {
  id: ProjectId;
  organization_id: OrganizationId;
  name: string;
  created_at: Generated<Date>;
}

interface KeyTable {
  id: KeyId;
  project_id: ProjectId;
  name: string;
  prefix: string;
  secret_sha256: Buffer;
  scopes: Scope[];
  created_at: Generated<Date>;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

type Tables = {
  organization: OrganizationTable;
  project: ProjectTable;
  api_key: KeyTable;
};

export type ProjectRow = Selectable<ProjectTable>;
export type KeyRow = Selectable<KeyTable>;

/** A key with what its caller needs to know of its project. */
export type KeyWithProject = KeyRow & { readonly project_name: string; readonly organization_id: OrganizationId };

/** Queries of identity. Those without a project are for authentication and for the admin's list of projects. */
export class IdentityStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** Finds or makes the organization and the project that every home has. */
  async ensureDefaults(ids: { organization: OrganizationId; project: ProjectId }): Promise<ProjectRow> {
    await this.#db
      .insertInto("organization")
      .values({ id: ids.organization, name: "default" })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
    await this.insertProjectIfAbsent({ id: ids.project, name: "default" });
    return await this.#db.selectFrom("project").selectAll().where("name", "=", "default").executeTakeFirstOrThrow();
  }

  /** undefined when the name is taken. */
  async insertProjectIfAbsent(project: { id: ProjectId; name: string }): Promise<ProjectRow | undefined> {
    return await this.#db
      .insertInto("project")
      .columns(["id", "organization_id", "name"])
      .expression((eb) =>
        eb
          .selectFrom("organization")
          .select((select) => [
            select.val(project.id).as("id"),
            "organization.id as organization_id",
            select.val(project.name).as("name"),
          ])
          .where("organization.name", "=", "default"),
      )
      .onConflict((conflict) => conflict.columns(["organization_id", "name"]).doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async findProject(nameOrId: string): Promise<ProjectRow | undefined> {
    return await this.#db
      .selectFrom("project")
      .selectAll()
      .where((eb) => eb.or([eb("id", "=", nameOrId as ProjectId), eb("name", "=", nameOrId)]))
      .executeTakeFirst();
  }

  /** One more row than `limit`, when there is one. */
  async listProjects({ limit, after, order }: ListQuery): Promise<ProjectRow[]> {
    let query = this.#db.selectFrom("project").selectAll().orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as ProjectId);
    return await query.limit(limit + 1).execute();
  }

  async findKeyByPrefix(prefix: string): Promise<KeyWithProject | undefined> {
    return await this.#db
      .selectFrom("api_key")
      .innerJoin("project", "project.id", "api_key.project_id")
      .selectAll("api_key")
      .select(["project.name as project_name", "project.organization_id"])
      .where("prefix", "=", prefix)
      .executeTakeFirst();
  }

  /** undefined when the prefix is taken. */
  async insertKeyIfAbsent(
    key: Pick<KeyRow, "id" | "project_id" | "name" | "prefix" | "secret_sha256" | "scopes" | "expires_at">,
  ): Promise<KeyRow | undefined> {
    return await this.#db
      .insertInto("api_key")
      .values({ ...key, last_used_at: null, revoked_at: null })
      .onConflict((conflict) => conflict.column("prefix").doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async findKey(projectId: ProjectId, id: string): Promise<KeyRow | undefined> {
    return await this.#db
      .selectFrom("api_key")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id as KeyId)
      .executeTakeFirst();
  }

  async listKeys(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<KeyRow[]> {
    let query = this.#db.selectFrom("api_key").selectAll().where("project_id", "=", projectId).orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as KeyId);
    return await query.limit(limit + 1).execute();
  }

  /** The first revocation counts; false when the project has no such key. */
  async revokeKey(projectId: ProjectId, id: string, at: Date): Promise<boolean> {
    const result = await this.#db
      .updateTable("api_key")
      .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(at)) }))
      .where("project_id", "=", projectId)
      .where("id", "=", id as KeyId)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  async touchKey(projectId: ProjectId, id: KeyId, at: Date): Promise<void> {
    await this.#db
      .updateTable("api_key")
      .set({ last_used_at: at })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .execute();
  }
}
