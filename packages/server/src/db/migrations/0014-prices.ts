/** @file Charge models of prices, and prices of the meters that came with them. */
import type { Migration } from "./migration.ts";

/**
 * A price without a charge is for one unit, as all were before: `amount` says how much. A charge is kept as the API takes
 * it, with its decimals as text. The first prices of the new meters, in USD: for a million tokens 0.20 read, 0.05 read from
 * a cache, 0.80 written or reasoned; 0.36 for an hour of sound; 4 for a million characters; 0.04 for a GB stored 1,000 hours.
 */
export const prices: Migration = {
  name: "0014-prices",
  up: `
    alter table price
      alter column amount drop not null,
      add column charge jsonb check (jsonb_typeof(charge) = 'object'),
      add column free numeric not null default 0 check (free >= 0),
      add column minimum numeric check (minimum >= 0),
      add column maximum numeric check (maximum >= coalesce(minimum, 0)),
      add constraint price_says_how_much check ((amount is null) <> (charge is null));

    insert into price (id, meter, amount, currency, effective_from) values
      ('prc_00000000000000000000000006', 'service.input_tokens',        0.0000002,        'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000007', 'service.cached_input_tokens', 0.00000005,       'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000008', 'service.output_tokens',       0.0000008,        'USD', '2000-01-01T00:00:00Z'),
      ('prc_00000000000000000000000009', 'service.reasoning_tokens',    0.0000008,        'USD', '2000-01-01T00:00:00Z'),
      ('prc_0000000000000000000000000a', 'service.audio_seconds',       0.0001,           'USD', '2000-01-01T00:00:00Z'),
      ('prc_0000000000000000000000000b', 'service.characters',          0.000004,         'USD', '2000-01-01T00:00:00Z'),
      ('prc_0000000000000000000000000c', 'data.byte_hours',             0.00000000000004, 'USD', '2000-01-01T00:00:00Z');
  `,
};
