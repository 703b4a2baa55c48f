/** @file Reading that can't keep the database busy for long, whatever it is asked for. */
import { AppError } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";

/** How long one reading may take in the database. */
const longestMs = 10_000;

/**
 * Runs a reading whose cost depends on what a caller asks for.
 * @throws AppError `request.invalid` when it takes longer than 10 s.
 */
export async function boundedRead<T>(
  db: Database,
  read: (transaction: Transaction<unknown>) => Promise<T>,
  withinMs = longestMs,
): Promise<T> {
  try {
    return await db.transaction().execute(async (transaction) => {
      await sql`select set_config('statement_timeout', ${String(withinMs)}, true)`.execute(transaction);
      return await read(transaction);
    });
  } catch (cause) {
    // query_canceled: by the time that was set.
    if (!(cause instanceof Error && "code" in cause && cause.code === "57014")) throw cause;
    const limit = `${withinMs / 1000} s`;
    throw new AppError(
      "request.invalid",
      `The answer would take more than ${limit} of work: ask for a shorter span, longer windows or fewer groups.`,
      { cause },
    );
  }
}
