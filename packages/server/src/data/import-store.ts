/** @file What imports write. An import's lease is its owner's name: writes of an owner who lost it change nothing. */
import type { ProjectId } from "@gristmill/contract";
import { type Insertable, type Kysely, sql, type Transaction } from "kysely";
import { lockObject } from "../objects/index.ts";
import { type Manifest, objectsOf } from "./manifest.ts";
import {
  type DatasetRow,
  type DatasetTable,
  type DataTables,
  deleteRows,
  type ImportError,
  queueRelease,
} from "./store.ts";

/** How long an owner may be silent before another takes over. */
const lease = sql<Date>`now() + interval '30 seconds'`;

/** Whose import it is. */
export interface Claim {
  readonly datasetId: string;
  readonly owner: string;
}

/** Why a new import was refused. */
export type Refusal = "name_taken" | "too_many";

/** The rows of imports. */
export class ImportStore {
  readonly #db: Kysely<DataTables>;

  constructor(db: Kysely<unknown>) {
    this.#db = db.withTables<DataTables>();
  }

  /** Adds the row, held by `owner`. A failed import of the same name makes room. */
  async insert(
    row: Omit<Insertable<DatasetTable>, "status" | "lease_until">,
    owner: string,
    importsAtOnce: number,
  ): Promise<DatasetRow | Refusal> {
    const projectId = row.project_id as ProjectId;
    return await this.#db.transaction().execute(async (tx) => {
      // Creators of one project go one after the other, so that the count below holds.
      await sql`select from project where id = ${projectId} for update`.execute(tx);
      const { count } = await tx
        .selectFrom("dataset")
        .select(({ fn }) => fn.countAll<string>().as("count"))
        .where("project_id", "=", projectId)
        .where("status", "=", "importing")
        .executeTakeFirstOrThrow();
      if (Number(count) >= importsAtOnce) return "too_many";
      const same = await tx
        .selectFrom("dataset")
        .select(["id", "status"])
        .where("project_id", "=", projectId)
        .where("name", "=", row.name)
        .executeTakeFirst();
      if (same !== undefined && same.status !== "failed") return "name_taken";
      if (same !== undefined) await deleteRows(tx, projectId, same.id);
      return await tx
        .insertInto("dataset")
        .values({ ...row, status: "importing", owner, lease_until: lease, attempts: 1 })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  /** Start-up and the watch over leases, which act for all projects: takes what nobody holds, or at start everything. */
  async takeOver(
    owner: string,
    options: { readonly all: boolean; readonly except: readonly string[] },
  ): Promise<DatasetRow[]> {
    let query = this.#db
      .updateTable("dataset")
      .set({ owner, lease_until: lease, attempts: sql`attempts + 1` })
      .where("status", "=", "importing");
    if (!options.all) query = query.where("lease_until", "<", sql<Date>`now()`);
    if (options.except.length > 0) query = query.where("id", "not in", [...options.except]);
    return await query.returningAll().execute();
  }

  /** Resolves to false when another owner has taken over, or the dataset is gone. */
  async heartbeat(claim: Claim, progress: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#held(claim).set({ lease_until: lease, progress }).executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** From here on the import can be finished by anyone who finds the row: all files are checked and durable. */
  async setPrepared(claim: Claim, manifest: Manifest, source: Record<string, unknown>): Promise<boolean> {
    const { numUpdatedRows } = await this.#held(claim)
      .set({
        prepared: manifest,
        prepared_objects: [...objectsOf(manifest)],
        source,
        lease_until: lease,
      })
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Back to the beginning: what was prepared is no longer there. */
  async forgetPrepared(claim: Claim): Promise<void> {
    await this.#held(claim).set({ prepared: null, prepared_objects: [] }).execute();
  }

  /** Runs work while nobody can free these objects. What is to keep them afterwards, `setPrepared`, is committed before. */
  async whileHolding(hashes: readonly string[], work: () => Promise<void>): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      for (const sha256 of hashes) await lockObject(tx as unknown as Transaction<unknown>, sha256);
      await work();
    });
  }

