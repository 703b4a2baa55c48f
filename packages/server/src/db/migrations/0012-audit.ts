/** @file The audit log with its chain, changes that are being made, denied accesses, and the answers kept for repeats. */
import type { Migration } from "./migration.ts";

/** Chains only grow and entries never change: the database refuses it. */
export const audit: Migration = {
  name: "0012-audit",
  up: `
    -- The last entry of each organization's chain. Whoever adds one holds its row, so numbers have no gaps.
    create table audit_chain (
      organization_id text primary key references organization (id),
      number bigint not null check (number >= 0),
      hash text not null check (hash ~ '^[0-9a-f]{64}$')
    );
    create function audit_chain_only_grows() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.organization_id = old.organization_id
        and (new.number = old.number + 1 or (new.number = old.number and new.hash = old.hash))
      then return new; end if;
      raise exception 'the chain of an audit log only grows' using errcode = 'restrict_violation';
    end $$;
    create trigger audit_chain_only_grows before update or delete on audit_chain
      for each row execute function audit_chain_only_grows();
    create trigger audit_chain_is_not_truncated before truncate on audit_chain
      for each statement execute function append_only();

    -- hash covers all other columns; at and began_at have milliseconds, as they are written on the wire.
    create table audit_entry (
      organization_id text not null references audit_chain (organization_id),
      number bigint not null check (number >= 1),
      id text not null unique,
      previous_hash text not null,
      hash text not null,
      action text not null,
      outcome text not null check (outcome in ('succeeded', 'failed', 'unknown')),
      status integer,
      error_code text,
      actor_type text not null,
      actor_id text,
      project_id text,
      target_id text,
      path text,
      address text,
      request_id text,
      details jsonb not null,
      began_at timestamptz not null,
      at timestamptz not null,
      primary key (organization_id, number)
    );
    create index audit_entry_by_target on audit_entry (organization_id, target_id, number) where target_id is not null;
    create index audit_entry_by_actor on audit_entry (organization_id, actor_id, number) where actor_id is not null;
    create index audit_entry_by_time on audit_entry (organization_id, at);
    create trigger audit_entry_is_append_only before update or delete or truncate on audit_entry
      for each statement execute function append_only();

    -- A change that is being made by a server; of a dead one, a change of which nobody knows how it ended.
    create table audit_pending (
      id text primary key,
      organization_id text not null references organization (id),
      instance integer,
      action text not null,
      actor_type text not null,
      actor_id text,
      project_id text,
      path text,
      address text,
      request_id text,
      details jsonb not null,
      began_at timestamptz not null
    );

    -- organization_id null: nobody knows who called. Counted by servers, who add to each other's counts.
    create table denied_access (
      id bigint primary key generated always as identity,
      minute timestamptz not null,
      organization_id text,
      project_id text,
      actor_id text,
      address text,
      route text not null,
      code text not null,
      count bigint not null check (count > 0),
      unique nulls not distinct (minute, organization_id, project_id, actor_id, address, route, code)
    );
    create index denied_access_of_organization on denied_access (organization_id, id);

    -- key_sha256 is of the header's value; sealed holds the answer, encrypted. state 'open': the next request of the key works
    -- on it, under the request id that stands here. attempt tells a server that it was taken for dead meanwhile.
    create table idempotent_answer (
      project_id text not null,
      route text not null,
      key_sha256 bytea not null check (length(key_sha256) = 32),
      fingerprint bytea not null check (length(fingerprint) = 32),
      state text not null check (state in ('running', 'open', 'kept', 'not_kept')),
      request_id text not null,
      instance integer,
      attempt integer not null default 1,
      sealed bytea,
      size_bytes integer not null default 0,
      reason text,
      started_at timestamptz not null default now(),
      expires_at timestamptz not null,
      primary key (project_id, route, key_sha256),
      check ((state = 'kept') = (sealed is not null))
    ) with (autovacuum_vacuum_scale_factor = 0.02);
    create index idempotent_answer_expiring on idempotent_answer (expires_at);
    -- What is encrypted does not compress.
    alter table idempotent_answer alter column sealed set storage external;

    -- The first request of a key gets 'run'; so does the next one when the first was killed, with the first one's request id.
    -- 'wait': somebody who lives works on it. Not flushed by itself: the ledger's next durable commit flushes it too, and
    -- before that nothing was charged.
    create function idempotent_claim(
      for_project text, for_route text, for_key bytea, with_fingerprint bytea,
      as_request text, by_instance integer, keep_for interval
    ) returns table (verdict text, request_id text, attempt integer, sealed bytea, reason text)
    language plpgsql as $$
    #variable_conflict use_column
    declare
      here idempotent_answer;
    begin
      perform set_config('synchronous_commit', 'off', true);
      loop
        insert into idempotent_answer
          (project_id, route, key_sha256, fingerprint, state, request_id, instance, expires_at)
        values (for_project, for_route, for_key, with_fingerprint, 'running', as_request, by_instance,
          clock_timestamp() + keep_for)
        on conflict do nothing;
        if found then
          return query select 'run', as_request, 1, null::bytea, null::text;
          return;
        end if;
        select * into here from idempotent_answer as a
          where a.project_id = for_project and a.route = for_route and a.key_sha256 = for_key;
        continue when not found;
        if here.expires_at <= clock_timestamp() then
          delete from idempotent_answer as a
            where a.project_id = for_project and a.route = for_route and a.key_sha256 = for_key
              and a.expires_at = here.expires_at;
          continue;
        end if;
        if here.fingerprint <> with_fingerprint then
          return query select 'mismatch', here.request_id, here.attempt, null::bytea, null::text;
          return;
        end if;
        if here.state in ('kept', 'not_kept') then
          return query select here.state, here.request_id, here.attempt, here.sealed, here.reason;
          return;
        end if;
        if here.state = 'running' and (here.instance is null
          or exists (select from server_instance where number = here.instance)) then
          return query select 'wait', here.request_id, here.attempt, null::bytea, null::text;
          return;
        end if;
        update idempotent_answer as a set state = 'running', instance = by_instance, attempt = a.attempt + 1
          where a.project_id = for_project and a.route = for_route and a.key_sha256 = for_key
            and a.attempt = here.attempt and a.state = here.state and a.expires_at = here.expires_at;
        if found then
          return query select 'run', here.request_id, here.attempt + 1, null::bytea, null::text;
          return;
        end if;
      end loop;
    end $$;
  `,
};
