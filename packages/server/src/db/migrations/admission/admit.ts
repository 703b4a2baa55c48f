/** @file Admits a group of claims, each wholly or not at all. Part of migration 0010. */

/** Functions `ledger_make_rooms`, `allowance_change`, `ledger_admit`, `rate_window_wait`. */
export const admitSql = `
    drop function ledger_reserve(json, integer);
    drop function ledger_settle(json, text[]);

    -- Makes the rows of allowances and windows that are not there.
    create function ledger_make_rooms(allowances text[], windows text[], widths integer[]) returns void
      language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    begin
      perform set_config('synchronous_commit', 'off', true);
      insert into allowance (id) select id from unnest(allowances) as id order by id on conflict do nothing;
      insert into rate_window (id, width_ms) select id, width from unnest(windows, widths) as room (id, width) order by id
      on conflict do nothing;
    end $$;

    -- Changes what is held and used of allowances, each once, which are locked in order.
    create function allowance_change(ids text[], released numeric[], accrued numeric[]) returns void
      language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    #variable_conflict use_column
    begin
      if cardinality(ids) > 1 then
        perform from allowance where id = any (ids) order by id collate "C" for update;
      end if;
      update allowance set held = held - change.released, used = used + change.accrued
      from unnest(ids, released, accrued) as change (id, released, accrued)
      where allowance.id = change.id;
    end $$;

    -- Admits claims in their order, each wholly or not at all. It may be lost with the machine: then the request was never
    -- answered. Nothing is written when the rules have changed meanwhile ("stale") or rows of rooms are missing.
    --   claims: [{n, id, project_id, key_id, estimates, holds, outlives}], numbered from 1, and their ids.
    --   demands: what claims need, claim by claim; room n: the nth of allowances, -n: the nth of windows. Numbers above those
    --   of the claims are requests that only take from windows, and leave nothing.
    --   known: [{n, admitted_at}] of claims that were there already; admitted_at null: another project's.
    --   refused: [{n, room, used, held, remaining, retry_ms}].
    --   remaining: what is left of each window, after all.
    -- Milliseconds, because that is all that a JavaScript Date brings back at the settlement. No sequential scans: after a
    -- vacuum a table whose rows come and go looks empty, its plan is made anew, and would read all its dead rows.
    create function ledger_admit(
      claims json, ids text[], projects text[],
      allowances text[], capacities numeric[],
      windows text[], window_capacities bigint[], widths integer[],
      demand_claims integer[], demand_rooms integer[], demand_amounts numeric[],
      by_version bigint, by_instance integer,
      out stale boolean, out missing boolean, out admitted_at timestamptz,
      out known json, out refused jsonb, out remaining bigint[]
    ) language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    #variable_conflict use_column
    declare
      used_amounts numeric[];
      held_amounts numeric[];
      room_count integer;
      buckets bigint[];
      totals bigint[];
      all_counts bigint[];
      slid bigint;
      free numeric[];
      taken numeric[];
      now_ms bigint;
      skipped integer[];
      of_claim integer;
      room integer;
      place integer;
      amount numeric;
      written integer;
      i integer := 1;
      j integer;
    begin
      perform set_config('synchronous_commit', case
        when exists (select from json_to_recordset(claims) as claim (outlives boolean) where outlives) then 'on' else 'off'
      end, true);
      perform pg_advisory_xact_lock_shared(7070010);
      stale := (select version from policy_version) <> by_version;
      missing := false;
      if stale then return; end if;
      if (select count(*) from project where id = any (projects)) < cardinality(projects) then
        raise exception 'a claim names no project' using errcode = 'foreign_key_violation';
      end if;

      if exists (select from reservation where request_id = any (ids)) then
        select json_agg(json_build_object('n', n, 'admitted_at', admitted_at)), array_agg(n) into known, skipped from (
          select claim.n, case when open.project_id = claim.project_id then open.admitted_at end as admitted_at
          from json_to_recordset(claims) as claim (n integer, id text, project_id text)
          join reservation as open on open.request_id = claim.id
          where open.request_id = any (ids)
          order by open.request_id for update of open
        ) as repeated;
        update reservation set instance = by_instance where instance is distinct from 0 and request_id in (
          select claim.id from json_to_recordset(claims) as claim (n integer, id text, project_id text)
          where claim.n = any (skipped) and claim.project_id = reservation.project_id);
      end if;

      -- Rooms: from here on nobody else takes of them.
      if cardinality(allowances) > 0 then
        select array_agg(used), array_agg(held), count(*) into used_amounts, held_amounts, room_count
        from (
          select id, used, held from allowance where id = any (allowances) order by id collate "C" for update
        ) as locked;
        if room_count < cardinality(allowances) then missing := true; return; end if;
      end if;
      if cardinality(windows) > 0 then
        select array_agg(bucket), array_agg(total), array_agg(counts), count(*) into buckets, totals, all_counts, room_count
        from (
          select bucket, total, counts from rate_window where id = any (windows) order by id collate "C" for update
        ) as locked;
        if room_count < cardinality(windows) then missing := true; return; end if;
      end if;
      admitted_at := date_trunc('milliseconds', clock_timestamp());
      now_ms := floor(extract(epoch from admitted_at) * 1000);

      remaining := '{}';
      if cardinality(demand_claims) > 0 then
        -- Free room: of windows first, then of allowances; null: endless.
        for nth in 1 .. cardinality(windows) loop
          slid := now_ms / widths[nth] - buckets[nth];
          if slid > 0 then
            totals[nth] := (
              select coalesce(sum(count), 0) from unnest(all_counts[nth : nth][least(slid, 61) + 1 : 61]) as count
            );
          end if;
          free[nth] := window_capacities[nth] - totals[nth];
        end loop;
        for place in 1 .. cardinality(allowances) loop
          free[cardinality(windows) + place] := capacities[place] - used_amounts[place] - held_amounts[place];
        end loop;
        taken := array_fill(0::numeric, array[cardinality(windows) + cardinality(allowances)]);

        while i <= cardinality(demand_claims) loop
          of_claim := demand_claims[i];
          j := i;
          room := null;
          while j <= cardinality(demand_claims) and demand_claims[j] = of_claim loop
            if room is null and not coalesce(of_claim = any (skipped), false) then
              place := case when demand_rooms[j] > 0 then cardinality(windows) + demand_rooms[j] else -demand_rooms[j] end;
              amount := demand_amounts[j];
              if free[place] < amount then
                room := demand_rooms[j];
                refused := coalesce(refused, '[]') || (case
                  when room > 0 then jsonb_build_object('n', of_claim, 'room', room,
                    'used', used_amounts[room]::text, 'held', (held_amounts[room] + taken[place])::text)
                  else jsonb_build_object('n', of_claim, 'room', room, 'remaining', greatest(free[place], 0),
                    'retry_ms', rate_window_wait(windows[-room], now_ms, amount - free[place]))
                end || jsonb_build_object('wanted', amount::text));
                -- All or nothing: what it had taken already goes back.
                for k in i .. j - 1 loop
                  place := case when demand_rooms[k] > 0 then cardinality(windows) + demand_rooms[k] else -demand_rooms[k] end;
                  free[place] := free[place] + demand_amounts[k];
                  taken[place] := taken[place] - demand_amounts[k];
                end loop;
              else
                free[place] := free[place] - amount;
                taken[place] := taken[place] + amount;
              end if;
            end if;
            j := j + 1;
          end loop;
          if room is not null then skipped := skipped || of_claim; end if;
          i := j;
        end loop;

        if cardinality(windows) > 0 then
          remaining := free[1 : cardinality(windows)]::bigint[];
          update rate_window set
            bucket = greatest(bucket, now_ms / width_ms),
            total = left_over + amount,
            counts = case
              when now_ms / width_ms <= bucket then counts[1 : 60] || counts[61] + amount
              else (counts || array_fill(0::bigint, array[least(now_ms / width_ms - bucket, 61)::integer - 1]) || amount)
                [least(now_ms / width_ms - bucket, 61) + 1 : least(now_ms / width_ms - bucket, 61) + 61]
            end
          from (
            select id, left_over, taken[nth]::bigint as amount
            from unnest(windows, totals) with ordinality as wanted (id, left_over, nth)
          ) as taking
          where rate_window.id = taking.id and taking.amount > 0;
        end if;
        if cardinality(allowances) > 0 then
          update allowance set held = held + amount
          from (
            select id, taken[cardinality(windows) + nth] as amount from unnest(allowances) with ordinality as wanted (id, nth)
          ) as taking
          where allowance.id = taking.id and taking.amount <> 0;
        end if;
      end if;

      if cardinality(ids) > 0 then
        insert into reservation (request_id, project_id, key_id, instance, estimates, admitted_at, holds)
        select id, project_id, key_id, case when outlives then 0 else by_instance end, estimates, ledger_admit.admitted_at, holds
        from json_to_recordset(claims)
          as claim (n integer, id text, project_id text, key_id text, estimates jsonb, holds jsonb, outlives boolean)
        where not coalesce(n = any (skipped), false)
        on conflict do nothing;
        get diagnostics written = row_count;
        if written + (select count(*) from unnest(skipped) as n where n <= cardinality(ids)) <> cardinality(ids) then
          -- Another server has claimed the same in this moment: the next try finds it.
          raise exception 'a claim was written twice' using errcode = 'serialization_failure';
        end if;
      end if;
    end $$;

    -- How long a window must be left alone until so much more of it is free; null: for ever.
    create function rate_window_wait(window_id text, now_ms bigint, lacking numeric) returns bigint
      language sql set enable_seqscan = off as $$
      select (bucket + place) * width_ms - now_ms from (
        select bucket, width_ms, place, sum(count) over (order by place) as freed
        from rate_window, unnest(counts) with ordinality as each (count, place)
        where id = window_id and place > now_ms / width_ms - bucket
      ) as freeing
      where freed >= lacking order by place limit 1
    $$;
`;
