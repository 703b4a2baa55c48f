/** @file Models behind other servers, and deployments that call them. */
import type { Migration } from "./migration.ts";

/** Credentials and headers' values are sealed (secrets/README.md). A revision runs a model version or calls upstreams. */
export const upstreams: Migration = {
  name: "0018-upstreams",
  up: `
    create table upstream (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      base_url text not null,
      model text not null,
      dialect text,
      sealed bytea not null,
      query jsonb not null,
      settings jsonb not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (project_id, name)
    );
    create index upstream_by_project on upstream (project_id, id);

    alter table revision add column upstreams jsonb;
    alter table revision alter column model_version_id drop not null;
    alter table revision alter column sha256 drop not null;
    alter table revision drop constraint revision_check;
    alter table revision add constraint revision_model_check
      check ((model_id is not null) = (state in ('pending', 'active') and upstreams is null));
    alter table revision add constraint revision_source_check
      check ((upstreams is null) = (model_version_id is not null) and (upstreams is null) = (sha256 is not null));
    alter table revision drop constraint revision_settings_check;
    alter table revision add constraint revision_settings_check check (num_nonnulls(batching, generation, upstreams) = 1);
  `,
};
