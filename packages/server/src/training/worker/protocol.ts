/** @file What main and a training worker say to each other. Main checks what it hears: the worker runs native code on data from outside. */
import { metricValues, runProgress, tensorSignature } from "@gristmill/contract";
import type { CompileSpec, ModelSpec } from "@gristmill/nn";
import { z } from "zod";
import type { SplitFiles } from "../../data/index.ts";
import type { LabelEncoding } from "../labels.ts";

/** Everything a worker needs; it knows no database, no project, no key. */
export interface WorkerStart {
  readonly type: "start";
  readonly spec: ModelSpec;
  readonly compile: CompileSpec;
  readonly fit: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly validationSplit: number;
    readonly shuffle: boolean;
    readonly seed: number;
    readonly threads: number;
    /** Multiplies the raw bytes. */
    readonly scale: number;
  };
  readonly classes: number;
  readonly encoding: LabelEncoding;
  readonly train: SplitFiles;
  readonly test: SplitFiles | null;
  /** Where checkpoints and the model are written; the worker may write nowhere else. */
  readonly folder: string;
  /** Where to go on from. */
  readonly checkpoint: { readonly path: string; readonly epoch: number } | null;
  /** Metadata of the ONNX file; null: none is wanted. */
  readonly exportMetadata: Readonly<Record<string, string>> | null;
}

/** What main says after the start. */
export type ToWorker =
  | WorkerStart
  /** Stop at the next chance; what is recorded stays. */
  | { readonly type: "cancel" }
  /** The checkpoint of that epoch is safe: go on. */
  | { readonly type: "recorded"; readonly epoch: number };

const fileName = z.string().regex(/^[a-z0-9.-]{1,64}$/);
const writtenFile = z.object({
  /** Name inside the run's folder. */
  file: fileName,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number().int().min(1),
});

/** What a worker says. */
export const fromWorker = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), progress: runProgress }),
  z.object({
    type: z.literal("epoch"),
    epoch: z.number().int().min(1),
    metrics: metricValues,
    seconds: z.number(),
    checkpoint: writtenFile,
  }),
  z.object({ type: z.literal("evaluated"), metrics: metricValues }),
  z.object({
    type: z.literal("finished"),
    model: writtenFile.extend({ inputs: z.array(tensorSignature), outputs: z.array(tensorSignature) }).nullable(),
    environment: z.record(z.string(), z.string()),
  }),
  z.object({ type: z.literal("stopped") }),
  z.object({
    type: z.literal("failed"),
    code: z.enum(["run.not_finite", "artifact.corrupt", "engine.failed"]),
    message: z.string(),
  }),
]);
export type FromWorker = z.infer<typeof fromWorker>;
export type EpochMessage = Extract<FromWorker, { type: "epoch" }>;
export type FinishedMessage = Extract<FromWorker, { type: "finished" }>;
export type FailedMessage = Extract<FromWorker, { type: "failed" }>;
