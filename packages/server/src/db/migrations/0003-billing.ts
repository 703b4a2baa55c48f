/** @file The price book. */
import type { Migration } from "./migration.ts";

/**
 * A price holds from its own start to the start of the next of the same meter, model and hardware: without a column for
 * its end, two prices can neither overlap nor leave a gap between them. The amounts of the first book, in USD for one
 * unit: 0.01 for a GB read, 0.18 for a training hour, 0.072 for a replica hour, 1 for a million requests, 10 for a
 * million images.
 */
export const billing: Migration = {
  name: "0003-billing",
  up: `
    create table price (
      id text primary key,
      meter text not null,
      model text,
      hardware text,
      amount numeric not null check (amount >= 0),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      effective_from timestamptz not null check (effective_from = date_trunc('milliseconds', effective_from)),
      created_at timestamptz not null default now(),
      unique nulls not distinct (meter, model, hardware, effective_from)
    );
    create trigger price_is_append_only before update or delete or truncate on price
      for each statement execute function append_only();

    insert into price (id, meter, amount, currency, effective_from) values
      ('prc_00000000000000000000000001', 'data.bytes_processed',       0.00000000001, 'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000002', 'training.seconds',           0.00005,       'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000003', 'deployment.replica_seconds', 0.00002,       'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000004', 'service.requests',           0.000001,      'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000005', 'service.images',             0.00001,       'USD', '2000-01-01T00:00:00Z');
  `,
};
