import type { Migration } from "./migration.ts";

/** Organizations, projects and API keys. */
export const identity: Migration = {
  name: "0001-identity",
  up: `
    create table organization (
      id text primary key,
      name text not null unique,
      created_at timestamptz not null default now()
    );

    create table project (
      id text primary key,
      organization_id text not null references organization (id),
      name text not null,
      created_at timestamptz not null default now(),
      unique (organization_id, name)
    );

    -- secret_sha256 is of the whole key. A revoked key keeps its row: usage names it.
    create table api_key (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      prefix text not null unique,
      secret_sha256 bytea not null check (length(secret_sha256) = 32),
      scopes text[] not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz
    );
    create index api_key_of_project on api_key (project_id, id);
  `,
};
