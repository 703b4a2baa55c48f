/** @file Rows of people and their sessions. */
import type { ListQuery, UserId } from "@gristmill/contract";
import type { Generated, Kysely, Selectable, Transaction } from "kysely";
import type { Database } from "../db/index.ts";

interface UserTable {
  id: UserId;
  email: string;
  name: string;
  password: string | null;
  email_verified_at: Date | null;
  created_at: Generated<Date>;
}

interface SessionTable {
  id: string;
  user_id: UserId;
  token_sha256: Buffer;
  address: string;
  user_agent: string;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
}

type Tables = {
  user_account: UserTable;
  session: SessionTable;
};

/** A person. */
export type UserRow = Selectable<UserTable>;
/** A session, which only who has its token can use. */
export type SessionRow = Selectable<SessionTable>;

/** Queries of people and sessions. Those without a user are for authentication. */
export class SignInStore {
  readonly #db: Kysely<Tables>;

  /** @param db the pool, or a transaction that all is part of. */
  constructor(db: Database | Transaction<unknown>) {
    this.#db = db.withTables<Tables>();
  }

  async findUser(id: UserId): Promise<UserRow | undefined> {
    return await this.#db.selectFrom("user_account").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async findUserByEmail(email: string): Promise<UserRow | undefined> {
    return await this.#db.selectFrom("user_account").selectAll().where("email", "=", email).executeTakeFirst();
  }

  /** undefined when the address has an account. */
  async insertUserIfAbsent(
    user: Pick<UserRow, "id" | "email" | "name" | "password" | "email_verified_at">,
  ): Promise<UserRow | undefined> {
    return await this.#db
      .insertInto("user_account")
      .values(user)
      .onConflict((conflict) => conflict.column("email").doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async updateUser(
    id: UserId,
    changes: Partial<Pick<UserRow, "name" | "password" | "email_verified_at">>,
  ): Promise<UserRow> {
    return await this.#db
      .updateTable("user_account")
      .set(changes)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** False when the password has become another one since `from` was read. */
  async replacePassword(id: UserId, { from, to }: { readonly from: string; readonly to: string }): Promise<boolean> {
    const result = await this.#db
      .updateTable("user_account")
      .set({ password: to })
      .where("id", "=", id)
      .where("password", "=", from)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  async insertSession(session: SessionRow): Promise<void> {
    await this.#db.insertInto("session").values(session).execute();
  }

  async findSession(tokenSha256: Buffer): Promise<SessionRow | undefined> {
    return await this.#db.selectFrom("session").selectAll().where("token_sha256", "=", tokenSha256).executeTakeFirst();
  }

  async listSessions(
    userId: UserId,
    { limit, after, order }: ListQuery,
    { now, idleSince }: { readonly now: Date; readonly idleSince: Date },
  ): Promise<SessionRow[]> {
    let query = this.#db
      .selectFrom("session")
      .selectAll()
      .where("user_id", "=", userId)
      .where("expires_at", ">", now)
      .where("last_seen_at", ">", idleSince)
      .orderBy("id", order);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after);
    return await query.limit(limit + 1).execute();
  }

  async touchSession(id: string, at: Date): Promise<void> {
    await this.#db.updateTable("session").set({ last_seen_at: at }).where("id", "=", id).execute();
  }

  /** False when the user has no such session. */
  async deleteSession(userId: UserId, id: string): Promise<boolean> {
    const result = await this.#db
      .deleteFrom("session")
      .where("user_id", "=", userId)
      .where("id", "=", id)
      .executeTakeFirst();
    return result.numDeletedRows === 1n;
  }

  async deleteSessionByToken(tokenSha256: Buffer): Promise<void> {
    await this.#db.deleteFrom("session").where("token_sha256", "=", tokenSha256).execute();
  }

  /** All sessions of a user, or all but one. */
  async deleteSessions(userId: UserId, options: { readonly but?: string | undefined } = {}): Promise<void> {
    let query = this.#db.deleteFrom("session").where("user_id", "=", userId);
    if (options.but !== undefined) query = query.where("id", "!=", options.but);
    await query.execute();
  }

  /** Keeps the newest of a user's sessions. */
  async deleteOldSessions(userId: UserId, keep: number): Promise<void> {
    await this.#db
      .deleteFrom("session")
      .where("user_id", "=", userId)
      .where("id", "not in", (eb) =>
        eb.selectFrom("session").select("id").where("user_id", "=", userId).orderBy("id", "desc").limit(keep),
      )
      .execute();
  }

  async deleteExpiredSessions({ now, idleSince }: { readonly now: Date; readonly idleSince: Date }): Promise<void> {
    await this.#db
      .deleteFrom("session")
      .where((eb) => eb.or([eb("expires_at", "<=", now), eb("last_seen_at", "<=", idleSince)]))
      .execute();
  }
}
