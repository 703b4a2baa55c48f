/** @file Objects are shared by all rows that hold the same bytes: whoever names one, or deletes one, holds its lock. */
import { type Kysely, sql, type Transaction } from "kysely";
import type { ObjectStore } from "./object-store.ts";

/** Waits for, and holds until the transaction ends, the right to name or delete this object. Lock several in sorted order. */
export async function lockObject(tx: Transaction<unknown>, sha256: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`object:${sha256}`}, 0))`.execute(tx);
}

/** Deletes an object unless a row still names it. `isNamed` looks in every table that may. */
export async function releaseObject(
  db: Kysely<unknown>,
  objects: ObjectStore,
  sha256: string,
  isNamed: (tx: Transaction<unknown>) => Promise<boolean>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockObject(tx, sha256);
    if (!(await isNamed(tx))) await objects.delete(sha256);
  });
}
