/** @file Services: what callers call, beside the tensor protocol. */
import { z } from "zod";

export const classifyQuery = z.strictObject({
  /** A deployment's name, `name@revision` to pin one. */
  model: z.string().min(1).max(80),
  /** How many labels, best first. */
  top: z.coerce.number().int().min(1).max(1000).default(5),
});
export type ClassifyQuery = z.infer<typeof classifyQuery>;

export const classification = z.object({
  object: z.literal("image.classification"),
  id: z.string(),
  model: z.string(),
  model_version: z.number().int(),
  labels: z.array(z.object({ label: z.string(), index: z.number().int(), score: z.number() })),
  usage: z.object({ images: z.number().int() }),
  timings: z.object({ queue_ms: z.number(), compute_ms: z.number(), batch_size: z.number().int() }),
});
export type Classification = z.infer<typeof classification>;
