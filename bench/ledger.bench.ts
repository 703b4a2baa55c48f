/**
 * @file Metering speed: durable events a second, one at a time, 64 at once and in batches of 100, in the ledger and over
 * HTTP, beside a bare insert of the same rows with the same durability on the same database in the same run; then reports
 * over ten million events, beside the raw sum.
 * Arguments: `--seconds N` for each figure (default 3), `--events N` for the reports (default 10000000, 0: none).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { OrganizationId, ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import { createBilling } from "../packages/server/src/billing/index.ts";
import { type Database, openDatabase } from "../packages/server/src/db/index.ts";
import { newId } from "../packages/server/src/ids.ts";
import { createMetering, type Ledger, type UsageRecord } from "../packages/server/src/metering/index.ts";
import { measureEvents } from "./ledger-events.ts";
import { type Figure, middle, printFigures, repeat } from "./ledger-figures.ts";
import { measureReports } from "./ledger-reports.ts";

const log = { info: () => {}, warn: () => {}, error: console.error };
const callers = 64;
const organizationId: OrganizationId = "org_bench";
const rounds = 3;

/** Prints the figures; leaves nothing behind. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: "string", default: "3" }, events: { type: "string", default: "10000000" } },
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
  await sql`insert into organization (id, name) values (${organizationId}, 'bench')`.execute(db);
  await sql`insert into project (id, organization_id, name) values (${project}, ${organizationId}, 'bench')`.execute(
    db,
  );
  await sql`create table bare (like usage_event including defaults)`.execute(db);
  const policy = { prices: createBilling({ db }).prices, rules: [] };
  const metering = createMetering({ db, now: () => new Date(), log, policy });
  await metering.start();
  try {
    await measureWrites(db, metering.ledger, project, roundMs);
    await measureEvents({ db, ledger: metering.ledger, project, seconds: (roundMs * rounds) / 1000, insertBare });
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
  printFigures(middles);
  const ratio = (one: string, other: string) =>
    console.log(`${one} / ${other}: ${((middles[one]?.perSecond ?? 0) / (middles[other]?.perSecond ?? 1)).toFixed(2)}`);
  console.log();
  ratio("settle, 1 caller", "bare insert of 1 row");
  ratio(`settle, ${callers} callers`, `bare insert of ${callers} rows`);
  console.log(
    "\nThe bare table has no index, no unique key and no partition: what the ledger keeps beside is the difference.\n",
  );
}

const claimOf = (projectId: ProjectId) => ({
  requestId: newId("request"),
  organizationId,
  projectId,
  keyId: null,
  estimates: [{ meter: "service.requests", quantity: 1n, dimensions: { model: "mnist" } }] as const,
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
  await ledger.settle(claim, [event]);
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
