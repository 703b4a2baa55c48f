/** @file Meters of projects, events that were set aside, and how far back single events are kept. */
import type { Migration } from "./migration.ts";

/** What others send; the ledger itself is older than this. */
export const events: Migration = {
  name: "0013-events",
  up: `
    -- A meter never changes, and its name stays taken: what it has counted stays on the ledger under this name.
    create table meter (
      id text primary key,
      project_id text not null references project (id),
      name text not null,
      event_type text not null,
      aggregation text not null
        check (aggregation in ('sum', 'count', 'unique_count', 'max', 'latest', 'time_weighted')),
      value_property text check ((value_property is null) = (aggregation = 'count')),
      unit text not null,
      dimensions jsonb not null,
      created_at timestamptz not null default now(),
      deleted_at timestamptz,
      unique (project_id, name)
    );

    -- Events that could not be counted. The same event waits once, however often it is sent; json, not jsonb, because it is
    -- shown as it was sent.
    create table quarantined_event (
      id text primary key,
      project_id text not null references project (id),
      fingerprint bytea not null,
      status text not null default 'waiting' check (status in ('waiting', 'replayed', 'discarded')),
      code text not null,
      reason text not null,
      event json not null,
      key_id text,
      received_at timestamptz not null default now(),
      received integer not null default 1,
      resolved_at timestamptz check ((resolved_at is null) = (status = 'waiting')),
      discard_reason text check ((discard_reason is null) = (status <> 'discarded'))
    );
    create unique index quarantined_event_waits_once on quarantined_event (project_id, fingerprint)
      where status = 'waiting';
    create index quarantined_event_by_project on quarantined_event (project_id, status, id);
    create index quarantined_event_by_end on quarantined_event (resolved_at) where resolved_at is not null;

    -- Before which time single events are gone; their sums by the hour stay.
    create table usage_retirement (
      before timestamptz primary key,
      retired_at timestamptz not null default now()
    );

    -- Keys end with their events, and no sooner: an event of a month that is kept can never be counted twice.
    create function usage_event_key_stays() returns trigger language plpgsql as $$
    begin
      if exists (select from usage_retirement where before > old.time) then return old; end if;
      raise exception 'the key of a usage event that is kept is never deleted' using errcode = 'restrict_violation';
    end $$;
    drop trigger usage_event_key_is_append_only on usage_event_key;
    create trigger usage_event_key_is_append_only before update or truncate on usage_event_key
      for each statement execute function append_only();
    create trigger usage_event_key_stays before delete on usage_event_key
      for each row execute function usage_event_key_stays();
  `,
};
