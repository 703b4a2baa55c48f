/**
 * @file Metering speed: durable events a second, one at a time and 64 at once, beside a bare insert of the same rows with
 * the same durability on the same database in the same run; then reports over a million events.
 * Arguments: `--seconds N` for each figure (default 3), `--events N` for the reports (default 1000000, 0: none).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { meterNames, type ProjectId, type RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import { BillingService } from "../packages/server/src/billing/service.ts";
import { type Database, openDatabase } from "../packages/server/src/db/index.ts";
import { newId } from "../packages/server/src/ids.ts";
import { createMetering, type Ledger, type UsageRecord } from "../packages/server/src/metering/index.ts";

const log = { info: () => {}, warn: () => {}, error: console.error };
const callers = 64;
const rounds = 3;

/** Prints the figures; leaves nothing behind. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: "string", default: "3" }, events: { type: "string", default: "1000000" } },
  });
  const home = await mkdtemp(join(tmpdir(), "gristmill-bench-"));
  try {
    const database = await openDatabase({ home, databaseUrl: undefined, log, onLost: console.error });
    try {
      await measure(database.db, (Number(values.seconds) * 1000) / rounds, Number(values.events));
    } finally {
      await database.close();
    }
  } finally {
    // As root, the database lies where another user may enter, and the home says where.
    const elsewhere = await readFile(join(home, "postgres-location"), "utf8").catch(() => undefined);
    if (elsewhere !== undefined) await rm(elsewhere.trim(), { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
  }
}

async function measure(db: Database, roundMs: number, reportEvents: number): Promise<void> {
  const setting = async (name: string) =>
    (await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db)).rows[0]?.value;
  console.log(
    `PostgreSQL ${await setting("server_version")}, fsync ${await setting("fsync")}, ` +
      `synchronous_commit ${await setting("synchronous_commit")}; each figure is the middle one of ${rounds} rounds\n`,
  );
  const project = newId("project");
  await sql`insert into organization (id, name) values ('org_bench', 'bench')`.execute(db);
  await sql`insert into project (id, organization_id, name) values (${project}, 'org_bench', 'bench')`.execute(db);
  await sql`create table bare (like usage_event including defaults)`.execute(db);
  const metering = createMetering({ db, now: () => new Date(), log });
  await metering.start();
  try {
    await measureWrites(db, metering.ledger, project, roundMs);
    if (reportEvents > 0) await measureReports(db, project, reportEvents);
  } finally {
    await metering.stop();
  }
}

async function measureWrites(db: Database, ledger: Ledger, project: ProjectId, roundMs: number): Promise<void> {
  const figures: Record<string, Figure[]> = {};
  const ways: Record<string, { callers: number; eventsPerCall: number; call: () => Promise<unknown> }> = {
    "reserve, 1 caller": { callers: 1, eventsPerCall: 1, call: timeReserve(ledger, project) },
    "settle, 1 caller": { callers: 1, eventsPerCall: 1, call: timeSettle(ledger, project) },
    "bare insert of 1 row": {
      callers: 1,
      eventsPerCall: 1,
      call: () => insertBare(db, project, [eventOf(newId("request"))]),
    },
    [`settle, ${callers} callers`]: { callers, eventsPerCall: 1, call: timeSettle(ledger, project) },
    [`reserve and settle, ${callers} callers`]: {
      callers,
      eventsPerCall: 1,
      call: () => reserveAndSettle(ledger, project),
    },
    [`bare insert of ${callers} rows`]: {
      callers: 1,
      eventsPerCall: callers,
      call: () =>
        insertBare(
          db,
          project,
          Array.from({ length: callers }, () => eventOf(newId("request"))),
        ),
    },
  };
  for (const { call } of Object.values(ways)) await repeat(call, 1, roundMs / 4, 1); // plans, caches
  for (let round = 0; round < rounds; round++)
    for (const [name, way] of Object.entries(ways)) {
      figures[name] ??= [];
      figures[name].push(await repeat(way.call, way.callers, roundMs, way.eventsPerCall));
    }
  const middles = Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, middle(all)]));
  console.log(`${"".padEnd(32)}  events/s   p50 ms   p99 ms`);
  for (const [name, { perSecond, p50, p99 }] of Object.entries(middles))
    console.log(
      `${name.padEnd(32)} ${perSecond.toFixed(0).padStart(9)} ${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)}`,
    );
  const ratio = (one: string, other: string) =>
    console.log(`${one} / ${other}: ${((middles[one]?.perSecond ?? 0) / (middles[other]?.perSecond ?? 1)).toFixed(2)}`);
  console.log();
  ratio("settle, 1 caller", "bare insert of 1 row");
  ratio(`settle, ${callers} callers`, `bare insert of ${callers} rows`);
  console.log(
    "\nThe bare table has no index, no unique key and no partition: what the ledger keeps beside is the difference.\n",
  );
}

interface Figure {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Calls from so many callers, each one after the other, for a time. A call may tell what of it counts as its latency. */
async function repeat(
  call: () => Promise<unknown>,
  callerCount: number,
  forMs: number,
  eventsPerCall: number,
): Promise<Figure> {
  const latencies: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - start < forMs) {
      const before = performance.now();
      const own = await call();
      latencies.push(typeof own === "number" ? own : performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callerCount }, caller));
  const busyMs = callerCount === 1 ? latencies.reduce((sum, each) => sum + each, 0) : performance.now() - start;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { perSecond: (latencies.length * eventsPerCall * 1000) / busyMs, p50: at(0.5), p99: at(0.99) };
}

