/**
 * @file The time-weighted mean of gauges: each value holds until the next of its series (the same dimensions), from before
 * the span too; before its first value a series stands at zero. Series of one group add up.
 */
import { type RawBuilder, sql } from "kysely";
import { dimension, type Keys, type MeterQuestion, narrowed } from "./meter-question.ts";

const hourMs = 3_600_000;

/** The mean over each window, of the part of it that has passed; rounded to nine digits after the point. */
export function timeWeighted(question: MeterQuestion, { names }: Keys): RawBuilder<unknown> {
  const { from, to, now, window, groups } = question;
  const end = to < now ? to : now;
  const hour = new Date(Math.floor(from.getTime() / hourMs) * hourMs);
  // Without time zone, so that steps of a month are steps in UTC whatever the session's zone is.
  const local = (time: RawBuilder<unknown>) => sql`(${time} at time zone 'UTC')`;
  const [first, last] = [local(sql`${from}::timestamptz`), local(sql`${end}::timestamptz`)];
  const unit = sql.raw(window === null ? "'1000 years'" : `'1 ${window}'`);
  const start = window === null ? first : sql`date_trunc(${window}, begun)`;
  const columns = sql.join([
    window === null ? sql`null::timestamptz as k0` : sql`(slot at time zone 'UTC') as k0`,
    ...groups.map((name, index) => sql`${dimension(name)} as ${sql.ref(`k${index + 1}`)}`),
  ]);
  return sql`
    with earlier as (
      select dimensions, max(hour) as hour from usage_hour
      where ${narrowed(question)} and hour < ${hour} group by dimensions
    ), before as (
      select event.time, event.id, event.dimensions, event.quantity
      from earlier join lateral (
        select time, id, dimensions, quantity from usage_event
        where ${narrowed(question)} and time >= earlier.hour and time < earlier.hour + interval '1 hour'
          and dimensions = earlier.dimensions
        order by time desc, id desc limit 1
      ) as event on true
      union all
      select time, id, dimensions, quantity from usage_event
      where ${narrowed(question)} and time >= ${hour} and time < ${from}
    ), point as (
      (select distinct on (dimensions) ${from}::timestamptz as time, '' as id, dimensions, quantity, 0 as events
        from before order by dimensions, before.time desc, before.id desc)
      union all
      select time, id, dimensions, quantity, 1 from usage_event
      where ${narrowed(question)} and time >= ${from} and time < ${end}
    ), stretch as (
      select dimensions, quantity, events, ${local(sql`time`)} as begun,
        coalesce(lead(${local(sql`time`)}) over (partition by dimensions order by time, id), ${last}) as ended
      from point
    ), piece as (
      select dimensions, events, slot, quantity, begun,
        extract(epoch from least(ended, slot + interval ${unit}) - greatest(begun, slot)) as seconds
      from stretch, generate_series(${start}, greatest(ended - interval '1 microsecond', begun), interval ${unit}) as slot
    ), keyed as (
      select ${columns}, quantity * seconds as weight,
        case when slot <= begun then events else 0 end as events,
        extract(epoch from least(slot + interval ${unit}, ${last}) - greatest(slot, ${first})) as length
      from piece
    )
    select ${names}, sum(events)::float8 as events, trim_scale(round(sum(weight) / max(length), 9))::text as value
    from keyed where length > 0 group by ${names}`;
}
