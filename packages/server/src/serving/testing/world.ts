/** @file A server's ground for tests of serving: real database, objects, registry, ledger and child processes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { createChildren } from "../../children/index.ts";
import type { Ground, Log } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { createMetering, type PolicySources } from "../../metering/index.ts";
import { createModels, type Models } from "../../models/index.ts";
import { createGuardedFetch } from "../../net/index.ts";
import { fileObjectStore } from "../../objects/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../../testing/database.ts";
import { createUpstreams } from "../../upstreams/index.ts";
import { Fleet } from "../fleet.ts";
import { ReplicaMeter } from "../replica-meter.ts";
import { ReplicaStore } from "../replica-store.ts";
import { ServingService } from "../service.ts";
import { ServingStore } from "../store.ts";

const quiet = (): void => undefined;
const log: Log = { info: quiet, warn: quiet, error: quiet };

/** One start of the server's serving half. */
export interface Running {
  readonly serving: ServingService;
  readonly models: Models;
  stop(): Promise<void>;
}

/** What a test may choose of a start. */
export interface StartOptions {
  readonly policy?: PolicySources;
  readonly drainMs?: number;
  readonly unpaidCheckMs?: number;
}

/** What a test works in; several starts may follow each other in it. */
export interface World extends Pick<TestDatabase, "db" | "connection"> {
  readonly folder: string;
  readonly projectId: ProjectId;
  start(options?: StartOptions): Promise<Running>;
  /** Usage events of replicas. */
  seconds(): Promise<{ id: string; quantity: string; dimensions: Record<string, string> }[]>;
  close(): Promise<void>;
}

/** Opens a world. `close` it at the end. */
export async function openWorld(): Promise<World> {
  const { db, connection, close } = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), "gristmill-serving-"));
  const projectId = await insertTestProject(db);
  const running = new Set<Running>();
  return {
    db,
    connection,
    folder,
    projectId,
    async start({ policy, drainMs, unpaidCheckMs } = {}) {
      const ground: Ground = { now: () => new Date(), newId, log };
      const objects = await fileObjectStore(join(folder, "objects"));
      const children = createChildren({ folder: join(folder, "children"), now: ground.now, log });
      await children.endLeftovers();
      const metering = createMetering({ db, now: ground.now, log, ...(policy === undefined ? {} : { policy }) });
      await metering.start();
      const { models } = createModels({ ground, db, objects });
      const { upstreams } = createUpstreams({
        ground,
        db,
        secrets: createSecretBox("a test's"),
        fetch: createGuardedFetch({ allowedAddresses: [] }),
        allowedAddresses: [],
      });
      const store = new ServingStore(db);
      const replicas = new ReplicaStore(db);
      const meter = new ReplicaMeter({
        store: replicas,
        ledger: metering.ledger,
        log,
        ...(drainMs === undefined ? {} : { drainMs }),
      });
      const fleet = new Fleet({
        ground,
        store,
        replicas,
        models,
        meter,
        children,
        upstreams,
        ...(unpaidCheckMs === undefined ? {} : { unpaidCheckMs }),
      });
      const serving = new ServingService({ ground, db, models, upstreams, fleet });
      await meter.start();
      await serving.start();
      const one: Running = {
        serving,
        models,
        async stop() {
          if (!running.delete(one)) return;
          await serving.stop();
          await meter.stop();
          await children.stop();
          await metering.stop();
        },
      };
      running.add(one);
      return one;
    },
    async seconds() {
      const { rows } = await sql<{ id: string; quantity: string; dimensions: Record<string, string> }>`
        select id, quantity::text, dimensions from usage_event
        where meter = 'deployment.replica_seconds' order by time, id`.execute(db);
      return rows;
    },
    async close() {
      for (const one of running) await one.stop();
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer is yes. */
export async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return;
    await sleep(20);
  }
  throw new Error(`waited 20 s in vain until ${what}`);
}

/** Waits until a deployment has a status. */
export async function untilStatus(
  { serving }: Running,
  projectId: ProjectId,
  name: string,
  status: Deployment["status"],
): Promise<Deployment> {
  let last: Deployment | undefined;
  await until(async () => {
    last = await serving.get(projectId, name);
    return last.status === status;
  }, `${name} is ${status}`).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
  if (last === undefined) throw new Error("not asked");
  return last;
}
