/** @file The price book's rows: written once, read whole. */
import type { OrganizationId, PriceCharge, ProjectId } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { PriceEntry } from "./price-book.ts";

/** A price as it was added. */
export type PriceRow = {
  readonly id: string;
  readonly meter: string;
  readonly model: string | null;
  readonly hardware: string | null;
  /** For one unit, exact decimal; null: `charge` says how much. */
  readonly amount: string | null;
  readonly charge: PriceCharge | null;
  /** Exact decimals. */
  readonly free: string;
  readonly minimum: string | null;
  readonly maximum: string | null;
  readonly currency: string;
  readonly effective_from: Date;
};

/** A price with its end, which is the start of the next of its kind. */
export type DatedPriceRow = PriceRow & { readonly effective_to: Date | null };

/** Every price ever; the book is small, and the past must stay rateable. */
export async function listPrices(db: Database | Transaction<unknown>): Promise<readonly DatedPriceRow[]> {
  const { rows } = await sql<DatedPriceRow>`
    select id, meter, model, hardware, trim_scale(amount)::text as amount, charge, trim_scale(free)::text as free,
      trim_scale(minimum)::text as minimum, trim_scale(maximum)::text as maximum, currency, effective_from,
      lead(effective_from) over (partition by meter, model, hardware order by effective_from) as effective_to
    from price order by id`.execute(db);
  return rows;
}

/** A row as the book holds it. */
export const toEntry = (row: PriceRow): PriceEntry => ({
  id: row.id,
  meter: row.meter,
  model: row.model,
  hardware: row.hardware,
  charge: chargeOf(row),
  free: row.free,
  minimum: row.minimum,
  maximum: row.maximum,
  effectiveFrom: row.effective_from,
});

/** A price without a charge is for one unit. */
export function chargeOf({ id, amount, charge }: PriceRow): PriceCharge {
  if (charge !== null) return charge;
  if (amount === null) throw new Error(`price ${id}: expected an amount or a charge, received neither`);
  return { type: "per_unit", amount };
}

/** The database's clock, in milliseconds as admissions are. */
export async function databaseNow(db: Database | Transaction<unknown>): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select date_trunc('milliseconds', clock_timestamp()) as now`.execute(db);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error("expected a row of the database's clock, received none");
  return now;
}

/** Adds one price. */
export async function insertPrice(transaction: Transaction<unknown>, price: PriceRow): Promise<void> {
  const charge = price.charge === null ? null : JSON.stringify(price.charge);
  await sql`
    insert into price (id, meter, model, hardware, amount, charge, free, minimum, maximum, currency, effective_from)
    values (${price.id}, ${price.meter}, ${price.model}, ${price.hardware}, ${price.amount}, ${charge}::jsonb,
      ${price.free}, ${price.minimum}, ${price.maximum}, ${price.currency}, ${price.effective_from})`.execute(
    transaction,
  );
}

/** The id of the organization that an id or a name names. */
export async function findOrganization(db: Database, named: string): Promise<OrganizationId | undefined> {
  const { rows } = await sql<{ id: OrganizationId }>`
    select id from organization where id = ${named} or name = ${named} order by id = ${named} desc limit 1`.execute(db);
  return rows[0]?.id;
}

/** The projects of an organization, those archived too: what they used stays to be paid. */
export async function projectsOf(db: Database, organizationId: string): Promise<readonly ProjectId[]> {
  const { rows } = await sql<{ id: ProjectId }>`
    select id from project where organization_id = ${organizationId} order by id`.execute(db);
  return rows.map(({ id }) => id);
}
