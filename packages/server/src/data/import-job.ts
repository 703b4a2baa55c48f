/**
 * @file One import, from a claimed row to a version. Each step leaves a state from which another process can go on:
 * files arrive -> all checked and durable, the row says what the version will be ("prepared") -> objects moved in ("adopted")
 * -> usage recorded -> published.
 */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type KeyId, type ProjectId, type RequestId } from "@gristmill/contract";
import type { Log } from "../feature.ts";
import type { Ledger, MeteredQuantity } from "../metering/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { IdxKind, IdxLimits } from "./idx.ts";
import type { Claim, ImportStore } from "./import-store.ts";
import { assembleManifest, type Manifest, objectsOf, type StagedFile, type StagedSplit } from "./manifest.ts";
import { type PackageReader, type PackageSource, readPackage } from "./package-source.ts";
import { type IncomingFile, Staging, titleOf } from "./staging.ts";
import type { DatasetRow } from "./store.ts";

/** What an import works with. */
export interface ImportTools {
  readonly store: ImportStore;
  readonly objects: ObjectStore;
  readonly ledger: Ledger;
  readonly now: () => Date;
  readonly log: Log;
  /** Folder of all imports' work folders. */
  readonly work: string;
  readonly packages: PackageReader;
  readonly limits: IdxLimits & { readonly totalBytes: number };
}

/** Another process has taken the import over, or the dataset is gone: nothing more may be written. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** What was prepared is not on this machine: restored from a backup, or a work folder was removed. */
export class PreparedLost extends Error {
  override readonly name = "PreparedLost";
}

/** How far an attempt came. From "prepared" on any process can finish; after "adopted" nothing about the data can fail any more. */
export type ImportStage = "reading" | "prepared" | "adopted";

/** Share of an import that is left for the last steps. */
const lastSteps = 0.05;

/** One attempt at one import. */
export class ImportJob {
  readonly row: DatasetRow;
  readonly claim: Claim;
  readonly #tools: ImportTools;
  readonly #signal: AbortSignal;
  readonly #staging: Staging;
  readonly #files = new Map<string, StagedFile>();
  #stagedBytes = 0;
  #progress = 0;
  #stage: ImportStage = "reading";

  constructor(tools: ImportTools, row: DatasetRow, owner: string, signal: AbortSignal) {
    this.row = row;
    this.claim = { datasetId: row.id, owner };
    this.#tools = tools;
    this.#signal = signal;
    this.#staging = new Staging(join(tools.work, row.version_id));
  }

  get stage(): ImportStage {
    return this.#stage;
  }

  /** 0 to 1. */
  get progress(): number {
    return this.#progress;
  }

  /** Imports the files of a package. */
  async fromPackage(source: PackageSource): Promise<void> {
    this.#stage = "reading";
    await this.#staging.open();
    const files = Object.keys(source.splits).length * 2;
    const download = join(this.#tools.work, `${this.row.version_id}.package`);
    try {
      const resolved = await readPackage(source, this.#tools.packages, (file) => this.#store(file, files), {
        work: download,
        signal: this.#signal,
      });
      await this.#prepare(Object.keys(source.splits), { ...source, ...resolved });
    } finally {
      await rm(download, { recursive: true, force: true });
    }
  }

