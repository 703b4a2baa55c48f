/** @file Changing what decides: prices, limits and budgets change for every server at one moment. */
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import { rulesLock } from "./policy.ts";

/**
 * Runs a change of rules in a transaction of its own: nothing is admitted or settled meanwhile, and whatever is admitted or
 * settled afterwards is decided by the new rules, on every server. So work may also count what was used until this moment,
 * exactly. It should take milliseconds: everybody waits for it.
 */
export function changeRules<T>(db: Database, work: (transaction: Transaction<unknown>) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${rulesLock})`.execute(transaction);
    await sql`update policy_version set version = version + 1`.execute(transaction);
    return await work(transaction);
  });
}
