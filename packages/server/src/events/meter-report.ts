/** @file What a meter says of a span: windows, groups, and one number of all events of each. */
import type { Aggregation } from "@gristmill/contract";
import { type RawBuilder, sql } from "kysely";
import type { Database } from "../db/index.ts";
import { boundedRead, cutAtHours, type Span } from "../metering/index.ts";
import { uniqueValue } from "./counting.ts";
import { dimension, type Keys, type MeterQuestion, narrowed } from "./meter-question.ts";
import { timeWeighted } from "./time-weighted.ts";

/** One window and group. */
export interface MeterAnswer {
  /** The start of the window's unit, which may lie before `from`; null without windows. */
  readonly windowStart: Date | null;
  /** The values of the question's groups, in their order. */
  readonly group: readonly (string | null)[];
  readonly events: number;
  /** Exact decimal. */
  readonly value: string;
}

/**
 * Answers in order of windows, then groups; windows and groups without events are left out.
 * @throws AppError `request.invalid` when it would take too long.
 */
export async function askMeter(db: Database, question: MeterQuestion): Promise<readonly MeterAnswer[]> {
  const { window, groups, limit } = question;
  const keys = [
    window === null ? sql`null::timestamptz` : sql`date_trunc(${window}, time, 'UTC')`,
    ...groups.map(dimension),
  ];
  const names = keys.map((_, index) => sql.ref(`k${index}`));
  const columns = sql.join(keys.map((key, index) => sql`${key} as ${names[index]}`));
  const statement = statements[question.aggregation](question, { columns, names: sql.join(names) });
  const { rows } = await boundedRead(db, (transaction) =>
    sql<Readonly<Record<string, unknown>>>`${statement} order by ${sql.join(names)} limit ${limit + 1}`.execute(
      transaction,
    ),
  );
  return rows.map((row) => ({
    windowStart: row["k0"] as Date | null,
    group: groups.map((_, index) => row[`k${index + 1}`] as string | null),
    events: Number(row["events"]),
    value: String(row["value"]),
  }));
}

/** `time` in one of some spans. */
const within = (spans: readonly Span[]): RawBuilder<unknown> =>
  spans.length === 0
    ? sql`false`
    : sql`(${sql.join(
        spans.map(({ from, to }) => sql`time >= ${from} and time < ${to}`),
        sql` or `,
      )})`;

/** Whole hours from their sums, the edges from single events; minutes from single events alone. */
const cut = (question: MeterQuestion) =>
  question.window === "minute" ? { whole: null, edges: [question] } : cutAtHours(question);

/** Everything that a question is about, as cells. */
function cells(question: MeterQuestion): RawBuilder<unknown> {
  const { whole, edges } = cut(question);
  const single = sql`
    select time, key_id, dimensions, 1 as events, quantity, quantity as largest from usage_event
    where ${narrowed(question)} and ${within(edges)}`;
  if (whole === null) return single;
  return sql`
    select hour as time, key_id, dimensions, events, quantity, largest from usage_hour
    where ${narrowed(question)} and hour >= ${whole.from} and hour < ${whole.to}
    union all ${single}`;
}

const grouped =
  (value: RawBuilder<unknown>) =>
  (question: MeterQuestion, { columns, names }: Keys): RawBuilder<unknown> =>
    sql`
    select ${names}, sum(events)::float8 as events, ${value}::text as value
    from (select ${columns}, events, quantity, largest, dimensions from (${cells(question)}) as cell) as keyed
    group by ${names}`;

/** The last event of each window and group: of whole hours, the sums tell in which hour to look for it. */
function latest(question: MeterQuestion, { columns, names }: Keys): RawBuilder<unknown> {
  const { whole, edges } = cut(question);
  const last =
    whole === null
      ? sql`select null::timestamptz as hour where false`
      : sql`
        select distinct max(time) as hour from (
          select ${columns}, time from (
            select hour as time, key_id, dimensions from usage_hour
            where ${narrowed(question)} and hour >= ${whole.from} and hour < ${whole.to}
          ) as cell
        ) as keyed group by ${names}`;
  return sql`
    with counted as (
      select ${names}, sum(events)::float8 as events
      from (select ${columns}, events from (${cells(question)}) as cell) as keyed
      group by ${names}
    ), last_hour as (${last}), candidate as (
      select time, id, key_id, dimensions, quantity from usage_event
      where ${narrowed(question)} and ${within(edges)}
      union all
      select time, id, key_id, dimensions, quantity
      from last_hour join lateral (
        select time, id, key_id, dimensions, quantity from usage_event
        where ${narrowed(question)} and time >= hour and time < hour + interval '1 hour'
      ) as event on true
    ), chosen as (
      select distinct on (${names}) ${names}, quantity
      from (select ${columns}, time, id, quantity from candidate) as keyed
      order by ${names}, time desc, id desc
    )
    select counted.*, trim_scale(quantity)::text as value
    from counted join chosen on row(${prefixed("counted", question)}) is not distinct from row(${prefixed("chosen", question)})`;
}

const prefixed = (table: string, { groups }: MeterQuestion): RawBuilder<unknown> =>
  sql.join([-1, ...groups.keys()].map((index) => sql.ref(`${table}.k${index + 1}`)));

const statements: Record<Aggregation, (question: MeterQuestion, keys: Keys) => RawBuilder<unknown>> = {
  sum: grouped(sql`trim_scale(sum(quantity))`),
  // An entry of a count is 1, and -1 takes one back.
  count: grouped(sql`trim_scale(sum(quantity))`),
  max: grouped(sql`trim_scale(max(largest))`),
  unique_count: grouped(sql`count(distinct dimensions ->> ${uniqueValue}::text)`),
  latest,
  time_weighted: timeWeighted,
};
