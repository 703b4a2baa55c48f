/** @file Rows of webhooks. Secrets in them are sealed. */
import type { ListQuery, OrganizationId } from "@gristmill/contract";
import type { Generated, Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";

interface WebhookTable {
  id: string;
  organization_id: OrganizationId;
  name: string;
  url: string;
  enabled: boolean;
  disabled_reason: string | null;
  secret: Buffer;
  secret_created_at: Date;
  previous_secret: Buffer | null;
  previous_ends_at: Date | null;
  created_at: Generated<Date>;
}

type Tables = { webhook: WebhookTable };

/** A webhook as it is stored. */
export type WebhookRow = Selectable<WebhookTable>;

/** What may change of a webhook. */
export type WebhookChange = Partial<Omit<WebhookRow, "id" | "organization_id" | "created_at">>;

/** Every method but `find` takes the organization, so none reads across organizations. */
export class WebhookStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /** undefined: the organization has `most` already. */
  async insert(webhook: Omit<WebhookRow, "created_at">, most: number): Promise<WebhookRow | undefined> {
    return await this.#db.transaction().execute(async (transaction) => {
      // One at a time within an organization, so that the count holds.
      await sql`select from organization where id = ${webhook.organization_id} for no key update`.execute(transaction);
      const { count } = await transaction
        .selectFrom("webhook")
        .select((eb) => eb.fn.countAll<string>().as("count"))
        .where("organization_id", "=", webhook.organization_id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= most) return undefined;
      return await transaction.insertInto("webhook").values(webhook).returningAll().executeTakeFirstOrThrow();
    });
  }

  /** For the courier, whose deliveries are their organization's. */
  async find(id: string): Promise<WebhookRow | undefined> {
    return await this.#db.selectFrom("webhook").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async findOf(organizationId: OrganizationId, id: string): Promise<WebhookRow | undefined> {
    return await this.#db
      .selectFrom("webhook")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .where("id", "=", id)
      .executeTakeFirst();
  }

  /** Those of the ids that are no webhooks of the organization. */
  async missing(organizationId: OrganizationId, ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    const rows = await this.#db
      .selectFrom("webhook")
      .select("id")
      .where("organization_id", "=", organizationId)
      .where("id", "in", ids)
      .execute();
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => !known.has(id));
  }

  /** One more row than `limit`, when there is one. */
  async list(organizationId: OrganizationId, { limit, after, order }: ListQuery): Promise<WebhookRow[]> {
    let query = this.#db.selectFrom("webhook").selectAll().where("organization_id", "=", organizationId);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after);
    return await query
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  async update(organizationId: OrganizationId, id: string, change: WebhookChange): Promise<WebhookRow | undefined> {
    return await this.#db
      .updateTable("webhook")
      .set(change)
      .where("organization_id", "=", organizationId)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
  }

  /** Its deliveries go with it. false: there is none. */
  async delete(organizationId: OrganizationId, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("webhook")
      .where("organization_id", "=", organizationId)
      .where("id", "=", id)
      .executeTakeFirst();
    return numDeletedRows === 1n;
  }

  /** When the receiver wants no more. */
  async disable(id: string, reason: string): Promise<void> {
    await this.#db
      .updateTable("webhook")
      .set({ enabled: false, disabled_reason: reason })
      .where("id", "=", id)
      .execute();
  }
}
