/** @file Pure: responses as their callers read them. */
import type { AppError, CreateResponse, OpenaiResponse, ResponseInputItem, ResponseUsage } from "@gristmill/contract";
import type { TokenUsage } from "@gristmill/engine";
import type { ResponseEnding } from "./writer.ts";

/** What a response is from its beginning on. */
export interface ResponseFrame {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly body: CreateResponse;
}

/** How far it is. */
export type ResponseState = Pick<OpenaiResponse, "status"> &
  Partial<Pick<OpenaiResponse, "output" | "usage" | "error" | "incomplete_details" | "completed_at">>;

/** What follows the prefix of an id. */
export const suffixOf = (id: string): string => id.slice(id.indexOf("_") + 1);

/** A response. */
export const responseOf = ({ id, created, model, body }: ResponseFrame, state: ResponseState): OpenaiResponse => ({
  id,
  object: "response",
  created_at: created,
  completed_at: null,
  background: body.background === true,
  error: null,
  incomplete_details: null,
  instructions: body.instructions ?? null,
  max_output_tokens: body.max_output_tokens ?? null,
  max_tool_calls: null,
  metadata: body.metadata ?? {},
  model,
  output: [],
  parallel_tool_calls: body.parallel_tool_calls ?? true,
  previous_response_id: body.previous_response_id ?? null,
  reasoning: { effort: null, summary: null },
  service_tier: "default",
  store: body.store ?? true,
  temperature: body.temperature ?? null,
  text: { format: { ...(body.text?.format ?? { type: "text" }) } },
  tool_choice: body.tool_choice ?? "auto",
  tools: (body.tools ?? []).map((tool) => ({ description: null, parameters: null, strict: false, ...tool })),
  top_logprobs: body.top_logprobs ?? 0,
  top_p: body.top_p ?? null,
  truncation: "disabled",
  usage: null,
  user: body.user ?? null,
  ...state,
});

/** How a response ended by itself. */
export const endedState = (ending: ResponseEnding, now: Date): ResponseState =>
  ending.status === "completed"
    ? { status: "completed", completed_at: Math.floor(now.getTime() / 1000) }
    : { status: "incomplete", incomplete_details: { reason: ending.reason } };

/** How it failed. OpenAI knows few codes here: what its caller can mend, what passes, and the rest. */
export function failedState({ status, message }: AppError): ResponseState {
  const code = status === 429 ? "rate_limit_exceeded" : status < 500 ? "invalid_prompt" : "server_error";
  return { status: "failed", error: { code, message } };
}

/** Tokens in the shape of responses. */
export const responseUsageOf = (usage: TokenUsage): ResponseUsage => ({
  input_tokens: usage.promptTokens,
  input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
  output_tokens: usage.completionTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.promptTokens + usage.completionTokens,
});

const prefixes = { message: "msg", function_call: "fc", function_call_output: "fco", reasoning: "rs" } as const;

/** The items of a body as they are kept and listed: each with its type and an id. @param id of the response. */
export function inputItemsOf({ input }: CreateResponse, id: string): readonly ResponseInputItem[] {
  const items = typeof input === "string" ? [{ role: "user" as const, content: input }] : input;
  return items.map((item, index): ResponseInputItem => {
    const type = item.type ?? "message";
    if (type === "item_reference") throw new Error("a schema refuses references");
    const named = { ...item, type, id: item.id ?? `${prefixes[type]}_${suffixOf(id)}i${index}` } as ResponseInputItem;
    if (!("role" in named) || typeof named.content !== "string") return named;
    const text = named.content;
    return named.role === "assistant"
      ? { ...named, content: [{ type: "output_text", text, annotations: [] }] }
      : { ...named, content: [{ type: "input_text", text }] };
  });
}