  /** In one transaction: adds the version, says ready. Resolves to false when the import is not ours. */
  async publish(dataset: DatasetRow, owner: string, manifest: Manifest): Promise<boolean> {
    return await this.#db.transaction().execute(async (tx) => {
      const held = await tx
        .selectFrom("dataset")
        .select("id")
        .where("id", "=", dataset.id)
        .where("owner", "=", owner)
        .where("status", "=", "importing")
        .forUpdate()
        .executeTakeFirst();
      if (held === undefined) return false;
      await insertVersion(tx, dataset, manifest);
      await tx
        .updateTable("dataset")
        .set({
          status: "ready",
          progress: 1,
          error: null,
          prepared: null,
          prepared_objects: [],
          owner: null,
          lease_until: null,
        })
        .where("id", "=", dataset.id)
        .execute();
      return true;
    });
  }

  /** Says why; the name is free again for the next import. */
  async fail(claim: Claim, error: ImportError): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      const failed = await tx
        .selectFrom("dataset")
        .select("prepared_objects")
        .where("id", "=", claim.datasetId)
        .where("owner", "=", claim.owner)
        .where("status", "=", "importing")
        .forUpdate()
        .executeTakeFirst();
      if (failed === undefined) return;
      await queueRelease(tx, failed.prepared_objects);
      await tx
        .updateTable("dataset")
        .set({
          status: "failed",
          error,
          prepared: null,
          prepared_objects: [],
          owner: null,
          lease_until: null,
        })
        .where("id", "=", claim.datasetId)
        .execute();
    });
  }

  /** Objects that may have lost their last name. */
  async queuedReleases(): Promise<string[]> {
    const rows = await this.#db.selectFrom("dataset_object_release").select("sha256").orderBy("sha256").execute();
    return rows.map((row) => row.sha256);
  }

  async dropRelease(sha256: string): Promise<void> {
    await this.#db.deleteFrom("dataset_object_release").where("sha256", "=", sha256).execute();
  }

  /** Start-up's and deletion's question for all projects: equal bytes are one object, whoever owns the rows. */
  async isNamed(tx: Transaction<unknown>, sha256: string): Promise<boolean> {
    const { rows } = await sql<{ named: boolean }>`
      select exists (select from dataset_split where images_object = ${sha256} or labels_object = ${sha256})
          or exists (select from dataset where ${sha256} = any (prepared_objects)) as named`.execute(tx);
    return rows[0]?.named === true;
  }

  #held(claim: Claim) {
    return this.#db
      .updateTable("dataset")
      .where("id", "=", claim.datasetId)
      .where("owner", "=", claim.owner)
      .where("status", "=", "importing");
  }
}

async function insertVersion(tx: Transaction<DataTables>, dataset: DatasetRow, manifest: Manifest): Promise<void> {
  const projectId = dataset.project_id;
  await tx
    .insertInto("dataset_version")
    .values({
      id: dataset.version_id,
      project_id: projectId,
      dataset_id: dataset.id,
      version: 1,
      sha256: manifest.sha256,
      format: "idx",
      record_shape: [...manifest.recordShape],
      dtype: "uint8",
      class_names: [...manifest.classNames],
      size_bytes: String(manifest.sizeBytes),
    })
    .execute();
  await tx
    .insertInto("dataset_split")
    .values(
      manifest.splits.map((split, position) => ({
        version_id: dataset.version_id,
        project_id: projectId,
        position,
        name: split.name,
        records: split.records,
        class_counts: [...split.classCounts],
        sha256: split.sha256,
        size_bytes: String(split.sizeBytes),
        images_object: split.images.sha256,
        images_offset: split.images.offset,
        labels_object: split.labels.sha256,
        labels_offset: split.labels.offset,
      })),
    )
    .execute();
}