  /** Imports files as they arrive. */
  async fromUpload(files: AsyncIterable<IncomingFile>): Promise<void> {
    await this.#staging.open();
    for await (const file of files) {
      if (this.#files.has(titleOf(file.split, file.kind)))
        throw new AppError("request.invalid", `The upload has "${titleOf(file.split, file.kind)}" twice.`);
      // How many files will come is not known before the last one.
      await this.#store(file, this.#files.size + 2);
    }
    const splits = [...new Set([...this.#files.keys()].map((title) => title.replace(/\.(images|labels)$/, "")))];
    await this.#prepare(splits, { type: "upload" });
  }

  /**
   * Moves the objects in, records the usage, publishes. In this order, with a usage id that every attempt shares, usage and
   * version are together exactly once: after the last step that can fail for good comes the record, and a death between
   * it and the publishing leaves a prepared row, whose next attempt records nothing new.
   * @throws PreparedLost when files are gone.
   */
  async finish(manifest: Manifest): Promise<void> {
    const { ledger, now, store } = this.#tools;
    this.#stage = "prepared";
    this.#signal.throwIfAborted();
    await store.whileHolding(objectsOf(manifest), () => this.#adopt(manifest));
    this.#stage = "adopted";
    const id = this.#usageId;
    await ledger.settle({ id, projectId: this.row.project_id as ProjectId }, [
      {
        id,
        ...this.#useOf(manifest),
        time: now(),
        admittedAt: this.row.admitted_at,
        requestId: this.row.request_id as RequestId | null,
        keyId: this.row.key_id as KeyId | null,
      },
    ]);
    if (!(await store.publish(this.row, this.claim.owner, manifest))) throw new LeaseLost();
    this.#progress = 1;
    await this.#staging.close();
  }

  /** Removes the work folder, and gives back the claim, of an import that will not go on. */
  async discard(): Promise<void> {
    const { ledger, log } = this.#tools;
    await ledger
      .release({ id: this.#usageId, projectId: this.row.project_id as ProjectId })
      .catch((err: unknown) => log.warn({ err, dataset: this.row.id }, "The claim of a failed import stays for now."));
    await this.#staging.close();
  }

  /** Of the usage event, and of the claim that comes before it. */
  get #usageId(): string {
    return `${this.row.version_id}:import`;
  }

  #useOf(manifest: Manifest): MeteredQuantity {
    return {
      meter: "data.bytes_processed",
      quantity: BigInt(manifest.sizeBytes),
      dimensions: { dataset: this.row.name, dataset_version: this.row.version_id },
    };
  }

  async #store(file: IncomingFile, ofFiles: number): Promise<void> {
    const { limits } = this.#tools;
    const done = this.#files.size;
    const staged = await this.#staging.store(file, {
      limits: { ...limits, fileBytes: Math.min(limits.fileBytes, limits.totalBytes - this.#stagedBytes) },
      classes: this.row.class_names?.length,
      signal: this.#signal,
      onProgress: (share) => {
        this.#progress = ((done + share) / ofFiles) * (1 - lastSteps);
      },
    });
    this.#stagedBytes += staged.sizeBytes;
    this.#files.set(titleOf(file.split, file.kind), staged);
  }

  async #prepare(splitNames: readonly string[], source: Record<string, unknown>): Promise<void> {
    const splits = splitNames.map((name) => this.#split(name));
    const manifest = assembleManifest(splits, this.row.class_names ?? undefined);
    // From "prepared" on nothing but the database can fail: so it must be paid before.
    await this.#tools.ledger.claim({
      id: this.#usageId,
      projectId: this.row.project_id as ProjectId,
      keyId: this.row.key_id as KeyId | null,
      estimates: [this.#useOf(manifest)],
      outlives: true,
    });
    this.#progress = 1 - lastSteps;
    this.#signal.throwIfAborted();
    if (!(await this.#tools.store.setPrepared(this.claim, manifest, source))) throw new LeaseLost();
    await this.finish(manifest);
  }

  #split(name: string): StagedSplit {
    const file = (kind: IdxKind): StagedFile => {
      const found = this.#files.get(titleOf(name, kind));
      if (found !== undefined) return found;
      throw new AppError("request.invalid", `Split "${name}" has no file "${titleOf(name, kind)}".`);
    };
    return { name, images: file("images"), labels: file("labels") };
  }

  /** A file that is no longer in the work folder was moved in by an earlier attempt. */
  async #adopt(manifest: Manifest): Promise<void> {
    const { objects } = this.#tools;
    for (const file of this.#placed(manifest)) {
      if (!(await exists(file.path))) {
        if (!(await objects.has(file.sha256))) throw new PreparedLost();
        continue;
      }
      const adopted = await objects.adopt(file.path);
      if (adopted.sha256 !== file.sha256)
        throw new AppError(
          "artifact.corrupt",
          `A file of the import changed on disk: expected sha256 ${file.sha256}, found ${adopted.sha256}.`,
        );
    }
  }

  #placed(manifest: Manifest): { path: string; sha256: string }[] {
    return manifest.splits.flatMap((split) =>
      (["images", "labels"] as const).map((kind) => ({
        path: this.#staging.path(split.name, kind),
        sha256: split[kind].sha256,
      })),
    );
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
