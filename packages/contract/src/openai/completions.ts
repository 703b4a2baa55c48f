/** @file OpenAI's completions: https://platform.openai.com/docs/api-reference/completions. */
import { z } from "zod";
import { refused, required, supported } from "./field.ts";
import { extensionFields, generationFields } from "./generation-fields.ts";
import { completionUsage } from "./usage.ts";
import { integerIn, jsonObject, modelName, tokenList, wellFormed } from "./values.ts";

/** A text, some texts, tokens, or some lists of tokens. */
export const completionPrompt = z.union([
  wellFormed,
  z.array(wellFormed).min(1).max(128),
  tokenList,
  z.array(tokenList).min(1).max(128),
]);

/** Body of `POST /v1/completions`. */
export const createCompletion = z.strictObject({
  model: required(modelName, "a deployment's name, or `name@revision`"),
  prompt: required(completionPrompt, "text, token numbers, or up to 128 of either"),
  ...generationFields,
  max_tokens: supported(integerIn(1, 2 ** 31 - 1), "16 when left out, as OpenAI has it; 0 is refused"),
  logprobs: supported(integerIn(0, 5), "so many of the likeliest at each place"),
  ...extensionFields,
  json_schema: supported(jsonObject, "extension: the text is held to this schema"),
  best_of: refused("ask for n answers and choose", [1]),
  echo: refused("put the prompt before the answer yourself", [false]),
  suffix: refused("models here write at the end only"),
});
export type CreateCompletion = z.infer<typeof createCompletion>;

/** Probabilities in the older shape: lists side by side. */
export const completionLogprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number()),
  top_logprobs: z.array(z.record(z.string(), z.number())).nullable(),
  /** Where in the answer's text each token begins, in UTF-16 code units. */
  text_offset: z.array(z.int()),
});
export type CompletionLogprobs = z.infer<typeof completionLogprobs>;

/** Answer of `POST /v1/completions`, and each event of its stream. */
export const completion = z.object({
  id: z.string(),
  object: z.literal("text_completion"),
  /** Seconds since 1970. */
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
  choices: z.array(
    z.object({
      text: z.string(),
      index: z.int(),
      logprobs: completionLogprobs.nullable(),
      finish_reason: z.enum(["stop", "length", "content_filter"]).nullable(),
    }),
  ),
  usage: completionUsage.nullable().optional(),
});
export type Completion = z.infer<typeof completion>;
/** One answer of several, or a piece of it. */
export type CompletionChoice = Completion["choices"][number];
