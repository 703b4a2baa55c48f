/** @file Deployments: a model version that is being served, or models behind other servers. */
import { z } from "zod";
import { resourceName, timestamp } from "./common.ts";

export const batching = z.strictObject({
  /** Rows run together at most; a request with more rows runs alone. */
  max_batch_size: z.number().int().min(1).max(1024).default(32),
  /** How long the first of a batch may wait for company. */
  max_delay_ms: z.number().min(0).max(1000).default(2),
  /** Requests that may wait; more are refused with 429. */
  max_queue: z.number().int().min(1).max(100_000).default(1024),
});
export type Batching = z.infer<typeof batching>;

/** How a language model is served. */
export const generation = z.strictObject({
  /** Tokens of prompt and answer together, of one request; null: what the model was trained for, 4096 at most. */
  context_length: z.number().int().min(16).max(16_777_216).nullable().default(null),
  /** Requests that are answered at once; each needs memory for its context. */
  slots: z.number().int().min(1).max(256).default(8),
  /** Tokens of a prompt that are read in one step: others wait so long for their next token at most. */
  prefill_chunk: z.number().int().min(16).max(8192).default(256),
  /** Requests that may wait; more are refused with 429. */
  max_queue: z.number().int().min(1).max(100_000).default(256),
});
export type GenerationSettings = z.infer<typeof generation>;

/** One of the upstreams that a deployment calls. */
export const upstreamShare = z.strictObject({
  name: resourceName,
  /** Its share of the calls among those of its priority; 0: only when no other of its priority is left. */
  weight: z.number().int().min(0).max(1_000_000).default(1),
  /** Lower ones first: the others are what a call falls back to. */
  priority: z.number().int().min(0).max(1000).default(0),
});
export type UpstreamShare = z.infer<typeof upstreamShare>;

const upstreamShares = z
  .array(upstreamShare)
  .min(1)
  .max(16)
  .refine((shares) => new Set(shares.map(({ name }) => name)).size === shares.length, "expected each upstream once");

export const createDeployment = z
  .strictObject({
    name: resourceName,
    /** `name` (its latest version) or `name@3`. */
    model: z.string().min(1).max(80).optional(),
    /** In place of a model: those who answer. */
    upstreams: upstreamShares.optional(),
    replicas: z.number().int().min(1).max(64).default(1),
    threads: z.number().int().min(1).max(256).optional(),
    /** Of ONNX models; defaults where left out. */
    batching: batching.optional(),
    /** Of language models; defaults where left out. */
    generation: generation.optional(),
  })
  .refine(({ model, upstreams }) => (model === undefined) !== (upstreams === undefined), {
    path: ["model"],
    error: "expected either a model or upstreams",
  });
export type CreateDeployment = z.infer<typeof createDeployment>;
export type CreateDeploymentInput = z.input<typeof createDeployment>;

/** Another model or other settings make a new revision; replicas alone do not. */
export const updateDeployment = z
  .strictObject({
    model: z.string().min(1).max(80).optional(),
    upstreams: upstreamShares.optional(),
    replicas: z.number().int().min(1).max(64).optional(),
    threads: z.number().int().min(1).max(256).optional(),
    batching: batching.partial().optional(),
    generation: generation.partial().optional(),
  })
  .refine(({ model, upstreams }) => model === undefined || upstreams === undefined, {
    path: ["model"],
    error: "expected a model or upstreams, not both",
  });
export type UpdateDeployment = z.infer<typeof updateDeployment>;

export const deploymentStatus = z.enum([
  "starting",
  "ready",
  "degraded",
  "unavailable",
  "stopping",
  "stopped",
  "failed",
]);
export type DeploymentStatus = z.infer<typeof deploymentStatus>;

export const replica = z.object({
  id: z.string(),
  revision: z.number().int(),
  status: z.enum(["starting", "ready", "restarting", "unpaid", "failed", "stopping"]),
  pid: z.number().int().nullable(),
  restarts: z.number().int(),
  queue_depth: z.number().int(),
  memory_bytes: z.number().int().nullable(),
  ready_at: timestamp.nullable(),
  last_error: z.string().nullable(),
});
export type Replica = z.infer<typeof replica>;

export const revision = z.object({
  id: z.string(),
  revision: z.number().int(),
  /** Of upstreams their names, joined by "+", in the order of their priority. */
  model: z.string(),
  /** 0: the versions are the upstreams' own. */
  model_version: z.number().int(),
  /** null, as `sha256`: it calls upstreams. */
  model_version_id: z.string().nullable(),
  sha256: z.string().nullable(),
  threads: z.number().int(),
  /** null: it is no ONNX graph. */
  batching: batching.nullable(),
  /** null: it is no language model that runs here. */
  generation: generation.nullable(),
  /** null: it runs here. */
  upstreams: z.array(upstreamShare).nullable(),
  created_at: timestamp,
});
export type Revision = z.infer<typeof revision>;

export const deployment = z.object({
  id: z.string(),
  object: z.literal("deployment"),
  project_id: z.string(),
  name: z.string(),
  status: deploymentStatus,
  /** The revision that answers. */
  revision: revision.nullable(),
  revisions: z.array(revision),
  desired_replicas: z.number().int(),
  replicas: z.array(replica),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  created_at: timestamp,
});
export type Deployment = z.infer<typeof deployment>;
