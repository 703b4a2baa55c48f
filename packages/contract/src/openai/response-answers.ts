/** @file What OpenAI's responses answer. */
import { z } from "zod";
import { chatTokenLogprob } from "./chat-completions.ts";

const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);
export type ResponseItemStatus = z.infer<typeof itemStatus>;

/** A text of a message. */
export const responseOutputText = z.object({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(chatTokenLogprob),
});

/** What a model wrote for itself. */
export const responseReasoningText = z.object({ type: z.literal("reasoning_text"), text: z.string() });

/** One item of an answer. */
export const responseOutputItem = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message"),
    id: z.string(),
    status: itemStatus,
    role: z.literal("assistant"),
    content: z.array(responseOutputText),
  }),
  z.object({
    type: z.literal("function_call"),
    id: z.string(),
    status: itemStatus,
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.object({
    type: z.literal("reasoning"),
    id: z.string(),
    status: itemStatus,
    summary: z.array(z.never()),
    content: z.array(responseReasoningText),
  }),
]);
export type ResponseOutputItem = z.infer<typeof responseOutputItem>;

/** Tokens of a response. Cached ones are part of the input's, reasoning ones of the output's. */
export const responseUsage = z.object({
  input_tokens: z.int(),
  input_tokens_details: z.object({ cached_tokens: z.int(), cache_write_tokens: z.int() }),
  output_tokens: z.int(),
  output_tokens_details: z.object({ reasoning_tokens: z.int() }),
  total_tokens: z.int(),
});
export type ResponseUsage = z.infer<typeof responseUsage>;

/** How far a response is. */
export const responseStatus = z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]);
export type ResponseStatus = z.infer<typeof responseStatus>;

/** A response. */
export const openaiResponse = z.object({
  id: z.string(),
  object: z.literal("response"),
  /** Seconds since 1970. */
  created_at: z.int(),
  completed_at: z.int().nullable(),
  status: responseStatus,
  background: z.boolean(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  incomplete_details: z.object({ reason: z.enum(["max_output_tokens", "content_filter"]) }).nullable(),
  instructions: z.string().nullable(),
  max_output_tokens: z.int().nullable(),
  max_tool_calls: z.null(),
  metadata: z.record(z.string(), z.string()),
  model: z.string(),
  output: z.array(responseOutputItem),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.string().nullable(),
  reasoning: z.object({ effort: z.null(), summary: z.null() }),
  service_tier: z.literal("default"),
  store: z.boolean(),
  temperature: z.number().nullable(),
  text: z.object({ format: z.record(z.string(), z.unknown()) }),
  tool_choice: z.unknown(),
  tools: z.array(z.record(z.string(), z.unknown())),
  top_logprobs: z.int(),
  top_p: z.number().nullable(),
  truncation: z.literal("disabled"),
  usage: responseUsage.nullable(),
  user: z.string().nullable(),
});
export type OpenaiResponse = z.infer<typeof openaiResponse>;

/** Answer of `DELETE /v1/responses/{id}`. */
export const deletedResponse = z.object({
  id: z.string(),
  object: z.literal("response"),
  deleted: z.literal(true),
});

/** Answer of `GET /v1/responses/{id}/input_items`. */
export const inputItemList = z.object({
  object: z.literal("list"),
  data: z.array(z.record(z.string(), z.unknown())),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
});
