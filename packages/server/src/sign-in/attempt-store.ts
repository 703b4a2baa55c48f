/** @file Rows of attempts to sign in and of states that came back. */
import { type Kysely, sql } from "kysely";
import type { Database } from "../db/index.ts";

type Tables = {
  sign_in_attempt: { subject: Buffer; drained_at: Date };
  used_sign_in_state: { state_sha256: Buffer; expires_at: Date };
};

/** Queries of attempts. Rows of the past mean nothing and go. */
export class AttemptStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Database) {
    this.#db = db.withTables<Tables>();
  }

  /**
   * Adds one to a bucket, however many try at once. undefined: it had room. Else when it would be empty.
   * @param bucket takes `burst`, drains one in `drainMs`.
   */
  async take(
    subject: Buffer,
    bucket: { readonly burst: number; readonly drainMs: number },
    now: Date,
  ): Promise<Date | undefined> {
    const { burst, drainMs } = bucket;
    const step = sql`make_interval(secs => ${drainMs}::double precision / 1000)`;
    const room = sql`${now}::timestamptz + ${burst} * ${step}`;
    const taken = await sql`
      insert into sign_in_attempt as a (subject, drained_at) values (${subject}, ${now}::timestamptz + ${step})
      on conflict (subject) do update set drained_at = greatest(a.drained_at, ${now}) + ${step}
        where greatest(a.drained_at, ${now}) + ${step} <= ${room}
      returning 1`.execute(this.#db);
    if (taken.rows.length > 0) return undefined;
    const row = await this.#db
      .selectFrom("sign_in_attempt")
      .select("drained_at")
      .where("subject", "=", subject)
      .executeTakeFirst();
    return row?.drained_at ?? now;
  }

  async forget(subject: Buffer): Promise<void> {
    await this.#db.deleteFrom("sign_in_attempt").where("subject", "=", subject).execute();
  }

  /** False when this state has come back before. */
  async useState(stateSha256: Buffer, expiresAt: Date): Promise<boolean> {
    const result = await this.#db
      .insertInto("used_sign_in_state")
      .values({ state_sha256: stateSha256, expires_at: expiresAt })
      .onConflict((conflict) => conflict.column("state_sha256").doNothing())
      .executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n;
  }

  /** Deletes what lies in the past. */
  async sweep(now: Date): Promise<void> {
    await this.#db.deleteFrom("sign_in_attempt").where("drained_at", "<", now).execute();
    await this.#db.deleteFrom("used_sign_in_state").where("expires_at", "<", now).execute();
  }
}
