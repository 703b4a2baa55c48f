/** @file OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat. */
import { z } from "zod";
import { chatMessage, chatTool, chatToolChoice, responseFormat } from "./chat-messages.ts";
import { accepted, refused, required, supported } from "./field.ts";
import { extensionFields, generationFields, moderation, serviceTier } from "./generation-fields.ts";
import { completionUsage } from "./usage.ts";
import { integerIn, jsonObject, metadata, modelName } from "./values.ts";

/** Body of `POST /v1/chat/completions`. */
export const createChatCompletion = z.strictObject({
  model: required(modelName, "a deployment's name, or `name@revision`"),
  messages: required(z.array(chatMessage).min(1).max(2048), "text, and images as data URLs"),
  ...generationFields,
  max_completion_tokens: supported(integerIn(1, 2 ** 31 - 1), "left out: as many as the context has room for"),
  max_tokens: supported(integerIn(1, 2 ** 31 - 1), "the older name; not beside another value of the newer one"),
  logprobs: supported(z.boolean(), "of the tokens of the answer's text"),
  top_logprobs: supported(integerIn(0, 20), "needs `logprobs`"),
  response_format: supported(responseFormat, "`text`, `json_object`, `json_schema` (the text is held to the schema)"),
  tools: supported(z.array(chatTool).max(128), "functions; `custom` is refused"),
  tool_choice: supported(chatToolChoice, "`none`, `auto`, `required`, a function, `allowed_tools` of functions"),
  parallel_tool_calls: supported(z.boolean(), "false: one call at most"),
  ...extensionFields,
  chat_template_kwargs: supported(jsonObject, "extension: further variables of the model's chat template"),
  metadata: accepted(metadata, "nothing is stored"),
  store: refused("chat completions are not stored", [false]),
  service_tier: serviceTier,
  safety_identifier: accepted(z.string().max(64), "nothing is done with it"),
  prompt_cache_key: accepted(z.string().max(512), "the longest known beginning is found without it"),
  prompt_cache_retention: accepted(z.enum(["in_memory", "24h"]), "prompts are kept while their slot is free"),
  prompt_cache_options: refused("the cache keeps what its slots hold"),
  reasoning_effort: refused("use `chat_template_kwargs` as the model's template has it"),
  verbosity: refused("no model here has levels of it", ["medium"]),
  modalities: refused("answers are text", [["text"]]),
  audio: refused("answers are text"),
  prediction: refused("there is no speculation on given text"),
  web_search_options: refused("models here search nothing"),
  moderation,
  function_call: refused("deprecated: use `tool_choice`"),
  functions: refused("deprecated: use `tools`"),
});
export type CreateChatCompletion = z.infer<typeof createChatCompletion>;

const tokenLogprob = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int()).nullable(),
});

/** A token of the answer with the likeliest at its place. */
export const chatTokenLogprob = tokenLogprob.extend({ top_logprobs: z.array(tokenLogprob) });
export type ChatTokenLogprob = z.infer<typeof chatTokenLogprob>;

/** Probabilities of an answer's tokens. */
export const chatLogprobs = z.object({
  content: z.array(chatTokenLogprob).nullable(),
  refusal: z.null(),
});
export type ChatLogprobs = z.infer<typeof chatLogprobs>;

/** Why an answer ended. */
export const chatFinishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]);
export type ChatFinishReason = z.infer<typeof chatFinishReason>;

/** A call that the model asks for. */
export const chatToolCall = z.object({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
export type ChatToolCall = z.infer<typeof chatToolCall>;

const shared = {
  id: z.string(),
  /** Seconds since 1970. */
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
};

/** Answer of `POST /v1/chat/completions`. */
export const chatCompletion = z.object({
  ...shared,
  object: z.literal("chat.completion"),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({
        role: z.literal("assistant"),
        content: z.string().nullable(),
        refusal: z.null(),
        /** What the model wrote for itself first. */
        reasoning_content: z.string().optional(),
        tool_calls: z.array(chatToolCall).optional(),
      }),
      logprobs: chatLogprobs.nullable(),
      finish_reason: chatFinishReason,
    }),
  ),
  usage: completionUsage,
});
export type ChatCompletion = z.infer<typeof chatCompletion>;
/** One answer of several. */
export type ChatCompletionChoice = ChatCompletion["choices"][number];

/** A piece of a call. */
export const chatToolCallDelta = z.object({
  index: z.int(),
  id: z.string().optional(),
  type: z.literal("function").optional(),
  function: z.object({ name: z.string().optional(), arguments: z.string().optional() }),
});

/** One event of a stream. */
export const chatCompletionChunk = z.object({
  ...shared,
  object: z.literal("chat.completion.chunk"),
  choices: z.array(
    z.object({
      index: z.int(),
      delta: z.object({
        role: z.literal("assistant").optional(),
        content: z.string().optional(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(chatToolCallDelta).optional(),
      }),
      logprobs: chatLogprobs.nullable(),
      finish_reason: chatFinishReason.nullable(),
    }),
  ),
  /** There where it was asked for: null in all chunks but the last. */
  usage: completionUsage.nullable().optional(),
});
export type ChatCompletionChunk = z.infer<typeof chatCompletionChunk>;
/** A piece of one answer. */
export type ChatChunkChoice = ChatCompletionChunk["choices"][number];
