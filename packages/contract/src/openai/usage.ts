/** @file Tokens of an answer as OpenAI tells them. */
import { z } from "zod";

/** Tokens of a completion. Cached ones are part of the prompt's, reasoning ones of the completion's. */
export const completionUsage = z.object({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.object({ cached_tokens: z.int() }),
  completion_tokens_details: z.object({ reasoning_tokens: z.int() }),
});
export type CompletionUsage = z.infer<typeof completionUsage>;

/** Tokens of what writes nothing. */
export const promptUsage = z.object({ prompt_tokens: z.int(), total_tokens: z.int() });
export type PromptUsage = z.infer<typeof promptUsage>;
