/** @file data: datasets, their import, and where their records are. Rules [DAT…] are in README.md. */
export type { Datasets, DatasetUse, PinnedDataset, RecordFile, SplitFiles } from "./datasets.ts";
