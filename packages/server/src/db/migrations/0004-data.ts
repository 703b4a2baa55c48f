/** @file Datasets, their immutable versions, and objects that wait to be freed. */
import type { Migration } from "./migration.ts";

/** An import is a row: whoever holds its lease may write what the import did. */
export const data: Migration = {
  name: "0004-data",
  up: `
    create table dataset (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      status text not null check (status in ('importing', 'ready', 'failed')),
      progress real not null default 0 check (progress between 0 and 1),
      error jsonb,
      licence text,
      notes text,
      labels jsonb not null,
      source jsonb not null,
      -- As the caller gave them; null: the digits of the label numbers.
      class_names text[],
      created_at timestamptz not null default now(),

      -- The version that the import makes; its usage event is named by it, so that a repeated import counts once.
      version_id text not null unique,
      key_id text,
      request_id text,
      admitted_at timestamptz not null,
      -- All that the version will say, once every file has been checked and is durable in the work folder.
      prepared jsonb,
      prepared_objects text[] not null default '{}',
      attempts integer not null default 0,
      owner text,
      lease_until timestamptz,
      unique (project_id, name)
    );
    create index dataset_by_project on dataset (project_id, id);
    create index dataset_importing on dataset (lease_until) where status = 'importing';

    create table dataset_version (
      id text primary key,
      project_id text not null references project (id),
      dataset_id text not null references dataset (id),
      version integer not null check (version >= 1),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      format text not null check (format = 'idx'),
      record_shape integer[] not null,
      dtype text not null check (dtype = 'uint8'),
      class_names text[] not null,
      size_bytes bigint not null,
      created_at timestamptz not null default now(),
      unique (dataset_id, version)
    );

    create table dataset_split (
      version_id text not null references dataset_version (id),
      project_id text not null references project (id),
      position integer not null,
      name text not null,
      records integer not null,
      class_counts integer[] not null,
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes bigint not null,
      images_object text not null,
      images_offset integer not null,
      labels_object text not null,
      labels_offset integer not null,
      primary key (version_id, name)
    );
    create index dataset_split_images on dataset_split (images_object);
    create index dataset_split_labels on dataset_split (labels_object);

    create function dataset_version_is_immutable() returns trigger language plpgsql as
      'begin raise exception ''a dataset version never changes''; end';
    create trigger dataset_version_is_immutable before update on dataset_version
      for each row execute function dataset_version_is_immutable();
    create trigger dataset_split_is_immutable before update on dataset_split
      for each row execute function dataset_version_is_immutable();

    -- Objects that may have lost their last name: freed after the deletion is durable, and again at start after a kill.
    create table dataset_object_release (
      sha256 text primary key,
      queued_at timestamptz not null default now()
    );
  `,
};
