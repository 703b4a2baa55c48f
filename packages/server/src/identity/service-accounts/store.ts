/** @file Rows of service accounts. A deleted one keeps its row, and is found no more. */
import type { Id, ListQuery, OrganizationId, ProjectId, Role } from "@gristmill/contract";
import { type Kysely, sql } from "kysely";
import type { Database } from "../../db/index.ts";
import type { ServiceAccountRow, Tables } from "../tables.ts";

/** What may be changed of an account. */
export interface ServiceAccountChange {
  readonly name?: string;
  readonly role?: Role;
  readonly disabled_at?: Date | null;
  readonly deleted_at?: Date;
}

/** Queries of service accounts; each names the organization. */
export class ServiceAccountStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** undefined when the organization has that name. */
  async insertIfAbsent(account: {
    readonly id: Id<"serviceAccount">;
    readonly organization_id: OrganizationId;
    readonly project_id: ProjectId | null;
    readonly name: string;
    readonly role: Role;
  }): Promise<ServiceAccountRow | undefined> {
    return await this.#db
      .insertInto("service_account")
      .values(account)
      .onConflict((conflict) =>
        conflict.columns(["organization_id", "name"]).where("deleted_at", "is", null).doNothing(),
      )
      .returningAll()
      .executeTakeFirst();
  }

  /** By id, else by name. */
  async find(organizationId: OrganizationId, nameOrId: string): Promise<ServiceAccountRow | undefined> {
    return await this.#open(organizationId)
      .where((eb) => eb.or([eb("id", "=", nameOrId as Id<"serviceAccount">), eb("name", "=", nameOrId)]))
      .orderBy(sql`id = ${nameOrId}`, "desc")
      .executeTakeFirst();
  }

  async list(organizationId: OrganizationId, { limit, after, order }: ListQuery): Promise<ServiceAccountRow[]> {
    let query = this.#open(organizationId).orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as Id<"serviceAccount">);
    return await query.limit(limit + 1).execute();
  }

  /**
   * Changes an account by what it is at that moment: `decide` sees the locked row and may throw.
   * undefined: the organization has no such account; "taken": another one has that name.
   */
  async change(
    organizationId: OrganizationId,
    id: Id<"serviceAccount">,
    decide: (row: ServiceAccountRow) => ServiceAccountChange,
  ): Promise<ServiceAccountRow | "taken" | undefined> {
    try {
      return await this.#db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom("service_account")
          .selectAll()
          .where("organization_id", "=", organizationId)
          .where("id", "=", id)
          .where("deleted_at", "is", null)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const change = decide(row);
        if (Object.keys(change).length === 0) return row;
        return await transaction
          .updateTable("service_account")
          .set(change)
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirstOrThrow();
      });
    } catch (error) {
      if ((error as { code?: unknown }).code === "23505") return "taken"; // unique_violation
      throw error;
    }
  }

  #open(organizationId: OrganizationId) {
    return this.#db
      .selectFrom("service_account")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .where("deleted_at", "is", null);
  }
}
