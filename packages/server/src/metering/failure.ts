/** @file What a failed write means: away for everybody, or one record's own fault. */
import { AppError } from "@gristmill/contract";

/** SQLSTATE classes by which PostgreSQL says "not now": connection, rollback, resources, operator, system; and read-only. */
const notNow = /^(08\w{3}|40\w{3}|53\w{3}|57\w{3}|58\w{3}|25006)$/;
/** Classes of faults in the rows themselves: cardinality, data, integrity. */
const inTheRows = /^(21|22|23)\w{3}$/;

/** PostgreSQL's five characters, or "" for a failure that is not PostgreSQL's. */
function sqlState(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** True when the same write may succeed at once on another session: the connection was lost, or a deadlock was broken. */
export const isWorthRepeating = (error: unknown): boolean =>
  (error instanceof AppError && error.code === "database.unavailable") || /^40\w{3}$/.test(sqlState(error));

/** True when any row would have met the same failure. */
export const isShared = (error: unknown): boolean => !inTheRows.test(sqlState(error));

/** The failure as callers see it: `database.unavailable` when the database cannot write at the moment. */
export function toCallerError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  return notNow.test(sqlState(error)) ? unwritable("The ledger can't be written at the moment.", error) : error;
}

/** Unmetered work is refused, so every caller that cannot be metered gets this. */
export const unwritable = (message: string, cause?: unknown): AppError =>
  new AppError("database.unavailable", message, { cause });

/** Rules that change faster than groups are written; that is not how rules change. */
export const restless = (): AppError => unwritable("The rules change faster than the ledger can read them.");

/** How often a group is decided again because the rules have changed. */
export const maxTries = 20;

/** Whoever lost the connection does not know whether the write was made; repeating it is safe and finds out. */
export async function repeatedOnce<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write().catch((error: unknown) => {
      if (isWorthRepeating(error)) return write();
      throw error;
    });
  } catch (error) {
    throw toCallerError(error);
  }
}
