/** @file The price book's rows: written once, read whole. */
import type { Meter } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";

/** A price as it was added. */
export type PriceRow = {
  readonly id: string;
  readonly meter: Meter;
  readonly model: string | null;
  readonly hardware: string | null;
  /** Exact decimal. */
  readonly amount: string;
  readonly currency: string;
  readonly effective_from: Date;
};

/** A price with its end, which is the start of the next of its kind. */
export type DatedPriceRow = PriceRow & { readonly effective_to: Date | null };

/** One who adds prices at a time, so that each sees the last. */
const priceBookLock = 7_070_005;

/** Every price ever; the book is small, and the past must stay rateable. */
export async function listPrices(db: Database | Transaction<unknown>): Promise<readonly DatedPriceRow[]> {
  const { rows } = await sql<DatedPriceRow>`
    select id, meter, model, hardware, trim_scale(amount)::text as amount, currency, effective_from,
      lead(effective_from) over (partition by meter, model, hardware order by effective_from) as effective_to
    from price order by id`.execute(db);
  return rows;
}

/** The database's clock, in milliseconds as admissions are. */
export async function databaseNow(db: Database | Transaction<unknown>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select date_trunc('milliseconds', clock_timestamp()) as now`.execute(db);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error("expected a row of the database's clock, received none");
  return now;
}

/** Runs work while nobody else adds prices. */
export function withPriceBook<T>(db: Database, work: (transaction: Transaction<unknown>) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${priceBookLock})`.execute(transaction);
    return work(transaction);
  });
}

/** Adds one price. */
export async function insertPrice(transaction: Transaction<unknown>, price: PriceRow): Promise<void> {
  await transaction.withTables<{ price: PriceRow }>().insertInto("price").values(price).execute();
}
