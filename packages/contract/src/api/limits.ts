/** @file Limits: how many requests and tokens a minute, and how many requests at once. */
import { z } from "zod";
import { listQuery, timestamp } from "./common.ts";

/** What a limit counts. Tokens are input and output tokens of services, counted when a request is admitted. */
export const limitMetrics = ["requests_per_minute", "tokens_per_minute", "concurrent_requests"] as const;
export type LimitMetric = (typeof limitMetrics)[number];

/** For whom a limit holds. A request must find room under those of its key, its project and its organization. */
export const limitSubject = z.strictObject({
  type: z.enum(["organization", "project", "key"]),
  id: z.string().min(1).max(64),
});
export type LimitSubject = z.infer<typeof limitSubject>;

const value = z.number().int().min(1).max(1_000_000_000);

export const limit = z.object({
  id: z.string(),
  object: z.literal("limit"),
  subject: z.object({ type: z.enum(["organization", "project", "key"]), id: z.string() }),
  metric: z.enum(limitMetrics),
  value: z.number().int(),
  created_at: timestamp,
});
export type Limit = z.infer<typeof limit>;

/** One limit of each metric for a subject. */
export const createLimit = z.strictObject({ subject: limitSubject, metric: z.enum(limitMetrics), value });
export type CreateLimit = z.infer<typeof createLimit>;

/** Holds for every request that is admitted after the answer. */
export const updateLimit = z.strictObject({ value });
export type UpdateLimit = z.infer<typeof updateLimit>;

/** `?` of the list of limits. */
export const limitsQuery = listQuery.extend({
  subject_type: z.enum(["organization", "project", "key"]).optional(),
  subject_id: z.string().max(64).optional(),
  metric: z.enum(limitMetrics).optional(),
});
export type LimitsQuery = z.infer<typeof limitsQuery>;
