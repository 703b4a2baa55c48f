/** @file Rules of datasets: see README.md. */
import {
  AppError,
  type CreateDataset,
  type Dataset,
  type DatasetPreview,
  type KeyId,
  type ListQuery,
  type Page,
  type PreviewQuery,
  type ProjectId,
  type RequestId,
  type UploadDataset,
} from "@gristmill/contract";
import { pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { Datasets, DatasetUse, PinnedDataset, SplitFiles } from "./datasets.ts";
import type { ImportStore } from "./import-store.ts";
import type { Importer } from "./importer.ts";
import { findSplit, previewRecords } from "./preview.ts";
import type { DatasetRow, DatasetStore, VersionWithSplits } from "./store.ts";
import type { Upload } from "./upload.ts";
import { datasetToWire, versionToWire } from "./wire.ts";

/** Who asks for an import, and at which prices. */
export interface ImportRequest {
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  readonly requestId: RequestId;
  readonly admittedAt: Date;
}

/** What the service is made from. */
export interface DatasetServiceParts {
  readonly store: DatasetStore;
  readonly imports: ImportStore;
  readonly importer: Importer;
  readonly objects: ObjectStore;
  readonly newId: NewId;
  /** @throws AppError when the project may not store more. */
  readonly checkPaid: (projectId: ProjectId) => Promise<void>;
  /** Imports of one project that may be under way at the same time. */
  readonly importsAtOnce: number;
  /** Splits of one dataset. */
  readonly splits: number;
}

/** Datasets of all projects; every method is told which. */
export class DatasetService implements Datasets {
  readonly #parts: DatasetServiceParts;
  readonly #uses: DatasetUse[] = [];

  constructor(parts: DatasetServiceParts) {
    this.#parts = parts;
  }

  /** Begins an import from a package; it goes on in the background, and after a restart. */
  async importPackage(request: ImportRequest, input: CreateDataset): Promise<Dataset> {
    const { splits } = this.#parts;
    const wanted = Object.keys(input.source.splits).length;
    if (wanted === 0 || wanted > splits)
      throw new AppError("request.invalid", `source.splits: expected 1 to ${splits} splits, received ${wanted}.`);
    const row = await this.#insert(request, input, input.source);
    this.#parts.importer.resume(row);
    return datasetToWire(row, undefined);
  }

  /** Imports an upload; resolves when the dataset is ready. @throws AppError what is wrong with it; the dataset then says so too. */
  async importUpload(request: ImportRequest, upload: Upload, signal: AbortSignal): Promise<Dataset> {
    const row = await this.#insert(request, upload.fields, { type: "upload" });
    await this.#parts.importer.receive(row, upload.files, signal);
    return await this.get(request.projectId, row.id);
  }

  async list(projectId: ProjectId, query: ListQuery): Promise<Page<Dataset>> {
    const rows = await this.#parts.store.list(projectId, query);
    const versions = await this.#parts.store.latestVersions(
      projectId,
      rows.map((row) => row.id),
    );
    return pageOf(rows, query.limit, (row) => datasetToWire(row, versions.get(row.id)));
  }

  async get(projectId: ProjectId, nameOrId: string): Promise<Dataset> {
    const row = await this.#find(projectId, nameOrId);
    return datasetToWire(row, await this.#latest(projectId, row));
  }

  /** @throws AppError `dataset.in_use` naming the runs. */
  async delete(projectId: ProjectId, nameOrId: string): Promise<string> {
    const { importer, store } = this.#parts;
    const row = await this.#find(projectId, nameOrId);
    const users = (await Promise.all(this.#uses.map((use) => use(projectId, row.id)))).flat();
    if (users.length > 0)
      throw new AppError("dataset.in_use", `The dataset "${row.name}" is used by ${users.slice(0, 10).join(", ")}.`, {
        details: { used_by: users.slice(0, 100) },
      });
    await importer.cancel(row.id);
    if (!(await store.delete(projectId, row.id))) throw notFound(nameOrId);
    await importer.releaseObjects();
    return row.id;
  }

  async preview(projectId: ProjectId, nameOrId: string, query: PreviewQuery): Promise<DatasetPreview> {
    const version = await this.#ready(projectId, await this.#find(projectId, nameOrId));
    return await previewRecords(this.#parts.objects, version, query);
  }

  async pin(projectId: ProjectId, nameOrId: string): Promise<PinnedDataset> {
    const row = await this.#find(projectId, nameOrId);
    const version = await this.#ready(projectId, row);
    return {
      datasetId: row.id,
      name: row.name,
      licence: row.licence,
      source: row.source,
      version: versionToWire(version),
      objects: Object.fromEntries(
        version.splits.map((split) => [split.name, { images: split.images_object, labels: split.labels_object }]),
      ),
    };
  }

  async splitFiles(projectId: ProjectId, versionId: string, splitName: string): Promise<SplitFiles> {
    const { objects, store } = this.#parts;
    const version = await store.findVersion(projectId, versionId);
    if (version === undefined) throw notFound(versionId);
    const split = findSplit(version, splitName);
    await objects.verify(split.images_object);
    await objects.verify(split.labels_object);
    const [height = 1, width = 1, channels = 1] = version.record_shape;
    const file = async (sha256: string, offset: number) =>
      ({ path: await objects.path(sha256), sha256, offset, dtype: "uint8" }) as const;
    return {
      images: {
        ...(await file(split.images_object, split.images_offset)),
        shape: [split.records, height, width, channels],
      },
      labels: { ...(await file(split.labels_object, split.labels_offset)), shape: [split.records] },
    };
  }

  registerUse(use: DatasetUse): void {
    this.#uses.push(use);
  }

  async #insert(request: ImportRequest, input: UploadDataset, source: Record<string, unknown>): Promise<DatasetRow> {
    const { imports, importer, newId, importsAtOnce, checkPaid } = this.#parts;
    await checkPaid(request.projectId);
    const inserted = await imports.insert(
      {
        id: newId("dataset"),
        project_id: request.projectId,
        name: input.name,
        licence: input.licence ?? null,
        notes: input.notes ?? null,
        labels: input.labels ?? {},
        source,
        class_names: input.class_names ?? null,
        version_id: newId("datasetVersion"),
        key_id: request.keyId,
        request_id: request.requestId,
        admitted_at: request.admittedAt,
      },
      importer.owner,
      importsAtOnce,
    );
    if (inserted === "name_taken")
      throw new AppError("dataset.name_taken", `This project already has a dataset named "${input.name}".`);
    if (inserted === "too_many")
      throw new AppError("data.busy", `This project has ${importsAtOnce} imports under way, the most at a time.`);
    return inserted;
  }

  async #find(projectId: ProjectId, nameOrId: string): Promise<DatasetRow> {
    const row = await this.#parts.store.findByNameOrId(projectId, nameOrId);
    if (row === undefined) throw notFound(nameOrId);
    return row;
  }

  async #latest(projectId: ProjectId, row: DatasetRow): Promise<VersionWithSplits | undefined> {
    return (await this.#parts.store.latestVersions(projectId, [row.id])).get(row.id);
  }

  async #ready(projectId: ProjectId, row: DatasetRow): Promise<VersionWithSplits> {
    const version = await this.#latest(projectId, row);
    if (version !== undefined) return version;
    const why = row.error === null ? "it is being imported" : `its import failed: ${row.error.message}`;
    throw new AppError("dataset.not_ready", `The dataset "${row.name}" is not ready: ${why}`, {
      details: { status: row.status, progress: row.progress, error: row.error },
    });
  }
}

const notFound = (nameOrId: string): AppError =>
  new AppError("dataset.not_found", `There is no dataset "${nameOrId.slice(0, 100)}" in this project.`);
