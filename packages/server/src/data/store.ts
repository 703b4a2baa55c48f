/** @file Rows of datasets and their versions. Every query names the project. */
import type { Dataset, ListQuery, ProjectId } from "@gristmill/contract";
import { type Generated, type Kysely, type Selectable, sql, type Transaction } from "kysely";
import type { Manifest } from "./manifest.ts";

/** Why an import failed, as the caller reads it. */
export interface ImportError {
  readonly code: string;
  readonly message: string;
}

/** One dataset, and its import while that lasts. Objects are jsonb. */
export type DatasetTable = {
  id: string;
  project_id: string;
  name: string;
  status: Dataset["status"];
  progress: Generated<number>;
  error: Generated<ImportError | null>;
  licence: string | null;
  notes: string | null;
  labels: Record<string, string>;
  source: Record<string, unknown>;
  class_names: string[] | null;
  created_at: Generated<Date>;
  version_id: string;
  key_id: string | null;
  request_id: string | null;
  admitted_at: Date;
  prepared: Generated<Manifest | null>;
  prepared_objects: Generated<string[]>;
  attempts: Generated<number>;
  owner: string | null;
  lease_until: Date | null;
};

/** An immutable version. */
export type VersionTable = {
  id: string;
  project_id: string;
  dataset_id: string;
  version: number;
  sha256: string;
  format: "idx";
  record_shape: number[];
  dtype: "uint8";
  class_names: string[];
  size_bytes: string;
  created_at: Generated<Date>;
};

/** A split of a version, and the objects that hold it. */
export type SplitTable = {
  version_id: string;
  project_id: string;
  position: number;
  name: string;
  records: number;
  class_counts: number[];
  sha256: string;
  size_bytes: string;
  images_object: string;
  images_offset: number;
  labels_object: string;
  labels_offset: number;
};

/** The tables of this feature. */
export type DataTables = {
  dataset: DatasetTable;
  dataset_version: VersionTable;
  dataset_split: SplitTable;
  dataset_object_release: { sha256: string; queued_at: Generated<Date> };
};

export type DatasetRow = Selectable<DatasetTable>;
export type SplitRow = Selectable<SplitTable>;
export type VersionRow = Selectable<VersionTable>;

/** A version with its splits in order of their names. */
export interface VersionWithSplits extends VersionRow {
  readonly splits: readonly SplitRow[];
}

/** Reads datasets, and deletes them. What an import writes is in import-store.ts. */
export class DatasetStore {
  readonly #db: Kysely<DataTables>;

  constructor(db: Kysely<unknown>) {
    this.#db = db.withTables<DataTables>();
  }

  /** Bytes of all versions, by project. */
  async storedBytes(): Promise<ReadonlyMap<ProjectId, bigint>> {
    const rows = await this.#db
      .selectFrom("dataset_version")
      .select(["project_id", sql<string>`sum(size_bytes)`.as("bytes")])
      .groupBy("project_id")
      .execute();
    return new Map(rows.map((row) => [row.project_id as ProjectId, BigInt(row.bytes)]));
  }

  async findByNameOrId(projectId: ProjectId, nameOrId: string): Promise<DatasetRow | undefined> {
    return await this.#db
      .selectFrom("dataset")
      .selectAll()
      .where("project_id", "=", projectId)
      .where((where) => where.or([where("id", "=", nameOrId), where("name", "=", nameOrId)]))
      // A dataset may be named like another's id; the id wins.
      .orderBy((order) => order.case().when("id", "=", nameOrId).then(0).else(1).end())
      .limit(1)
      .executeTakeFirst();
  }

  /** One row more than asked for, when there are more. */
  async list(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<DatasetRow[]> {
    let query = this.#db.selectFrom("dataset").selectAll().where("project_id", "=", projectId);
    if (after !== undefined) query = query.where("id", order === "asc" ? ">" : "<", after);
    return await query
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  async findVersion(projectId: ProjectId, versionId: string): Promise<VersionWithSplits | undefined> {
    const version = await this.#db
      .selectFrom("dataset_version")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", versionId)
      .executeTakeFirst();
    return version && (await this.#withSplits(projectId, [version]))[0];
  }

  /** The latest version of each dataset that has one. */
  async latestVersions(projectId: ProjectId, datasetIds: readonly string[]): Promise<Map<string, VersionWithSplits>> {
    if (datasetIds.length === 0) return new Map();
    const versions = await this.#db
      .selectFrom("dataset_version")
      .selectAll()
      .distinctOn("dataset_id")
      .where("project_id", "=", projectId)
      .where("dataset_id", "in", [...datasetIds])
      .orderBy("dataset_id")
      .orderBy("version", "desc")
      .execute();
    const whole = await this.#withSplits(projectId, versions);
    return new Map(whole.map((version) => [version.dataset_id, version]));
  }

  /** Deletes the rows and notes their objects as perhaps free, in one transaction. Resolves to false when there is no such dataset. */
  async delete(projectId: ProjectId, datasetId: string): Promise<boolean> {
    return await this.#db.transaction().execute((tx) => deleteRows(tx, projectId, datasetId));
  }

  async #withSplits(projectId: ProjectId, versions: readonly VersionRow[]): Promise<VersionWithSplits[]> {
    if (versions.length === 0) return [];
    const splits = await this.#db
      .selectFrom("dataset_split")
      .selectAll()
      .where("project_id", "=", projectId)
      .where(
        "version_id",
        "in",
        versions.map((version) => version.id),
      )
      .orderBy("position")
      .execute();
    return versions.map((version) => ({
      ...version,
      splits: splits.filter((split) => split.version_id === version.id),
    }));
  }
}

/** Also used where a new import takes the name of a failed one. */
export async function deleteRows(
  tx: Transaction<DataTables>,
  projectId: ProjectId,
  datasetId: string,
): Promise<boolean> {
  const dataset = await tx
    .selectFrom("dataset")
    .select("prepared_objects")
    .where("project_id", "=", projectId)
    .where("id", "=", datasetId)
    .forUpdate()
    .executeTakeFirst();
  if (dataset === undefined) return false;
  const versions = tx
    .selectFrom("dataset_version")
    .select("id")
    .where("project_id", "=", projectId)
    .where("dataset_id", "=", datasetId);
  const splits = await tx
    .deleteFrom("dataset_split")
    .where("version_id", "in", versions)
    .returning(["images_object", "labels_object"])
    .execute();
  await queueRelease(tx, [
    ...dataset.prepared_objects,
    ...splits.flatMap((split) => [split.images_object, split.labels_object]),
  ]);
  await tx
    .deleteFrom("dataset_version")
    .where("project_id", "=", projectId)
    .where("dataset_id", "=", datasetId)
    .execute();
  await tx.deleteFrom("dataset").where("project_id", "=", projectId).where("id", "=", datasetId).execute();
  return true;
}

/** Notes objects that may have lost their last name. */
export async function queueRelease(tx: Transaction<DataTables>, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  await tx
    .insertInto("dataset_object_release")
    .values([...new Set(hashes)].map((sha256) => ({ sha256 })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
