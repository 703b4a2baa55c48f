/** @file Reports over millions of events, beside the raw sum over the same events, which they must equal. */
import { meterNames, type ProjectId } from "@gristmill/contract";
import Big from "big.js";
import { sql } from "kysely";
import { BillingService } from "../packages/server/src/billing/service.ts";
import type { Database } from "../packages/server/src/db/index.ts";
import { newId } from "../packages/server/src/ids.ts";
import { sumUsage, type UsageQuestion } from "../packages/server/src/metering/index.ts";

const rounds = 3;
const first = new Date("2026-01-01T00:00:00Z");
const end = new Date("2026-01-31T00:00:00Z");

/** A month of events in every group, and how long it takes to report them. @throws when a report is not the raw sum. */
export async function measureReports(db: Database, projectId: ProjectId, events: number): Promise<void> {
  await write(db, projectId, events);
  const ask = {
    projectIds: [projectId],
    from: first,
    to: end,
    window: null,
    groups: [],
    meter: null,
    limit: 50_000,
  } as const;
  const questions: Readonly<Record<string, UsageQuestion>> = {
    "a month, by meter": ask,
    "a month, by meter, model, deployment": { ...ask, groups: ["model", "deployment"] },
    "a month in days, by model": { ...ask, window: "day", groups: ["model"] },
    "a month in hours": { ...ask, window: "hour" },
    "from half past to half past, by key": {
      ...ask,
      from: new Date("2026-01-03T10:30:00Z"),
      to: new Date("2026-01-28T17:30:00Z"),
      groups: ["key"],
    },
  };
  console.log(
    `sums over ${events} events of one project, ms (middle of ${rounds}); beside the raw sum, to which they are equal:`,
  );
  for (const [name, question] of Object.entries(questions)) {
    const [ms, sums] = await timed(() => sumUsage(db, question));
    const [rawMs, raw] = await timed(() => rawSum(db, question), 1);
    const total = sums.reduce((sum, { quantity }) => sum.plus(quantity), new Big(0));
    const count = sums.reduce((sum, { events: some }) => sum + some, 0);
    if (!total.eq(raw.quantity) || count !== raw.events)
      throw new Error(`${name}: ${count} events of ${total} in sum, raw ${raw.events} of ${raw.quantity}`);
    print(name, ms, `${sums.length} rows; raw sum ${rawMs.toFixed(0)} ms`);
  }
  const billing = new BillingService(db, newId);
  const span = { from: first.toISOString(), to: end.toISOString() };
  for (const [name, query] of [
    ["GET /api/usage: the month, priced, by meter", { ...span, group_by: ["meter" as const] }],
    ["GET /api/usage: in days, priced, by model", { ...span, window: "day" as const, group_by: ["model" as const] }],
  ] as const) {
    const [ms, report] = await timed(() => billing.usage(projectId, { ...query, group_by: [...query.group_by] }));
    print(name, ms, `${report.data.length} rows, ${report.unpriced_events} unpriced`);
  }
}

/** Written at once: past the ledger's functions, with what they would have summed up. */
async function write(db: Database, projectId: ProjectId, events: number): Promise<void> {
  await sql`select usage_event_partition(${first})`.execute(db);
  await sql`
    insert into usage_event
      (project_id, source, id, meter, quantity, time, admitted_at, request_id, key_id, price_id, dimensions)
    select ${projectId}, 'gristmill', 'bench:' || n, meters[n % 5 + 1], (n % 1000 + 1) / 1000.0, moment, moment,
      'req_' || n, 'key_' || n % 8, prices[n % 5 + 1],
      jsonb_build_object('deployment', 'deployment-' || n % 20, 'model', 'model-' || n % 10, 'hardware', 'cpu-' || n % 3)
    from generate_series(1, ${events}::integer) as n,
      lateral (select ${first}::timestamptz + n * (interval '30 days' / ${events + 1}::float8) as moment) as at,
      (select ${meterNames}::text[] as meters) as names,
      (select array_agg((select id from price where price.meter = name order by id limit 1) order by place) as prices
        from unnest(${meterNames}::text[]) with ordinality as each (name, place)) as priced`.execute(db);
  await sql`
    insert into usage_hour (project_id, hour, meter, cell, key_id, price_id, dimensions, events, quantity, largest)
    select project_id, date_trunc('hour', time, 'UTC'), meter, usage_cell(key_id, price_id, dimensions), key_id, price_id,
      dimensions, count(*), sum(quantity), max(quantity)
    from usage_event where project_id = ${projectId} and time >= ${first} and time < ${end}
    group by 1, 2, 3, key_id, price_id, dimensions`.execute(db);
  await sql`vacuum analyze usage_event, usage_hour`.execute(db);
}

async function rawSum(
  db: Database,
  { projectIds, from, to }: UsageQuestion,
): Promise<{ events: number; quantity: string }> {
  const { rows } = await sql<{ events: string; quantity: string }>`
    select count(*) as events, sum(quantity) as quantity from usage_event
    where project_id = any (${projectIds}::text[]) and time >= ${from} and time < ${to}`.execute(db);
  return { events: Number(rows[0]?.events), quantity: rows[0]?.quantity ?? "0" };
}

/** The middle time, and the last answer. */
async function timed<T>(work: () => Promise<T>, times = rounds): Promise<readonly [number, T]> {
  const took: number[] = [];
  for (;;) {
    const before = performance.now();
    const answer = await work();
    took.push(performance.now() - before);
    if (took.length === times) return [took.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN, answer];
  }
}

const print = (name: string, ms: number, beside: string): void =>
  console.log(`${name.padEnd(44)} ${ms.toFixed(0).padStart(6)}   (${beside})`);
