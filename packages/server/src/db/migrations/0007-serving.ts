/** @file Deployments, their revisions, and the replicas whose time is metered. */
import type { Migration } from "./migration.ts";

/** What should run is here; what does run is known to the process that runs it, and found again by running it. */
export const serving: Migration = {
  name: "0007-serving",
  up: `
    create table deployment (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      intent text not null default 'serve' check (intent in ('serve', 'remove')),
      desired_replicas integer not null check (desired_replicas >= 1),
      error jsonb,
      created_at timestamptz not null default now(),
      unique (project_id, name)
    );
    create index deployment_by_project on deployment (project_id, id);

    -- A revision never changes but for its state. model_id holds the model only while the revision may run: a retired
    -- revision names its model in text and does not keep it from being deleted.
    create table revision (
      id text primary key,
      project_id text not null references project (id),
      deployment_id text not null references deployment (id),
      revision integer not null check (revision >= 1),
      state text not null check (state in ('pending', 'active', 'retired', 'failed')),
      model_id text references model (id),
      model text not null,
      model_version integer not null,
      model_version_id text not null,
      sha256 text not null,
      threads integer not null check (threads >= 1),
      batching jsonb not null,
      created_at timestamptz not null default now(),
      unique (deployment_id, revision),
      check ((model_id is not null) = (state in ('pending', 'active')))
    );
    create unique index revision_active on revision (deployment_id) where state = 'active';
    create index revision_by_model on revision (project_id, model_id) where model_id is not null;

    -- ready_at is set while the time of the replica's current start is not settled to its end. Times are the
    -- database's, so that a slice's length never depends on two clocks.
    create table replica (
      id text primary key,
      project_id text not null references project (id),
      deployment_id text not null references deployment (id),
      revision integer not null,
      starts integer not null default 0,
      ready_at timestamptz,
      heartbeat_at timestamptz,
      slices_recorded integer not null default 0
    );
    create index replica_by_deployment on replica (deployment_id);
  `,
};
