/** @file Stored responses of language models. */
import type { Migration } from "./migration.ts";

/** What was asked and answered is sealed (secrets/README.md). `model` is the deployment's name. */
export const responses: Migration = {
  name: "0017-responses",
  up: `
    create table response (
      id text primary key,
      project_id text not null references project (id),
      previous_id text,
      model text not null,
      status text not null
        check (status in ('queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled')),
      is_background boolean not null,
      sealed bytea not null,
      size_bytes bigint not null,
      created_at timestamptz not null default now()
    );
    create index response_by_age on response (created_at);
    create index response_under_way on response (project_id, id) where status in ('queued', 'in_progress');
  `,
};
