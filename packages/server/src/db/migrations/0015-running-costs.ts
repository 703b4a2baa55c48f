/** @file What a run is when nobody pays for more of its time; how much a project stores, hour by hour. */
import type { Migration } from "./migration.ts";

/** A paused run waits without a place in the queue. */
export const runningCosts: Migration = {
  name: "0015-running-costs",
  up: `
    alter table run drop constraint run_status_check;
    alter table run add constraint run_status_check
      check (status in ('queued', 'running', 'cancelling', 'paused', 'succeeded', 'failed', 'cancelled'));
    drop index run_unfinished;
    create index run_unfinished on run (status, created_at)
      where status in ('queued', 'running', 'cancelling', 'paused');
    drop index run_by_dataset;
    create index run_by_dataset on run (dataset_id) where status in ('queued', 'running', 'cancelling', 'paused');

    -- The last hour of each project that was looked at, and why its storage is not paid for (null: it is).
    create table stored_hour (
      project_id text primary key references project (id),
      hour timestamptz not null,
      bytes bigint not null,
      refusal jsonb
    );
  `,
};
