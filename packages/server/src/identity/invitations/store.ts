/** @file Rows of invitations. */
import type { ListQuery, OrganizationId, ProjectId, UserId } from "@gristmill/contract";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../../db/index.ts";
import type { InvitationRow, Tables } from "../tables.ts";

/** Queries of invitations; each names the organization, but that of whoever holds a token. */
export class InvitationStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database | Transaction<unknown>) {
    this.#db = db.withTables<Tables>();
  }

  async insert(invitation: Omit<InvitationRow, "accepted_at" | "accepted_by">): Promise<InvitationRow> {
    return await this.#db.insertInto("invitation").values(invitation).returningAll().executeTakeFirstOrThrow();
  }

  async find(organizationId: OrganizationId, id: string): Promise<InvitationRow | undefined> {
    return await this.#db
      .selectFrom("invitation")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .where("id", "=", id as InvitationRow["id"])
      .executeTakeFirst();
  }

  /** Not accepted yet, expired or not. */
  async findOpenTo(
    organizationId: OrganizationId,
    email: string,
    projectId: ProjectId | null,
  ): Promise<InvitationRow | undefined> {
    return await this.#db
      .selectFrom("invitation")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .where("email", "=", email)
      .where("project_id", "is not distinct from", projectId)
      .where("accepted_at", "is", null)
      .executeTakeFirst();
  }

  async list(organizationId: OrganizationId, { limit, after, order }: ListQuery): Promise<InvitationRow[]> {
    let query = this.#db
      .selectFrom("invitation")
      .selectAll()
      .where("organization_id", "=", organizationId)
      .orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after as InvitationRow["id"]);
    return await query.limit(limit + 1).execute();
  }

  /** One that can be accepted at that time. */
  async findByToken(tokenSha256: Buffer, at: Date): Promise<InvitationRow | undefined> {
    return await this.#db
      .selectFrom("invitation")
      .selectAll()
      .where("token_sha256", "=", tokenSha256)
      .where("accepted_at", "is", null)
      .where("expires_at", ">", at)
      .executeTakeFirst();
  }

  async accept(id: InvitationRow["id"], userId: UserId, at: Date): Promise<void> {
    await this.#db
      .updateTable("invitation")
      .set({ accepted_at: at, accepted_by: userId })
      .where("id", "=", id)
      .execute();
  }

  async emailOf(userId: UserId): Promise<string | undefined> {
    const row = await this.#db.selectFrom("user_account").select("email").where("id", "=", userId).executeTakeFirst();
    return row?.email;
  }

  async delete(id: InvitationRow["id"]): Promise<void> {
    await this.#db.deleteFrom("invitation").where("id", "=", id).execute();
  }

  /** Those that a user sent and that nobody has accepted. */
  async deleteOpenBy(organizationId: OrganizationId, userId: UserId): Promise<void> {
    await this.#db
      .deleteFrom("invitation")
      .where("organization_id", "=", organizationId)
      .where("invited_by", "=", userId)
      .where("accepted_at", "is", null)
      .execute();
  }
}
