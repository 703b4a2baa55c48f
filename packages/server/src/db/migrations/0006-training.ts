/** @file Runs: one row each, their events, and what a restart needs to go on. */
import type { Migration } from "./migration.ts";

/** `owner` fences: only the scheduler that claimed a run may write what its worker did. */
export const training: Migration = {
  name: "0006-training",
  up: `
    create table run (
      id text primary key,
      project_id text not null references project (id),
      key_id text,
      request_id text,
      name text not null,
      status text not null
        check (status in ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
      dataset_id text not null,
      dataset_version_id text not null,
      dataset_sha256 text not null,
      request json not null,
      plan json not null,
      labels json not null,
      progress jsonb,
      history jsonb not null default '[]',
      evaluation jsonb,
      checkpoint jsonb,
      model_version jsonb,
      error jsonb,
      attempts integer not null default 0,
      -- Worker deaths in a row without a checkpoint between them.
      deaths integer not null default 0,
      not_before timestamptz not null default now(),
      threads integer,
      owner text,
      heartbeat_at timestamptz,
      attempt_started_at timestamptz,
      -- How long the current attempt's worker has run, by a monotonic clock, as of the last heartbeat.
      attempt_ms bigint not null default 0,
      -- What earlier attempts ran.
      earlier_ms bigint not null default 0,
      slices_recorded integer not null default 0,
      last_event integer not null default 0,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz
    );
    create index run_by_project on run (project_id, id);
    create index run_unfinished on run (status, created_at) where status in ('queued', 'running', 'cancelling');
    create index run_by_dataset on run (dataset_id) where status in ('queued', 'running', 'cancelling');
    create index run_by_checkpoint on run ((checkpoint->>'sha256'));
    create table run_event (
      run_id text not null references run (id),
      id integer not null,
      type text not null,
      at timestamptz not null default now(),
      data jsonb not null,
      primary key (run_id, id)
    );
  `,
};
