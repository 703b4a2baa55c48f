/** @file What training may do with datasets. */
import type { Dataset, DatasetVersion, ProjectId } from "@gristmill/contract";

/** A dataset's latest version as a run keeps it: the version never changes, so this stays true. */
export interface PinnedDataset {
  readonly datasetId: string;
  readonly name: string;
  readonly licence: string | null;
  readonly source: Dataset["source"];
  readonly version: DatasetVersion;
  /** sha256 of the stored files, by split. */
  readonly objects: Readonly<Record<string, { readonly images: string; readonly labels: string }>>;
}

/** A file of records of one size: record `i` is at `offset + i * size`. */
export interface RecordFile {
  /** Absolute; a child may read it. */
  readonly path: string;
  readonly sha256: string;
  /** Bytes before the first record. */
  readonly offset: number;
  readonly dtype: "uint8";
}

/** Where the records of a split are on this machine. */
export interface SplitFiles {
  readonly images: RecordFile & {
    readonly shape: readonly [records: number, height: number, width: number, channels: number];
  };
  readonly labels: RecordFile & { readonly shape: readonly [records: number] };
}

/** Who uses a dataset: ids of unfinished runs. */
export type DatasetUse = (projectId: ProjectId, datasetId: string) => Promise<readonly string[]>;

/** Datasets as other features see them. */
export interface Datasets {
  /** @throws AppError `dataset.not_found`, or `dataset.not_ready` while it is being imported or when that failed. */
  pin(projectId: ProjectId, nameOrId: string): Promise<PinnedDataset>;
  /**
   * Compares the files with their sha256 first: training on damaged data would quietly make a wrong model.
   * @throws AppError `dataset.not_found`, `request.invalid` (no such split; the details list them), `artifact.corrupt`.
   */
  splitFiles(projectId: ProjectId, versionId: string, split: string): Promise<SplitFiles>;
  /** Asked before a deletion; anything in its answer refuses it with `dataset.in_use`. */
  registerUse(use: DatasetUse): void;
}
