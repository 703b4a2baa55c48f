/** @file data: datasets, their import, and where their records are. Rules [DAT…] are in README.md. */
import { join } from "node:path";
import type { Kysely } from "kysely";
import type { Feature, Ground } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { Storage } from "../storage/index.ts";
import type { Datasets } from "./datasets.ts";
import { ImportStore } from "./import-store.ts";
import { Importer } from "./importer.ts";
import { type NpmClient, npmClient } from "./npm-client.ts";
import { datasetRoutes } from "./routes.ts";
import { DatasetService } from "./service.ts";
import { DatasetStore } from "./store.ts";

export type { Datasets, DatasetUse, PinnedDataset, RecordFile, SplitFiles } from "./datasets.ts";
export type { NpmClient } from "./npm-client.ts";

/** Bounds of imports. */
export interface DataLimits {
  /** Bytes of one file, unpacked. */
  readonly fileBytes: number;
  /** Bytes of one dataset, unpacked. */
  readonly totalBytes: number;
  /** Bytes of one record. */
  readonly recordBytes: number;
  readonly splits: number;
  /** Imports under way in one project. */
  readonly importsAtOnce: number;
  /** Packages that are read at the same time, all projects together. */
  readonly packagesAtOnce: number;
}

/** 2 GiB a file, 8 GiB and 16 splits a dataset, 16 MiB a record, 16 imports a project, 2 packages at a time. */
export const defaultDataLimits: DataLimits = {
  fileBytes: 2 * 2 ** 30,
  totalBytes: 8 * 2 ** 30,
  recordBytes: 16 * 2 ** 20,
  splits: 16,
  importsAtOnce: 16,
  packagesAtOnce: 2,
};

/** What datasets are made from. */
export interface DataParts {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly objects: ObjectStore;
  readonly ledger: Ledger;
  /** Asked before an import begins, and told what datasets keep; left out: nobody counts what is stored. */
  readonly storage?: Pick<Storage, "addKeeper" | "checkPaid">;
  /** GRISTMILL_HOME; work folders are under `work/imports`. */
  readonly home: string;
  readonly limits?: Partial<DataLimits>;
  /** Where installed packages are looked for, upwards; default: this package. */
  readonly packagesFrom?: string;
  /** Default: the npm of this machine. */
  readonly npm?: NpmClient;
  /** Between two heartbeats of an import; default 1 s. */
  readonly heartbeatMs?: number;
}

/** Datasets with their routes. `start` takes up what a killed process left; `stop` ends imports, which go on at the next start. */
export function createData(parts: DataParts): Feature & {
  readonly datasets: Datasets;
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const { ground, db, objects, ledger, home } = parts;
  const limits = { ...defaultDataLimits, ...parts.limits };
  const imports = new ImportStore(db);
  const importer = new Importer({
    store: imports,
    db,
    objects,
    ledger,
    now: ground.now,
    log: ground.log,
    work: join(home, "work", "imports"),
    packages: {
      from: parts.packagesFrom ?? import.meta.dirname,
      npm: parts.npm ?? npmClient({ env: process.env, limitBytes: limits.fileBytes }),
      totalBytes: limits.totalBytes,
    },
    limits,
    atOnce: limits.packagesAtOnce,
    heartbeatMs: parts.heartbeatMs ?? 1000,
  });
  const store = new DatasetStore(db);
  parts.storage?.addKeeper(() => store.storedBytes());
  const datasets = new DatasetService({
    store,
    checkPaid: async (projectId) => parts.storage?.checkPaid(projectId),
    imports,
    importer,
    objects,
    newId: ground.newId,
    importsAtOnce: limits.importsAtOnce,
    splits: limits.splits,
  });
  return {
    datasets,
    routes: datasetRoutes(datasets, limits.splits),
    start: () => importer.start(),
    stop: () => importer.stop(),
  };
}
