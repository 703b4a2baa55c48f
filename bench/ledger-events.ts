/** @file Events of others: `POST /api/events` over loopback, beside the ledger alone and a bare insert of the same rows. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../packages/server/src/db/index.ts";
import { createEvents } from "../packages/server/src/events/index.ts";
import { newId } from "../packages/server/src/ids.ts";
import type { Ledger, UsageRecord } from "../packages/server/src/metering/index.ts";
import { testHttp } from "../packages/server/src/testing/test-http.ts";
import type { EventLoad, EventLoadResult } from "./ledger-events.load.ts";
import { type Figure, figureOf, printFigures, repeat } from "./ledger-figures.ts";

const log = { info: () => {}, warn: () => {}, error: console.error };
const batch = 100;

/** What is measured. */
export interface EventsBench {
  readonly db: Database;
  readonly ledger: Ledger;
  readonly project: ProjectId;
  readonly seconds: number;
  readonly insertBare: (db: Database, project: ProjectId, events: readonly UsageRecord[]) => Promise<void>;
}

/** Prints the figures. @throws when an answer was not what it should be, or the ledger holds other than what was accepted. */
export async function measureEvents({ db, ledger, project, seconds, insertBare }: EventsBench): Promise<void> {
  const feature = createEvents({ ground: { now: () => new Date(), newId, log }, db, ledger, retentionMonths: 0 });
  const http = await testHttp(feature.routes, { bench: { projectId: project } });
  try {
    const origin = `http://127.0.0.1:${await http.listen("127.0.0.1", 0)}`;
    await makeMeter(origin);
    const load = (connections: number, events: number) =>
      send({ origin, key: "bench", connections, seconds, batch: events, name: newId("request") });
    const batchOf = (size: number) => Array.from({ length: size }, recordOf);
    const call = (size: number) => () => ledger.record(project, batchOf(size));
    const bare = (size: number) => () => insertBare(db, project, batchOf(size));
    const ms = seconds * 1000;
    await load(4, batch); // plans, caches, compiled code
    const figures: Record<string, Figure> = {
      [`POST /api/events, batches of ${batch}, 1 connection`]: await load(1, batch),
      [`POST /api/events, batches of ${batch}, 4 connections`]: await load(4, batch),
      [`ledger alone, batches of ${batch}, 4 callers`]: await repeat(call(batch), 4, ms, batch),
      [`bare insert of ${batch} rows`]: await repeat(bare(batch), 1, ms, batch),
      "POST /api/events, single, 1 connection": await load(1, 1),
      "POST /api/events, single, 64 connections": await load(64, 1),
      "ledger alone, single, 64 callers": await repeat(call(1), 64, ms, 1),
      "bare insert of 1 row, 1 caller": await repeat(bare(1), 1, ms, 1),
    };
    printFigures(figures);
    const ratio = (one: string, other: string) =>
      console.log(
        `${one} / ${other}: ${((figures[one]?.perSecond ?? 0) / (figures[other]?.perSecond ?? 1)).toFixed(2)}`,
      );
    console.log();
    ratio(`POST /api/events, batches of ${batch}, 4 connections`, `bare insert of ${batch} rows`);
    ratio("POST /api/events, single, 64 connections", "bare insert of 1 row, 1 caller");
    console.log("\nThe client is a process of its own on the same cores.\n");
  } finally {
    await http.stop(0);
  }
  const { rows } = await sql<{ events: string; keys: string; sums: string }>`
    select (select count(*) from usage_event where source = 'bench/load') as events,
      (select count(*) from usage_event_key where source = 'bench/load') as keys,
      (select sum(events) from usage_hour where meter = 'bench.tokens') as sums`.execute(db);
  const { events, keys, sums } = rows[0] ?? {};
  if (events !== keys || Number(sums) < Number(events))
    throw new Error(`${events} events, ${keys} keys, ${sums} summed`);
}

async function makeMeter(origin: string): Promise<void> {
  const answer = await fetch(`${origin}/api/meters`, {
    method: "POST",
    headers: { authorization: "Bearer bench", "content-type": "application/json" },
    body: JSON.stringify({
      name: "bench.tokens",
      event_type: "bench.tokens",
      aggregation: "sum",
      value_property: "$.tokens",
      dimensions: { model: "$.model", deployment: "$.deployment" },
    }),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
}

let records = 0;
const ledgerRun = newId("request");

/** What such an event writes. */
function recordOf(): UsageRecord {
  const n = records++;
  const time = new Date();
  const dimensions = { model: `model-${n % 10}`, deployment: `deployment-${n % 20}` };
  return {
    id: `${ledgerRun}-${n}`,
    source: "bench/ledger",
    meter: "bench.tokens",
    quantity: String(1 + (n % 900)),
    time,
    admittedAt: time,
    requestId: null,
    keyId: null,
    dimensions,
    rollUpBy: ["model", "deployment"],
    original: JSON.stringify({ specversion: "1.0", id: `${n}`, type: "bench.tokens", data: dimensions }),
  };
}

async function send(load: EventLoad): Promise<Figure> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "ledger-events.load.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(load));
  const { latencies, failures, busyMs } = (await json(child.stdout)) as EventLoadResult;
  if (Object.keys(failures).length > 0) throw new Error(`unexpected answers: ${JSON.stringify(failures)}`);
  return figureOf(latencies, load.batch, busyMs);
}
