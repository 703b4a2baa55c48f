/** @file training: runs, each in a process of its own. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Kysely } from "kysely";
import type { Children } from "../children/index.ts";
import type { Datasets } from "../data/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import type { Models } from "../models/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { Storage } from "../storage/index.ts";
import type { Timing } from "./attempt.ts";
import { runRoutes } from "./routes.ts";
import { type Capacity, Scheduler } from "./scheduler.ts";
import { Runs } from "./service.ts";
import { RunSignals } from "./signals.ts";
import { RunStore } from "./store.ts";

export type { Runs } from "./service.ts";

/** What training is made of. */
export interface TrainingDeps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly objects: ObjectStore;
  readonly datasets: Datasets;
  readonly models: Models;
  readonly ledger: Ledger;
  readonly children: Children;
  /** Told what checkpoints keep; left out: nobody counts what is stored. */
  readonly storage?: Pick<Storage, "addKeeper">;
  /** GRISTMILL_HOME: runs write under its `work/runs`. */
  readonly home: string;
  /** Default: all cores, a quarter as many runs at once, never busy. */
  readonly capacity?: Partial<Capacity>;
  readonly timing?: Partial<Timing>;
}

/** Training with its routes. `start` comes after `children.endLeftovers()`. */
export function createTraining(deps: TrainingDeps): Feature & { readonly runs: Runs } {
  const { ground, db, datasets, home } = deps;
  const store = new RunStore(db);
  deps.storage?.addKeeper(() => store.storedBytes());
  const signals = new RunSignals();
  const cores = deps.capacity?.cores ?? availableParallelism();
  const scheduler = new Scheduler(
    {
      ...deps,
      store,
      signals,
      folder: join(home, "work", "runs"),
      // Any id that no other process has; it is never read as a request.
      owner: ground.newId("request"),
      timing: {
        heartbeatMs: 2000,
        cancelGraceMs: 10_000,
        pauseMarginMs: 3000,
        pausedCheckMs: 30_000,
        retryMs: 1000,
        monotonicMs: () => performance.now(),
        ...deps.timing,
      },
    },
    { concurrency: Math.max(1, Math.floor(cores / 4)), busy: () => false, ...deps.capacity, cores },
  );
  datasets.registerUse((projectId, datasetId) => store.unfinishedOfDataset(projectId, datasetId));
  const runs = new Runs({ ground, store, datasets, scheduler, signals });
  return {
    runs,
    routes: runRoutes(runs),
    start: () => scheduler.start(),
    stop: () => scheduler.stop(),
  };
}
