/** @file Writes a group of settlements, each event once. Part of migration 0010. */

/** Function `ledger_settle`. */
export const settleSql = `
    -- Writes events, each once, and ends claims, durably whatever the session's default is. Nothing is written when the
    -- rules have changed meanwhile ("stale") or rows of allowances are missing.
    --   events: [{n, cell, project_id, source, id, ...}]; cells: [{n, project_id, hour, meter, key_id, price_id, dimensions}].
    --   ended, ended_tokens: claims that end, and how many tokens each of them used.
    --   accruals: amounts of events that count against allowances, if the event is new.
    --   thresholds: of those allowances.
    --   repeated: those events that were there already, or twice in the group.
    --   unflushed: it is durable only after the next ledger_flush. Rows of allowances and windows are let go at the commit, not
    --   after the disk has written it: else every claim on them would wait for the disk too.
    create function ledger_settle(
      events json, cells json,
      projects text[], ended text[], ended_tokens bigint[],
      accrual_events integer[], accrual_allowances text[], accrual_amounts numeric[],
      threshold_allowances text[], thresholds numeric[], by_version bigint,
      out stale boolean, out missing boolean, out repeated integer[], out unflushed boolean
    ) language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    #variable_conflict use_column
    declare
      fresh_events integer[];
      ends jsonb;
      takes jsonb;
      changed text[];
      released numeric[];
      accrued numeric[];
      refund record;
    begin
      if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
      end if;
      perform pg_advisory_xact_lock_shared(7070010);
      stale := (select version from policy_version) <> by_version;
      missing := false;
      unflushed := false;
      if stale then return; end if;
      if cardinality(accrual_allowances) > 0 then
        missing := exists (
          select from unnest(accrual_allowances) as wanted (id) where not exists (select from allowance where id = wanted.id));
        if missing then return; end if;
      end if;

      -- Sorted by key, so that two servers that write the same events wait for each other and never in a circle.
      if events is not null then
        if (select count(*) from project where id = any (projects)) < cardinality(projects) then
          raise exception 'an event names no project' using errcode = 'foreign_key_violation';
        end if;
        with incoming as (
          select distinct on (project_id, source, id) *
          from json_to_recordset(events) as event (
            n integer, cell integer, project_id text, source text, id text, meter text, quantity numeric, time timestamptz,
            admitted_at timestamptz, request_id text, key_id text, dimensions jsonb, price_id text, original text)
          order by project_id, source, id, n
        ), fresh as (
          insert into usage_event_key (project_id, source, id, time)
          select project_id, source, id, time from incoming
          on conflict do nothing
          returning project_id, source, id
        ), new as (
          select incoming.* from incoming join fresh using (project_id, source, id)
        ), written as (
          insert into usage_event (project_id, source, id, meter, quantity, time, admitted_at, request_id, key_id,
            dimensions, price_id, original)
          select project_id, source, id, meter, quantity, time, admitted_at, request_id, key_id, dimensions, price_id, original
          from new
        ), summed as (
          insert into usage_hour as sums
            (project_id, hour, meter, cell, key_id, price_id, dimensions, events, quantity, largest)
          select project_id, hour, meter, usage_cell(key_id, price_id, dimensions), key_id, price_id, dimensions,
            added.events, added.quantity, added.largest
          from (select cell, count(*) as events, sum(quantity) as quantity, max(quantity) as largest from new group by cell)
            as added
          join json_to_recordset(cells) as place (n integer, project_id text, hour timestamptz, meter text, key_id text,
            price_id text, dimensions jsonb) on place.n = added.cell
          order by 1, 2, 3, 4
          on conflict (project_id, hour, meter, cell) do update set
            events = sums.events + excluded.events,
            quantity = sums.quantity + excluded.quantity,
            largest = greatest(sums.largest, excluded.largest)
        )
        select array_agg(n) into fresh_events from new;
        if coalesce(cardinality(fresh_events), 0) < json_array_length(events) then
          select array_agg(n) into repeated from json_to_recordset(events) as event (n integer)
          where n <> all (coalesce(fresh_events, '{}'));
          -- Whoever wrote them may not have flushed them yet.
          unflushed := true;
        end if;
      end if;

      if cardinality(ended) > 0 then
        with gone as (
          delete from reservation where request_id = any (ended) returning request_id, holds, admitted_at
        )
        select jsonb_agg(holds -> 'allowances') filter (where holds ? 'allowances'),
          jsonb_agg(jsonb_build_object('id', request_id, 'windows', holds -> 'windows', 'ms', extract(epoch from admitted_at) * 1000))
            filter (where holds ? 'windows')
        into ends, takes from gone where holds is not null;
      end if;
      if ends is not null or (fresh_events is not null and cardinality(accrual_allowances) > 0) then
        select array_agg(id), array_agg(released), array_agg(accrued) into changed, released, accrued from (
          select id, sum(released) as released, sum(accrued) as accrued from (
            select hold ->> 0 as id, (hold ->> 1)::numeric as released, 0::numeric as accrued
            from jsonb_array_elements(ends) as ending, jsonb_array_elements(ending) as hold
            union all
            select id, 0, amount from unnest(accrual_events, accrual_allowances, accrual_amounts) as accrual (n, id, amount)
            where repeated is null or n = any (fresh_events)
          ) as change
          group by id order by id collate "C"
        ) as changes;
        unflushed := true;
        perform allowance_change(changed, released, accrued);
        if cardinality(threshold_allowances) > 0 then
          insert into allowance_alert (allowance_id, threshold, used)
          select id, threshold, used from unnest(threshold_allowances, thresholds) as noted (id, threshold)
          join allowance using (id)
          where used >= threshold
            and not exists (select from allowance_alert where allowance_id = id and threshold = noted.threshold)
          order by id, threshold
          on conflict do nothing;
        end if;
      end if;

      -- What was taken of a window and not used comes back to the bucket that it was taken from.
      unflushed := unflushed or takes is not null;
      if unflushed then perform set_config('synchronous_commit', 'off', true); end if;
      if takes is null then return; end if;
      for refund in
        select take ->> 0 as id, (ending ->> 'ms')::numeric as taken_ms,
          (take ->> 1)::bigint - coalesce(ended_tokens[array_position(ended, ending ->> 'id')], 0) as amount
        from jsonb_array_elements(takes) as ending, jsonb_array_elements(ending -> 'windows') as take
        order by 1
      loop
        update rate_window set
          counts[61 - bucket + place] = greatest(counts[61 - bucket + place] - refund.amount, 0),
          total = total - least(refund.amount, counts[61 - bucket + place])
        from (select floor(refund.taken_ms / width_ms)::bigint as place from rate_window where id = refund.id) as found
        where id = refund.id and bucket - place between 0 and 60 and refund.amount <> 0;
      end loop;
    end $$;
`;
