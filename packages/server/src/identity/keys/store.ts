/** @file Rows of API keys. */
import type { KeyId, ListQuery, OrganizationId, ProjectId, Role } from "@gristmill/contract";
import { type Kysely, type SqlBool, sql } from "kysely";
import type { Database } from "../../db/index.ts";
import type { KeyRow, Tables } from "../tables.ts";

/** A key with all that decides what it may do. */
export type KeyInContext = KeyRow & {
  readonly project_name: string;
  readonly archived_at: Date | null;
  readonly organization_id: OrganizationId;
  readonly organization_name: string;
  /** Of the service account whose key it is. */
  readonly account_role: Role | null;
  readonly account_project_id: ProjectId | null;
  readonly is_account_closed: SqlBool | null;
  /** Of the user whose key it is. */
  readonly user_organization_role: Role | null;
  readonly user_project_role: Role | null;
};

/** What may be changed of a key. */
export type KeyChange = Partial<Omit<KeyRow, "id" | "project_id" | "created_at">>;

type NewKey = Pick<
  KeyRow,
  | "id"
  | "project_id"
  | "name"
  | "prefix"
  | "secret_sha256"
  | "scopes"
  | "models"
  | "expires_at"
  | "user_id"
  | "service_account_id"
>;

/** Queries of keys; each names the project, but that of authentication, which does not know it yet. */
export class KeyStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** By the prefix of its secret, or of the one before. */
  async findByPrefix(prefix: string): Promise<KeyInContext | undefined> {
    return await this.#db
      .selectFrom("api_key as k")
      .innerJoin("project as p", "p.id", "k.project_id")
      .innerJoin("organization as o", "o.id", "p.organization_id")
      .leftJoin("service_account as a", "a.id", "k.service_account_id")
      .selectAll("k")
      .select((eb) => [
        "p.name as project_name",
        "p.archived_at",
        "p.organization_id",
        "o.name as organization_name",
        "a.role as account_role",
        "a.project_id as account_project_id",
        eb.or([eb("a.disabled_at", "is not", null), eb("a.deleted_at", "is not", null)]).as("is_account_closed"),
        eb
          .selectFrom("membership as m")
          .select("m.role")
          .whereRef("m.user_id", "=", "k.user_id")
          .whereRef("m.organization_id", "=", "p.organization_id")
          .where("m.project_id", "is", null)
          .as("user_organization_role"),
        eb
          .selectFrom("membership as m")
          .select("m.role")
          .whereRef("m.user_id", "=", "k.user_id")
          .whereRef("m.organization_id", "=", "p.organization_id")
          .whereRef("m.project_id", "=", "k.project_id")
          .as("user_project_role"),
      ])
      .where((eb) => eb.or([eb("k.prefix", "=", prefix), eb("k.previous_prefix", "=", prefix)]))
      .orderBy(sql`k.prefix = ${prefix}`, "desc")
      .executeTakeFirst();
  }

  /** undefined when the prefix is taken. */
  async insertIfAbsent(key: NewKey): Promise<KeyRow | undefined> {
    return await this.#db
      .insertInto("api_key")
      .values(key)
      .onConflict((conflict) => conflict.column("prefix").doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async find(projectId: ProjectId, id: string): Promise<KeyRow | undefined> {
    return await this.#db
      .selectFrom("api_key")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id as KeyId)
      .executeTakeFirst();
  }

  async list(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<KeyRow[]> {
    let query = this.#db.selectFrom("api_key").selectAll().where("project_id", "=", projectId).orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as KeyId);
    return await query.limit(limit + 1).execute();
  }

  /**
   * Changes a key by what it is at that moment: `decide` sees the locked row and may throw.
   * undefined: the project has no such key.
   */
  async change(projectId: ProjectId, id: string, decide: (row: KeyRow) => KeyChange): Promise<KeyRow | undefined> {
    return await this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("api_key")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("id", "=", id as KeyId)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const change = decide(row);
      if (Object.keys(change).length === 0) return row;
      return await transaction
        .updateTable("api_key")
        .set(change)
        .where("id", "=", row.id)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  async touch(projectId: ProjectId, id: KeyId, at: Date): Promise<void> {
    await this.#db
      .updateTable("api_key")
      .set({ last_used_at: at })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .execute();
  }
}
