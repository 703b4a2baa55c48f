/**
 * @file What of our use each of OpenAI's kinds of usage shows: one table. A service that is not in it (none has tokens of a
 * kind of its own) is shown by none.
 */
import type { Meter, OpenaiUsageKind } from "@gristmill/contract";

/** One kind of usage. */
export interface UsageKind {
  /** Begins `object`: "organization.usage.<name>.result". */
  readonly name: string;
  /** The dimension `service` of its events. */
  readonly services: readonly string[];
  /** Fields of a result, each the sum of these meters. */
  readonly sums: Readonly<Record<string, readonly Meter[]>>;
  /** A field that is a mean over the bucket's hours. */
  readonly means: Readonly<Record<string, Meter>>;
  /** What results can be grouped by; null in results that are not. */
  readonly groups: readonly string[];
}

const names = ["project_id", "user_id", "api_key_id", "model"] as const;
const requests = { num_model_requests: ["service.requests"] } as const;
const read = ["service.input_tokens", "service.cached_input_tokens"] as const;

/** Every kind of usage. */
export const usageKinds: Record<OpenaiUsageKind, UsageKind> = {
  completions: {
    name: "completions",
    services: ["chat-completions", "completions", "responses", "text-generation"],
    sums: {
      input_tokens: read,
      input_cached_tokens: ["service.cached_input_tokens"],
      input_uncached_tokens: ["service.input_tokens"],
      output_tokens: ["service.output_tokens", "service.reasoning_tokens"],
      ...requests,
    },
    means: {},
    groups: [...names, "batch", "service_tier"],
  },
  embeddings: {
    name: "embeddings",
    services: ["embeddings"],
    sums: { input_tokens: read, ...requests },
    means: {},
    groups: names,
  },
  moderations: {
    name: "moderations",
    services: ["moderations"],
    sums: { input_tokens: read, ...requests },
    means: {},
    groups: names,
  },
  images: {
    name: "images",
    services: ["image-generation", "image-edit", "image-variation", "image-classification", "inference"],
    sums: { images: ["service.images"], ...requests },
    means: {},
    groups: [...names, "size", "source"],
  },
  audio_speeches: {
    name: "audio_speeches",
    services: ["speech"],
    sums: { characters: ["service.characters"], ...requests },
    means: {},
    groups: names,
  },
  audio_transcriptions: {
    name: "audio_transcriptions",
    services: ["transcription", "translation"],
    sums: { seconds: ["service.audio_seconds"], ...requests },
    means: {},
    groups: names,
  },
  vector_stores: {
    name: "vector_stores",
    services: ["vector-store"],
    sums: {},
    means: { usage_bytes: "data.byte_hours" },
    groups: ["project_id"],
  },
  code_interpreter_sessions: {
    name: "code_interpreter_sessions",
    services: ["code-interpreter"],
    sums: { num_sessions: ["service.requests"] },
    means: {},
    groups: ["project_id"],
  },
  file_search_calls: {
    name: "file_searches",
    services: ["file-search"],
    sums: { num_requests: ["service.requests"] },
    means: {},
    groups: ["project_id", "user_id", "api_key_id", "vector_store_id"],
  },
  web_search_calls: {
    name: "web_searches",
    services: ["web-search"],
    sums: { num_requests: ["service.requests"], ...requests },
    means: {},
    groups: [...names, "context_level"],
  },
};

const imageSources: Readonly<Record<string, string>> = {
  "image-generation": "image.generation",
  "image-edit": "image.edit",
  "image-variation": "image.variation",
};

/** OpenAI's word for how an image came about; null: by none of its ways. */
export const sourceOf = (service: string | null): string | null => imageSources[service ?? ""] ?? null;
