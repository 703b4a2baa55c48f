/** @file Rows as `/api` tells them, field by field. */
import type { Model, ModelVersion } from "@gristmill/contract";
import type { ModelRow, VersionRow } from "./store.ts";

/** A model. */
export const modelToWire = (row: ModelRow): Model => ({
  id: row.id,
  object: "model",
  project_id: row.project_id,
  name: row.name,
  latest_version: row.latest_version,
  created_at: row.created_at.toISOString(),
});

/** One version. */
export const versionToWire = (row: VersionRow): ModelVersion => ({
  id: row.id,
  object: "model.version",
  model_id: row.model_id,
  model: row.model_name,
  version: row.version,
  format: row.format,
  sha256: row.sha256,
  size_bytes: Number(row.size_bytes),
  inputs: row.inputs,
  outputs: row.outputs,
  task: row.task,
  language: row.language,
  run_id: row.run_id,
  card: row.card,
  created_at: row.created_at.toISOString(),
});
