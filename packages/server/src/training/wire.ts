/** @file Rows as `/api` tells them, field by field. */
import type { Run, RunEvent } from "@gristmill/contract";
import type { EventRow, RunRow } from "./store.ts";

/** A run. */
export const runToWire = (row: RunRow): Run => ({
  id: row.id,
  object: "run",
  project_id: row.project_id,
  name: row.name,
  status: row.status,
  dataset_id: row.dataset_id,
  dataset_version_id: row.dataset_version_id,
  dataset_sha256: row.dataset_sha256,
  request: row.request,
  progress: row.progress,
  history: row.history,
  evaluation: row.evaluation,
  checkpoint: row.checkpoint,
  attempts: row.attempts,
  training_seconds: (Number(row.earlier_ms) + Number(row.attempt_ms)) / 1000,
  model_version: row.model_version,
  error: row.error,
  labels: row.labels,
  created_at: row.created_at.toISOString(),
  started_at: row.started_at?.toISOString() ?? null,
  finished_at: row.finished_at?.toISOString() ?? null,
});

/** An event. */
export const eventToWire = (row: EventRow): RunEvent => ({
  id: row.id,
  type: row.type,
  at: row.at.toISOString(),
  data: row.data,
});
