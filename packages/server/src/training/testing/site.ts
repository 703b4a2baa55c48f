/** @file Training with all that it stands on, real, as the composition root makes it; in a test or in a process of its own. */
import { join } from "node:path";
import { type Children, createChildren } from "../../children/index.ts";
import { createData } from "../../data/index.ts";
import type { Database } from "../../db/index.ts";
import type { Ground } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { createMetering, type PolicySources } from "../../metering/index.ts";
import { createModels } from "../../models/index.ts";
import { fileObjectStore, type ObjectStore } from "../../objects/index.ts";
import { createTraining, type TrainingDeps } from "../index.ts";

/** A server's training, as the composition root makes it. */
export type Site = Awaited<ReturnType<typeof openSite>>;

const ground: Ground = { now: () => new Date(), newId, log: { info: () => {}, warn: () => {}, error: () => {} } };

/** What a test may choose. */
export interface SiteOptions extends Pick<TrainingDeps, "capacity" | "timing"> {
  readonly policy?: PolicySources;
}

/** Opens training on a database and a home; `pids` are those of the workers that it started. It does not start by itself. */
export async function openSite(db: Database, home: string, options: SiteOptions = {}) {
  const objects: ObjectStore = await fileObjectStore(join(home, "objects"));
  const { policy } = options;
  const metering = createMetering({
    db,
    now: ground.now,
    log: ground.log,
    ...(policy === undefined ? {} : { policy }),
  });
  await metering.start();
  const { ledger } = metering;
  const data = createData({ ground, db, objects, ledger, home });
  await data.start();
  const { models } = createModels({ ground, db, objects });
  const real = createChildren({ folder: join(home, "children"), ...ground });
  const pids: number[] = [];
  const children: Children = {
    ...real,
    async start(childOptions) {
      const child = await real.start(childOptions);
      pids.push(child.pid);
      return child;
    },
  };
  const training = createTraining({
    ground,
    db,
    objects,
    datasets: data.datasets,
    models,
    ledger,
    children,
    home,
    capacity: { cores: 2, concurrency: 1, ...options.capacity },
    timing: { heartbeatMs: 100, ...options.timing },
  });
  return {
    objects,
    models,
    datasets: data.datasets,
    dataRoutes: data.routes,
    training,
    runs: training.runs,
    pids,
    async start(): Promise<void> {
      await children.endLeftovers();
      await training.start?.();
    },
    async stop(): Promise<void> {
      await training.stop?.();
      await children.stop();
      await data.stop();
      await metering.stop();
    },
  };
}
