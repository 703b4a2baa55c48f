/** @file Rows to what callers read. */
import type { Dataset, DatasetVersion } from "@gristmill/contract";
import type { DatasetRow, VersionWithSplits } from "./store.ts";

/** A version as the API tells it. */
export function versionToWire(version: VersionWithSplits): DatasetVersion {
  return {
    id: version.id,
    version: version.version,
    sha256: version.sha256,
    format: version.format,
    record_shape: version.record_shape,
    dtype: version.dtype,
    class_names: version.class_names,
    splits: version.splits.map((split) => ({
      name: split.name,
      records: split.records,
      class_counts: split.class_counts,
      sha256: split.sha256,
      size_bytes: Number(split.size_bytes),
    })),
    size_bytes: Number(version.size_bytes),
    created_at: version.created_at.toISOString(),
  };
}

/** A dataset as the API tells it. */
export function datasetToWire(row: DatasetRow, latest: VersionWithSplits | undefined): Dataset {
  return {
    id: row.id,
    object: "dataset",
    project_id: row.project_id,
    name: row.name,
    status: row.status,
    progress: row.progress,
    error: row.error,
    licence: row.licence,
    notes: row.notes,
    labels: row.labels,
    source: row.source,
    latest_version: latest === undefined ? null : versionToWire(latest),
    created_at: row.created_at.toISOString(),
  };
}