const middle = (figures: readonly Figure[]): Figure => {
  const inOrder = figures.toSorted((a, b) => a.perSecond - b.perSecond);
  return inOrder[Math.floor(inOrder.length / 2)] ?? { perSecond: Number.NaN, p50: Number.NaN, p99: Number.NaN };
};

const claimOf = (projectId: ProjectId) => ({
  requestId: newId("request"),
  projectId,
  keyId: null,
  estimates: [{ meter: "service.requests", quantity: 1n }] as const,
});

/** What one inference request writes. */
function eventOf(requestId: RequestId, admittedAt = new Date()): UsageRecord {
  return {
    id: `${requestId}:requests`,
    meter: "service.requests",
    quantity: 1n,
    time: new Date(),
    admittedAt,
    requestId,
    keyId: null,
    dimensions: { deployment: "digits", model: "mnist", model_version: "1", service: "inference" },
  };
}

/** The reservation alone counts; it is released outside of the measured time. */
const timeReserve = (ledger: Ledger, project: ProjectId) => async (): Promise<number> => {
  const claim = claimOf(project);
  const before = performance.now();
  const reservation = await ledger.reserve(claim);
  const took = performance.now() - before;
  await ledger.release(reservation);
  return took;
};

/** The settlement of a request whose claim is not in the measured time. */
const timeSettle = (ledger: Ledger, projectId: ProjectId) => async (): Promise<number> => {
  const claim = claimOf(projectId);
  const event = eventOf(claim.requestId);
  const before = performance.now();
  await ledger.settle({ ...claim, limits: [], admittedAt: event.admittedAt }, [event]);
  return performance.now() - before;
};

async function reserveAndSettle(ledger: Ledger, project: ProjectId): Promise<void> {
  const reservation = await ledger.reserve(claimOf(project));
  await ledger.settle(reservation, [eventOf(reservation.requestId, reservation.admittedAt)]);
}

/** One multi-row insert, committed durably: nothing of the ledger but its rows. */
async function insertBare(db: Database, project: ProjectId, events: readonly UsageRecord[]): Promise<void> {
  const rows = events.map(
    (event) => sql`(${project}, 'gristmill', ${event.id}, ${event.meter}, ${String(event.quantity)}, ${event.time},
      ${event.admittedAt}, ${event.requestId}, ${event.keyId}, ${JSON.stringify(event.dimensions)})`,
  );
  await sql`insert into bare (project_id, source, id, meter, quantity, time, admitted_at, request_id, key_id, dimensions)
    values ${sql.join(rows)}`.execute(db);
}

/** A month of events in every group, and how long it takes to report them priced. */
async function measureReports(db: Database, projectId: ProjectId, events: number): Promise<void> {
  const first = new Date("2026-01-01T00:00:00Z");
  await sql`select usage_event_partition(${first})`.execute(db);
  await sql`
    insert into usage_event (project_id, source, id, meter, quantity, time, admitted_at, request_id, dimensions)
    select ${projectId}, 'gristmill', 'bench:' || n, (${meterNames}::text[])[n % 5 + 1], (n % 1000 + 1) / 1000.0, moment, moment, 'req_' || n,
      jsonb_build_object('deployment', 'deployment-' || n % 20, 'model', 'model-' || n % 10, 'hardware', 'cpu-' || n % 3)
    from generate_series(1, ${events}::integer) as n,
      lateral (select ${first}::timestamptz + n * (interval '30 days' / ${events}::float8) as moment) as at`.execute(
    db,
  );
  await sql`vacuum analyze usage_event`.execute(db);
  const billing = new BillingService(db, newId);
  const span = { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" };
  console.log(`GET /api/usage over ${events} events of one project, ms (middle of ${rounds}):`);
  for (const [name, query] of [
    ["a month, by meter", { ...span, group_by: ["meter" as const] }],
    [
      "a month, by meter, model, deployment",
      { ...span, group_by: ["meter" as const, "model" as const, "deployment" as const] },
    ],
    ["a month in days, by model", { ...span, window: "day" as const, group_by: ["model" as const] }],
    [
      "one day of the month, in hours",
      { from: span.from, to: "2026-01-02T00:00:00Z", window: "hour" as const, group_by: [] },
    ],
  ] as const) {
    const times: number[] = [];
    let rows = 0;
    for (let round = 0; round < rounds; round++) {
      const before = performance.now();
      rows = (await billing.usage(projectId, { ...query, group_by: [...query.group_by] })).data.length;
      times.push(performance.now() - before);
    }
    console.log(
      `${name.padEnd(40)} ${times
        .toSorted((a, b) => a - b)[1]
        ?.toFixed(0)
        .padStart(6)}   (${rows} rows)`,
    );
  }
}
