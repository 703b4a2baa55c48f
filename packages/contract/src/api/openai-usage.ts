/** @file OpenAI's usage and costs of an organization, in its exact shapes (its specification 2.3.0). Times are seconds since 1970. */
import { z } from "zod";

/** Widths of buckets, and how many of each a page has when nothing is said, and at most. */
export const openaiBucketWidths = {
  "1m": { unit: "minute", limit: 60, maxLimit: 1440 },
  "1h": { unit: "hour", limit: 24, maxLimit: 168 },
  "1d": { unit: "day", limit: 7, maxLimit: 31 },
} as const;
export type OpenaiBucketWidth = keyof typeof openaiBucketWidths;

/** Until the year 9999. */
const seconds = z.coerce.number().int().min(0).max(253_402_300_799);

/** A list in a query: OpenAI's clients write `name[]=a&name[]=b`; its specification, `name=a&name=b`. */
const oneOrMore = <T extends z.ZodType<string>>(item: T) =>
  z.union([item.transform((one) => [one]), z.array(item).max(100)]).optional();

const ids = z.string().min(1).max(512);

const span = {
  /** Inclusive. */
  start_time: seconds,
  /** Exclusive; default: now. */
  end_time: seconds.optional(),
  page: z.string().max(200).optional(),
  project_ids: oneOrMore(ids),
  "project_ids[]": oneOrMore(ids),
};

const byKey = { api_key_ids: oneOrMore(ids), "api_key_ids[]": oneOrMore(ids) };
const byUser = { user_ids: oneOrMore(ids), "user_ids[]": oneOrMore(ids) };
const byModel = { models: oneOrMore(ids), "models[]": oneOrMore(ids) };

const inBuckets = {
  ...span,
  bucket_width: z.enum(Object.keys(openaiBucketWidths) as [OpenaiBucketWidth, ...OpenaiBucketWidth[]]).default("1d"),
  limit: z.coerce.number().int().min(1).max(1440).optional(),
};

const grouped = <T extends readonly [string, ...string[]]>(names: T) => ({
  group_by: oneOrMore(z.enum(names)),
  "group_by[]": oneOrMore(z.enum(names)),
});

const common = ["project_id", "user_id", "api_key_id", "model"] as const;
const imageSources = ["image.generation", "image.edit", "image.variation"] as const;
const imageSizes = ["256x256", "512x512", "1024x1024", "1792x1792", "1024x1792"] as const;
const contextLevels = ["low", "medium", "high"] as const;

const ofModels = { ...inBuckets, ...byUser, ...byKey, ...byModel };

/** `?` of each kind of usage. */
export const openaiUsageQueries = {
  completions: z.strictObject({
    ...ofModels,
    batch: z.enum(["true", "false"]).optional(),
    ...grouped([...common, "batch", "service_tier"]),
  }),
  embeddings: z.strictObject({ ...ofModels, ...grouped(common) }),
  moderations: z.strictObject({ ...ofModels, ...grouped(common) }),
  images: z.strictObject({
    ...ofModels,
    sources: oneOrMore(z.enum(imageSources)),
    "sources[]": oneOrMore(z.enum(imageSources)),
    sizes: oneOrMore(z.enum(imageSizes)),
    "sizes[]": oneOrMore(z.enum(imageSizes)),
    ...grouped([...common, "size", "source"]),
  }),
  audio_speeches: z.strictObject({ ...ofModels, ...grouped(common) }),
  audio_transcriptions: z.strictObject({ ...ofModels, ...grouped(common) }),
  vector_stores: z.strictObject({ ...inBuckets, ...grouped(["project_id"]) }),
  code_interpreter_sessions: z.strictObject({ ...inBuckets, ...grouped(["project_id"]) }),
  file_search_calls: z.strictObject({
    ...inBuckets,
    ...byUser,
    ...byKey,
    vector_store_ids: oneOrMore(ids),
    "vector_store_ids[]": oneOrMore(ids),
    ...grouped(["project_id", "user_id", "api_key_id", "vector_store_id"]),
  }),
  web_search_calls: z.strictObject({
    ...ofModels,
    context_levels: oneOrMore(z.enum(contextLevels)),
    "context_levels[]": oneOrMore(z.enum(contextLevels)),
    ...grouped([...common, "context_level"]),
  }),
};
export type OpenaiUsageKind = keyof typeof openaiUsageQueries;

