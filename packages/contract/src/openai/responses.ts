/** @file OpenAI's responses: https://platform.openai.com/docs/api-reference/responses. */
import { z } from "zod";
import { accepted, refused, required, supported } from "./field.ts";
import { extensionFields, generationFields, moderation, serviceTier } from "./generation-fields.ts";
import { responseInputItem, responseTextFormat, responseTool, responseToolChoice } from "./response-items.ts";
import { integerIn, jsonObject, metadata, modelName, wellFormed } from "./values.ts";

const { temperature, top_p, seed, stream, user } = generationFields;

/** Body of `POST /v1/responses`. */
export const createResponse = z.strictObject({
  model: required(modelName, "a deployment's name, or `name@revision`"),
  input: required(
    z.union([wellFormed, z.array(responseInputItem).min(1).max(2048)]),
    "text, or items: messages (text, images as data URLs), `function_call`, `function_call_output`, `reasoning` (not shown to the model)",
  ),
  instructions: supported(wellFormed, "a system message before all others, of this response alone"),
  previous_response_id: supported(z.string().min(1).max(128), "its items come before the new ones"),
  temperature,
  top_p,
  max_output_tokens: supported(integerIn(1, 2 ** 31 - 1), "left out: as many as the context has room for"),
  top_logprobs: supported(integerIn(0, 20), "needs `message.output_text.logprobs` in `include`"),
  include: supported(
    z.array(z.enum(["message.output_text.logprobs", "reasoning.encrypted_content"])).max(20),
    "`message.output_text.logprobs`; `reasoning.encrypted_content` adds nothing, because nothing is encrypted",
  ),
  text: supported(
    z.strictObject({
      format: responseTextFormat.nullish(),
      verbosity: refused("no model here has levels of it", ["medium"]),
    }),
    "`format`: `text`, `json_object`, `json_schema` (the text is held to the schema)",
  ),
  tools: supported(z.array(responseTool).max(128), "functions, not strict when that is left out; others are refused"),
  tool_choice: supported(responseToolChoice, "`none`, `auto`, `required`, a function, `allowed_tools` of functions"),
  parallel_tool_calls: supported(z.boolean(), "false: one call at most"),
  store: supported(z.boolean(), "kept for 30 days, unless it is false"),
  background: supported(z.boolean(), "needs what is stored; not beside `stream`"),
  stream,
  stream_options: supported(
    z.strictObject({ include_obfuscation: z.literal(false).optional() }),
    "`include_obfuscation` is refused",
  ),
  metadata: supported(metadata, "told again with the response"),
  truncation: supported(z.literal("disabled"), "`disabled` only: nothing is cut off silently"),
  seed,
  ...extensionFields,
  chat_template_kwargs: supported(jsonObject, "extension: further variables of the model's chat template"),
  reasoning: refused("use `chat_template_kwargs` as the model's template has it", [{}]),
  service_tier: serviceTier,
  user,
  safety_identifier: accepted(z.string().max(64), "nothing is done with it"),
  prompt_cache_key: accepted(z.string().max(512), "the longest known beginning is found without it"),
  prompt_cache_retention: accepted(z.enum(["in_memory", "24h"]), "prompts are kept while their slot is free"),
  prompt_cache_options: refused("the cache keeps what its slots hold"),
  conversation: refused("use `previous_response_id`"),
  context_management: refused("nothing is left out of a context"),
  max_tool_calls: refused("there are no tools that are run here"),
  prompt: refused("send `instructions` and `input`"),
  moderation,
});
export type CreateResponse = z.infer<typeof createResponse>;

/** Query of `GET /v1/responses/{id}`. */
export const retrieveResponse = z.strictObject({
  stream: z.literal("false").optional(),
});

/** Query of `GET /v1/responses/{id}/input_items`. */
export const listInputItems = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
  /** The id of the last item of the page before. */
  after: z.string().max(128).optional(),
});
