/** @file Upstreams: models behind other servers of OpenAI's API, which deployments may call. */
import { z } from "zod";
import { resourceName, timestamp } from "./common.ts";

/** Whose server it is, where that matters. */
export const upstreamDialects = ["openai", "vllm", "sglang", "llama-server"] as const;

const oneLine = /^[\x20-\x7e]+$/;
const secretText = z.string().min(1).max(8192).regex(oneLine, "expected one line of ASCII");

/** Written by the call itself; another value would break it, or send it elsewhere. */
const ownHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const headerName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]+$/, "expected a header's name in lower case")
  .refine((name) => !ownHeaders.has(name), "this header is written by the platform");

/** What proves to the upstream who calls. Never answered. */
export const upstreamCredentials = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("bearer"), token: secretText }),
  /** Such as Azure's `api-key`. */
  z.strictObject({ type: z.literal("header"), name: headerName, value: secretText }),
]);
export type UpstreamCredentials = z.infer<typeof upstreamCredentials>;

const atMost = (count: number) => (fields: object) => Object.keys(fields).length <= count;
const headers = z.record(headerName, secretText).refine(atMost(32), "expected 32 headers at most");
const query = z
  .record(z.string().min(1).max(100), z.string().max(500))
  .refine(atMost(16), "expected 16 parameters at most");

const baseUrl = z
  .url({ protocol: /^https?$/, error: "expected a URL beginning with https://" })
  .max(2000)
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && [url.username, url.password, url.search, url.hash].every((part) => part === "");
  }, "expected no password, query or fragment in it: give `credentials` and `query`");

const milliseconds = z.number().int().min(1).max(3_600_000);
const tokens = z.number().int().min(1).max(16_777_216);

/** How an upstream is called. */
export const upstreamSettings = z.strictObject({
  timeouts: z
    .strictObject({
      /** From a call to its answer's first piece, or to the whole of an answer that is not streamed. */
      first_token_ms: milliseconds.default(120_000),
      /** From piece to piece. */
      between_tokens_ms: milliseconds.default(60_000),
    })
    .prefault({}),
  /** Further calls after one that failed before its first piece. */
  retries: z.number().int().min(0).max(10).default(2),
  /** Calls at once, of all deployments together. */
  max_concurrent: z.number().int().min(1).max(10_000).default(64),
  /** Calls that may wait for that; more are refused with 429. */
  max_queue: z.number().int().min(0).max(100_000).default(256),
  /** OpenAI's newer models take `max_completion_tokens` alone. */
  max_tokens_field: z.enum(["max_tokens", "max_completion_tokens"]).default("max_tokens"),
  /** Where counts come in a stream; "none" for servers that refuse to be asked. */
  stream_usage: z.enum(["last_chunk", "every_chunk", "none"]).default("last_chunk"),
  /** Tokens of prompt and answer together; null: what the upstream tells. */
  context_length: tokens.nullable().default(null),
  /** What the model can do. */
  abilities: z
    .strictObject({
      complete: z.boolean().default(true),
      chat: z.boolean().default(true),
      embed: z.boolean().default(false),
      rerank: z.boolean().default(false),
      images: z.boolean().default(false),
    })
    .prefault({}),
});
export type UpstreamSettings = z.infer<typeof upstreamSettings>;

const address = {
  /** With its path, mostly "/v1". */
  base_url: baseUrl,
  /** The model's name there. */
  model: z.string().min(1).max(256).regex(oneLine, "expected one line of ASCII"),
  /** null: told by the upstream's list of models, else "openai". */
  dialect: z.enum(upstreamDialects).nullable(),
  credentials: upstreamCredentials.nullable(),
  /** Sent with every call. Values are never answered. */
  headers,
  /** Added to every address, such as Azure's `api-version`. */
  query,
};

export const createUpstream = z.strictObject({
  name: resourceName,
  ...address,
  dialect: address.dialect.default(null),
  credentials: address.credentials.default(null),
  headers: address.headers.default({}),
  query: address.query.default({}),
  settings: upstreamSettings.prefault({}),
});
export type CreateUpstream = z.infer<typeof createUpstream>;
export type CreateUpstreamInput = z.input<typeof createUpstream>;

/** What is named replaces what was. Credentials and headers follow no other host: who changes it gives them again. */
export const updateUpstream = z.strictObject(address).extend({ settings: upstreamSettings }).partial();
export type UpdateUpstream = z.infer<typeof updateUpstream>;
export type UpdateUpstreamInput = z.input<typeof updateUpstream>;

export const upstream = z.object({
  id: z.string(),
  object: z.literal("upstream"),
  project_id: z.string(),
  name: z.string(),
  base_url: z.string(),
  model: z.string(),
  dialect: z.enum(upstreamDialects).nullable(),
  /** That there are some, and of which kind; null: none. */
  credentials: z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("bearer") }),
      z.object({ type: z.literal("header"), name: z.string() }),
    ])
    .nullable(),
  header_names: z.array(z.string()),
  query: z.record(z.string(), z.string()),
  settings: upstreamSettings,
  created_at: timestamp,
  updated_at: timestamp,
});
export type Upstream = z.infer<typeof upstream>;