/** `?` of the costs. */
export const openaiCostsQuery = z.strictObject({
  ...span,
  bucket_width: z.literal("1d").default("1d"),
  limit: z.coerce.number().int().min(1).max(180).default(7),
  ...byKey,
  ...grouped(["project_id", "line_item", "api_key_id"]),
});
export type OpenaiCostsQuery = z.infer<typeof openaiCostsQuery>;

const count = z.number().int();
const name = z.string().nullable();
const names = { project_id: name, user_id: name, api_key_id: name, model: name };

/** What each kind of usage says in a bucket; what it was not grouped by is null. */
export const openaiUsageResults = {
  completions: z.object({
    object: z.literal("organization.usage.completions.result"),
    /** All that was read, from a cache too. */
    input_tokens: count,
    input_cached_tokens: count,
    input_uncached_tokens: count,
    /** All that was written, for an answer or before it. */
    output_tokens: count,
    num_model_requests: count,
    ...names,
    batch: z.boolean().nullable(),
    service_tier: name,
  }),
  embeddings: z.object({
    object: z.literal("organization.usage.embeddings.result"),
    input_tokens: count,
    num_model_requests: count,
    ...names,
  }),
  moderations: z.object({
    object: z.literal("organization.usage.moderations.result"),
    input_tokens: count,
    num_model_requests: count,
    ...names,
  }),
  images: z.object({
    object: z.literal("organization.usage.images.result"),
    images: count,
    num_model_requests: count,
    ...names,
    size: name,
    source: name,
  }),
  audio_speeches: z.object({
    object: z.literal("organization.usage.audio_speeches.result"),
    characters: count,
    num_model_requests: count,
    ...names,
  }),
  audio_transcriptions: z.object({
    object: z.literal("organization.usage.audio_transcriptions.result"),
    seconds: count,
    num_model_requests: count,
    ...names,
  }),
  vector_stores: z.object({
    object: z.literal("organization.usage.vector_stores.result"),
    usage_bytes: count,
    project_id: name,
  }),
  code_interpreter_sessions: z.object({
    object: z.literal("organization.usage.code_interpreter_sessions.result"),
    num_sessions: count,
    project_id: name,
  }),
  file_search_calls: z.object({
    object: z.literal("organization.usage.file_searches.result"),
    num_requests: count,
    project_id: name,
    user_id: name,
    api_key_id: name,
    vector_store_id: name,
  }),
  web_search_calls: z.object({
    object: z.literal("organization.usage.web_searches.result"),
    num_requests: count,
    num_model_requests: count,
    ...names,
    context_level: name,
  }),
} satisfies Record<OpenaiUsageKind, z.ZodType>;

/** What was paid in a bucket. */
export const openaiCostsResult = z.object({
  object: z.literal("organization.costs.result"),
  /** Left out when nothing of it has a price. */
  amount: z.object({ value: z.number(), currency: z.string() }).optional(),
  line_item: name,
  project_id: name,
  api_key_id: name,
  quantity: z.number().nullable(),
  quantity_unit: name,
});
export type OpenaiCostsResult = z.infer<typeof openaiCostsResult>;

/** A page of buckets. */
export const openaiUsagePage = <T extends z.ZodType>(result: T) =>
  z.object({
    object: z.literal("page"),
    data: z.array(
      z.object({ object: z.literal("bucket"), start_time: count, end_time: count, results: z.array(result) }),
    ),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
  });
