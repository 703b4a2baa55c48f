/** @file Who lives, and what becomes of the claims of who does not; the flush. Part of migration 0010. */

/** Functions `ledger_flush`, `server_beat`, `server_bury`. */
export const serversSql = `
    -- Returns when all that was committed before is on disk.
    create function ledger_flush() returns void language plpgsql as $$
    begin
      if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
      end if;
      -- A transaction that writes nothing would not wait for the disk.
      perform pg_logical_emit_message(true, 'gristmill', '');
    end $$;

    -- A server says that it lives, and hears the version of the rules and which others have said nothing for so long
    -- (or, if it asks for all, have left claims and no row). After a start of PostgreSQL everybody gets as long to come back.
    create function server_beat(
      own integer, grace interval, asks_for_all boolean, out version bigint, out silent integer[]
    ) language plpgsql as $$
    begin
      perform set_config('synchronous_commit', 'off', true);
      insert into server_instance (number) values (own) on conflict (number) do update set seen_at = now();
      select policy_version.version into version from policy_version;
      if pg_postmaster_start_time() > now() - grace then return; end if;
      select array_agg(number order by number) into silent from (
        select number from server_instance where number <> own and seen_at <= now() - grace
        union
        select instance from reservation
        where asks_for_all and instance > 0 and not exists (select from server_instance where number = instance)
      ) as each;
    end $$;

    -- Ends a server that is silent and holds its lock no more, with its claims; returns how many claims it had, null: it lives.
    -- Without a number: the claims of ledgers that never lived.
    create function server_bury(dead integer, grace interval) returns bigint
      language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
      changed text[];
      released numeric[];
      claim_count bigint;
    begin
      if not pg_try_advisory_xact_lock(7070003, dead) then return null; end if;
      if exists (select from server_instance where number = dead and seen_at > now() - grace) then return null; end if;
      with gone as (
        delete from reservation where instance is not distinct from dead returning holds
      ), hold as (
        select hold ->> 0 as id, sum((hold ->> 1)::numeric) as amount
        from gone, jsonb_array_elements(holds -> 'allowances') as hold group by 1
      )
      select (select count(*) from gone), array_agg(id), array_agg(amount) into claim_count, changed, released from hold;
      if changed is not null then
        perform allowance_change(changed, released, array_fill(0::numeric, array[cardinality(changed)]));
      end if;
      delete from server_instance where number = dead;
      return claim_count;
    end $$;
  `;
