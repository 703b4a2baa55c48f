/** @file Budgets and their alerts; webhooks, and what is delivered to them and by mail. */
import type { Migration } from "./migration.ts";

/** A delivery is queue and log in one, so that nothing is told that is not written down. */
export const budgets: Migration = {
  name: "0011-budgets",
  up: `
    -- Secrets are sealed. The one before signs too until previous_ends_at.
    create table webhook (
      id text primary key,
      organization_id text not null references organization (id),
      name text not null,
      url text not null,
      enabled boolean not null default true,
      disabled_reason text,
      secret bytea not null,
      secret_created_at timestamptz not null,
      previous_secret bytea,
      previous_ends_at timestamptz,
      created_at timestamptz not null default now(),
      check ((previous_secret is null) = (previous_ends_at is null))
    );
    create index webhook_of_organization on webhook (organization_id, id);

    -- One message to one receiver: the queue and its log. body is what is sent, as it is sent.
    create table delivery (
      id text primary key,
      organization_id text not null references organization (id),
      channel text not null check (channel in ('webhook', 'email')),
      webhook_id text references webhook (id) on delete cascade,
      -- The webhook's id, or the address.
      recipient text not null,
      message_id text not null,
      type text not null,
      body text not null,
      status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
      attempts integer not null default 0,
      -- While an attempt runs: when another may be made, should its server have died.
      next_attempt_at timestamptz,
      last_status integer,
      last_error text,
      created_at timestamptz not null default now(),
      ended_at timestamptz,
      unique (message_id, recipient),
      check ((channel = 'webhook') = (webhook_id is not null)),
      check ((status = 'pending') = (next_attempt_at is not null)),
      check ((status = 'pending') = (ended_at is null))
    );
    create index delivery_due on delivery (next_attempt_at) where status = 'pending';
    create index delivery_of_webhook on delivery (webhook_id, id) where webhook_id is not null;
    create index delivery_ended on delivery (ended_at) where ended_at is not null;

    create table budget (
      id text primary key,
      organization_id text not null references organization (id),
      name text not null,
      subject_type text not null check (subject_type in ('organization', 'project', 'key')),
      subject_id text not null,
      amount numeric not null check (amount > 0 and amount <> 'NaN' and amount <> 'Infinity'),
      currency text not null,
      period text not null check (period in ('day', 'week', 'month', 'total')),
      hard boolean not null,
      thresholds numeric[] not null,
      emails text[] not null,
      webhooks text[] not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      -- When it was last compared with what billing rates.
      reconciled_at timestamptz not null default now()
    );
    create index budget_by_reconciliation on budget (reconciled_at);
    create index budget_of_organization on budget (organization_id, id);

    -- A threshold passed, made once from the ledger's row; then it is told.
    create table budget_alert (
      id text primary key,
      budget_id text not null references budget (id) on delete cascade,
      allowance_id text not null,
      -- The spend at which it was passed, and the budget's amount then.
      threshold numeric not null,
      amount numeric not null,
      reached_at timestamptz not null,
      unique (allowance_id, threshold)
    );
    create index budget_alert_of_budget on budget_alert (budget_id, id);
    create index allowance_alert_by_time on allowance_alert (noted_at);
  `,
};
