/** @file Runs: one training job each. */
import { z } from "zod";
import { labels, resourceName, timestamp } from "./common.ts";

/** Architecture as JSON; the network library checks it and names each layer that does not fit. */
export const modelSpec = z
  .record(z.string(), z.unknown())
  .meta({ description: 'Layers in order: see the guide "Model specs".' });

export const createRun = z.strictObject({
  name: resourceName.optional(),
  /** A dataset's name or id; its latest version is pinned when the run is made. */
  dataset: z.string().min(1).max(64),
  train_split: resourceName.default("train"),
  /** Evaluated after the last epoch; null: none. */
  test_split: resourceName.nullable().default("test"),
  spec: modelSpec,
  compile: z
    .strictObject({
      optimizer: z.union([z.string(), z.record(z.string(), z.unknown())]).default("adam"),
      loss: z.string().default("sparseCategoricalCrossentropy"),
      metrics: z.array(z.string()).default(["accuracy"]),
    })
    .prefault({}),
  fit: z
    .strictObject({
      epochs: z.number().int().min(1).max(10_000).default(1),
      batch_size: z.number().int().min(1).max(65_536).default(32),
      /** Share of the training split held back and evaluated after each epoch. */
      validation_split: z.number().min(0).lt(1).default(0),
      shuffle: z.boolean().default(true),
      seed: z.number().int().min(0).max(4_294_967_295).default(0),
      threads: z.number().int().min(1).max(256).optional(),
      /** Multiplies raw values before training and serving; 1/255 maps bytes to 0..1. */
      scale: z
        .number()
        .positive()
        .default(1 / 255),
    })
    .prefault({}),
  /** Registers the result as a new version of this model; without it the run only reports. */
  register: z.strictObject({ model: resourceName, notes: z.string().max(10_000).optional() }).optional(),
  labels: labels.optional(),
});
export type CreateRun = z.infer<typeof createRun>;
export type CreateRunInput = z.input<typeof createRun>;

export const runStatus = z.enum(["queued", "running", "cancelling", "paused", "succeeded", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof runStatus>;

/** Numbers by name: loss, accuracy, val_loss, val_accuracy. */
export const metricValues = z.record(z.string(), z.number());

export const runProgress = z.object({
  epoch: z.number().int(),
  epochs: z.number().int(),
  step: z.number().int(),
  steps: z.number().int(),
  samples_per_second: z.number(),
  seconds_left: z.number().nullable(),
  metrics: metricValues,
});
export type RunProgress = z.infer<typeof runProgress>;

export const run = z.object({
  id: z.string(),
  object: z.literal("run"),
  project_id: z.string(),
  name: z.string(),
  status: runStatus,
  dataset_id: z.string(),
  dataset_version_id: z.string(),
  dataset_sha256: z.string(),
  request: z.record(z.string(), z.unknown()),
  progress: runProgress.nullable(),
  /** One entry an epoch. */
  history: z.array(z.object({ epoch: z.number().int(), metrics: metricValues, seconds: z.number() })),
  evaluation: metricValues.nullable(),
  checkpoint: z.object({ epoch: z.number().int(), sha256: z.string(), size_bytes: z.number().int() }).nullable(),
  /** Times the worker was started; over 1 when it died and went on. */
  attempts: z.number().int(),
  training_seconds: z.number(),
  model_version: z.object({ model: z.string(), version: z.number().int(), id: z.string() }).nullable(),
  /** Why it failed, or why it is paused. `details.last_lines`: what a worker that died said last. */
  error: z
    .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() })
    .nullable(),
  labels,
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
});
export type Run = z.infer<typeof run>;

/** What `/api/runs/{id}/events` sends; `id` counts up and resumes by Last-Event-ID. */
export const runEvent = z.object({
  id: z.number().int(),
  type: z.enum([
    "run.queued",
    "run.started",
    "run.progress",
    "run.epoch_finished",
    "run.checkpoint_saved",
    "run.evaluated",
    "run.registered",
    "run.resumed",
    "run.paused",
    "run.succeeded",
    "run.failed",
    "run.cancelled",
  ]),
  at: timestamp,
  data: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.infer<typeof runEvent>;
