/** @file The registry: models, and their versions, which never change. */
import type { Migration } from "./migration.ts";

/**
 * Version numbers are given out by the model's row, so that they are consecutive however many writers there are.
 * `json`, not `jsonb`: specs and cards keep the order in which they were written.
 */
export const models: Migration = {
  name: "0005-models",
  up: `
    create table model (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      latest_version integer not null default 0,
      created_at timestamptz not null default now(),
      unique (project_id, name)
    );
    create table model_version (
      id text primary key,
      project_id text not null references project (id),
      model_id text not null references model (id),
      version integer not null check (version >= 1),
      format text not null check (format = 'onnx'),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes bigint not null,
      inputs json not null,
      outputs json not null,
      task json,
      run_id text,
      card json not null,
      created_at timestamptz not null default now(),
      unique (model_id, version),
      unique (project_id, run_id)
    );
    create index model_version_sha256 on model_version (sha256);
    -- A version is written once. Deleting a model deletes its versions; nothing changes one.
    create function model_version_is_immutable() returns trigger language plpgsql as
      'begin raise exception ''a model version never changes''; end';
    create trigger model_version_is_immutable before update on model_version
      for each row execute function model_version_is_immutable();
  `,
};
