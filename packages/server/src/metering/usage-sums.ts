/** @file Sums of usage, apart by everything that can decide a price: the one question that billing asks. */
import type { KeyId, ProjectId, UsageGroup } from "@gristmill/contract";
import { type RawBuilder, sql } from "kysely";
import type { Database } from "../db/index.ts";

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
  /** Ascending times at which any price changes. */
  readonly priceChanges: readonly Date[];
  /** Rows at most; one more is answered when there are more. */
  readonly limit: number;
}

/** Usage that is alike in window, group, and everything that decides its price. */
export interface UsageSum {
  /** The start of the window's unit, which may lie before `from`; null without windows. */
  readonly windowStart: Date | null;
  readonly meter: string;
  /** The values of the question's groups, in their order. */
  readonly group: readonly (string | null)[];
  readonly model: string | null;
  readonly hardware: string | null;
  /** How many of the price changes lay at or before the admission of these events. */
  readonly priceChangesBefore: number;
  readonly events: number;
  /** Exact decimal. */
  readonly quantity: string;
}

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

/** Sums in the database: rows of the answer grow with groups and price changes, not with events. */
export async function sumUsage(db: Database, question: UsageQuestion): Promise<readonly UsageSum[]> {
  const { projectIds, keyIds, from, to, window, groups, meter, priceChanges, limit } = question;
  const keys = [
    window === null ? sql`null::timestamptz` : sql`date_trunc(${window}, time, 'UTC')`,
    sql`meter`,
    ...groups.map((group) => groupExpressions[group]),
    sql`dimensions ->> 'model'`,
    sql`dimensions ->> 'hardware'`,
    sql`width_bucket(admitted_at, ${priceChanges.map((time) => time.toISOString())}::timestamptz[])`,
  ];
  // By position: a repeated expression with parameters is another expression to PostgreSQL.
  const positions = sql.raw(keys.map((_, index) => index + 1).join(", "));
  const columns = sql.join(keys.map((key, index) => sql`${key} as ${sql.ref(`k${index}`)}`));
  const { rows } = await sql<Readonly<Record<string, unknown>>>`
    select ${columns}, count(*)::float8 as events, sum(quantity) as quantity
    from usage_event
    where project_id = any (${projectIds}::text[]) and time >= ${from} and time < ${to}
      ${keyIds === undefined ? sql`` : sql`and key_id = any (${keyIds}::text[])`}
      ${meter === null ? sql`` : sql`and meter = ${meter}`}
    group by ${positions}
    order by ${positions}
    limit ${limit + 1}`.execute(db);
  return rows.map((row) => fromRow(row, groups.length));
}

function fromRow(row: Readonly<Record<string, unknown>>, groups: number): UsageSum {
  const at = <T>(index: number): T => row[`k${index}`] as T;
  return {
    windowStart: at(0),
    meter: at(1),
    group: Array.from({ length: groups }, (_, index) => at(2 + index)),
    model: at(2 + groups),
    hardware: at(3 + groups),
    priceChangesBefore: at(4 + groups),
    events: row["events"] as number,
    quantity: row["quantity"] as string,
  };
}
