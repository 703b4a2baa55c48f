/** @file Rows of identity providers, and of whom they know. */
import type { OrganizationId, Role, UserId } from "@gristmill/contract";
import type { Generated, Kysely, Selectable, Transaction } from "kysely";
import type { Database } from "../db/index.ts";

interface ProviderTable {
  id: string;
  organization_id: OrganizationId;
  name: string;
  issuer: string;
  client_id: string;
  /** Sealed. */
  client_secret: Buffer;
  allowed_domains: string[];
  default_role: Role | null;
  created_at: Generated<Date>;
}

type Tables = {
  identity_provider: ProviderTable;
  user_identity: { provider_id: string; subject: string; user_id: UserId; created_at: Generated<Date> };
};

/** A provider. */
export type ProviderRow = Selectable<ProviderTable>;

/** Queries of providers. They are the platform's, not an organization's: who signs in is not known yet. */
export class ProviderStore {
  readonly #db: Kysely<Tables>;

  /** @param db the pool, or a transaction that all is part of. */
  constructor(db: Database | Transaction<unknown>) {
    this.#db = db.withTables<Tables>();
  }

  /** undefined when the name is taken. */
  async insertIfAbsent(provider: Omit<ProviderRow, "created_at">): Promise<ProviderRow | undefined> {
    return await this.#db
      .insertInto("identity_provider")
      .values(provider)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async find(id: string): Promise<ProviderRow | undefined> {
    return await this.#db.selectFrom("identity_provider").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** All: there are few. */
  async list(): Promise<ProviderRow[]> {
    return await this.#db.selectFrom("identity_provider").selectAll().orderBy("id", "asc").execute();
  }

  async count(): Promise<number> {
    const { count } = await this.#db
      .selectFrom("identity_provider")
      .select((eb) => eb.fn.countAll<string>().as("count"))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** False when there is none. Whom it knew keep their accounts. */
  async delete(id: string): Promise<boolean> {
    const result = await this.#db.deleteFrom("identity_provider").where("id", "=", id).executeTakeFirst();
    return result.numDeletedRows === 1n;
  }

  async findUserId(providerId: string, subject: string): Promise<UserId | undefined> {
    const row = await this.#db
      .selectFrom("user_identity")
      .select("user_id")
      .where("provider_id", "=", providerId)
      .where("subject", "=", subject)
      .executeTakeFirst();
    return row?.user_id;
  }

  /** False when the provider's subject is somebody's already. */
  async link(providerId: string, subject: string, userId: UserId): Promise<boolean> {
    const result = await this.#db
      .insertInto("user_identity")
      .values({ provider_id: providerId, subject, user_id: userId })
      .onConflict((conflict) => conflict.columns(["provider_id", "subject"]).doNothing())
      .executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n;
  }
}
