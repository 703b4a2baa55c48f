/**
 * @file Sums of usage, apart by price: the one question that billing and budgets ask. Whole hours are read from their sums
 * (`usage_hour`), what is left of a span at its edges from single events.
 */
import type { KeyId, ProjectId, UsageGroup } from "@gristmill/contract";
import { type RawBuilder, sql } from "kysely";
import type { Database } from "../db/index.ts";
import { cutAtHours } from "./whole-hours.ts";

/** Sizes of windows; they begin at whole units of UTC. */
export type WindowUnit = "minute" | "hour" | "day" | "month";

/** What sums can be told apart by. */
export type SumGroup = UsageGroup | "project" | "user";

/** Which usage to sum, and how finely. */
export interface UsageQuestion {
  /** Together; `project` among the groups tells them apart. */
  readonly projectIds: readonly ProjectId[];
  /** Only what these keys used; left out: all. */
  readonly keyIds?: readonly KeyId[];
  /** Inclusive. */
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /** null: one window. */
  readonly window: WindowUnit | null;
  readonly groups: readonly SumGroup[];
  readonly meter: string | null;
  /** Rows at most; one more is answered when there are more. */
  readonly limit: number;
}

/** Usage that is alike in window, group, meter and price. */
export interface UsageSum {
  /** The start of the window's unit, which may lie before `from`; null without windows. */
  readonly windowStart: Date | null;
  readonly meter: string;
  /** The values of the question's groups, in their order. */
  readonly group: readonly (string | null)[];
  /** By which price it was rated when it was written; null: none was in force. */
  readonly priceId: string | null;
  readonly events: number;
  /** Events that count, as prices for each event ask: those taken back count against the others. */
  readonly countedEvents: number;
  /** Exact decimal. */
  readonly quantity: string;
}

/**
 * Dimension of corrections: "whole" when they take an event back, "part" when they set its quantity right. Its dot keeps
 * meters of others from declaring it.
 */
export const correctionDimension = "gristmill.correction";

const groupExpressions: Record<SumGroup, RawBuilder<string | null>> = {
  project: sql`project_id`,
  meter: sql`meter`,
  key: sql`key_id`,
  model: sql`dimensions ->> 'model'`,
  deployment: sql`dimensions ->> 'deployment'`,
  run: sql`dimensions ->> 'run'`,
  dataset: sql`dimensions ->> 'dataset'`,
  hardware: sql`dimensions ->> 'hardware'`,
  user: sql`dimensions ->> 'user'`,
  service: sql`dimensions ->> 'service'`,
};

/** Sums in the database: rows of the answer grow with groups and prices, not with events. */
export async function sumUsage(db: Database, question: UsageQuestion): Promise<readonly UsageSum[]> {
  const { window, groups, limit } = question;
  const keys = [
    window === null ? sql`null::timestamptz` : sql`date_trunc(${window}, time, 'UTC')`,
    sql`meter`,
    sql`price_id`,
    ...groups.map((group) => groupExpressions[group]),
  ];
  // By position: a repeated expression with parameters is another expression to PostgreSQL.
  const positions = sql.raw(keys.map((_, index) => index + 1).join(", "));
  const columns = sql.join(keys.map((key, index) => sql`${key} as ${sql.ref(`k${index}`)}`));
  const { rows } = await sql<Readonly<Record<string, unknown>>>`
    select ${columns}, sum(events)::float8 as events, sum(quantity) as quantity,
      sum(events * case dimensions ->> ${correctionDimension} when 'whole' then -1 when 'part' then 0 else 1 end)::float8
        as counted
    from (${cells(question)}) as cell
    group by ${positions}
    order by ${positions}
    limit ${limit + 1}`.execute(db);
  return rows.map((row) => fromRow(row, groups.length));
}

/** Everything that a question is about: sums of hours, and single events as sums of one. */
function cells(question: UsageQuestion): RawBuilder<unknown> {
  const { window, from, to, projectIds, keyIds, meter } = question;
  const { whole, edges } = window === "minute" ? { whole: null, edges: [{ from, to }] } : cutAtHours({ from, to });
  const narrowed = sql`project_id = any (${projectIds}::text[])
    ${keyIds === undefined ? sql`` : sql`and key_id = any (${keyIds}::text[])`}
    ${meter === null ? sql`` : sql`and meter = ${meter}`}`;
  const parts = edges.map(
    (edge) => sql`
      select time, project_id, meter, key_id, price_id, dimensions, 1 as events, quantity from usage_event
      where ${narrowed} and time >= ${edge.from} and time < ${edge.to}`,
  );
  if (whole !== null)
    parts.push(sql`
      select hour as time, project_id, meter, key_id, price_id, dimensions, events, quantity from usage_hour
      where ${narrowed} and hour >= ${whole.from} and hour < ${whole.to}`);
  return sql.join(parts, sql` union all `);
}

function fromRow(row: Readonly<Record<string, unknown>>, groups: number): UsageSum {
  const at = <T>(index: number): T => row[`k${index}`] as T;
  return {
    windowStart: at(0),
    meter: at(1),
    priceId: at(2),
    group: Array.from({ length: groups }, (_, index) => at(3 + index)),
    events: row["events"] as number,
    countedEvents: row["counted"] as number,
    quantity: row["quantity"] as string,
  };
}
