/** @file How many tokens an upstream says that it used: pure. Servers agree on the names and disagree on what is counted in what. */
import { asObject, firstCount, type JsonObject } from "../json.ts";

/** Counts as our answers have them: the prompt's with those of the cache, the completion's with those of thinking. */
export interface ToldUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** undefined: not told. */
  readonly reasoningTokens: number | undefined;
}

/**
 * Reads `usage`. Amazon Bedrock counts cached tokens beside the prompt's, Google Vertex AI and xAI tokens of thinking beside the
 * completion's; the total shows it, and more cached tokens than the prompt has show it too.
 * @param cached where cached tokens are counted; "detect": find out.
 * @returns undefined when it is none.
 */
export function readUsage(value: unknown, cached: "inside" | "outside" | "detect"): ToldUsage | undefined {
  const usage = asObject(value);
  const prompt = firstCount(usage, "prompt_tokens", "input_tokens");
  if (usage === undefined || prompt === undefined) return undefined;
  const completion = firstCount(usage, "completion_tokens", "output_tokens") ?? 0;
  const promptDetails = detailsOf(usage, "prompt_tokens_details", "input_tokens_details");
  const completionDetails = detailsOf(usage, "completion_tokens_details", "output_tokens_details");
  const cachedTokens =
    firstCount(promptDetails, "cached_tokens") ??
    // DeepSeek's and Bedrock's names.
    firstCount(usage, "prompt_cache_hit_tokens", "cache_read_input_tokens", "cacheReadInputTokens") ??
    0;
  const cacheWrites =
    firstCount(promptDetails, "cache_write_tokens") ??
    firstCount(usage, "cache_creation_input_tokens", "cacheWriteInputTokens") ??
    0;
  const reasoningTokens = firstCount(completionDetails, "reasoning_tokens") ?? firstCount(usage, "reasoning_tokens");
  const reasoning = reasoningTokens ?? 0;
  const beside = (firstCount(usage, "total_tokens") ?? prompt + completion) - prompt - completion;
  const besides = whatIsBeside(beside, cachedTokens + cacheWrites, reasoning);
  const isCachedOutside = cached === "detect" ? besides.cached || cachedTokens > prompt : cached === "outside";
  return {
    promptTokens: prompt + (isCachedOutside ? cachedTokens + cacheWrites : 0),
    cachedTokens: isCachedOutside ? cachedTokens : Math.min(cachedTokens, prompt),
    completionTokens: completion + (besides.reasoning || reasoning > completion ? reasoning : 0),
    reasoningTokens,
  };
}

/** Which of the two make up what the total has more than prompt and completion. */
function whatIsBeside(beside: number, cached: number, reasoning: number): { cached: boolean; reasoning: boolean } {
  if (beside <= 0) return { cached: false, reasoning: false };
  return {
    cached: cached > 0 && (beside === cached || beside === cached + reasoning),
    reasoning: reasoning > 0 && (beside === reasoning || beside === cached + reasoning),
  };
}

const detailsOf = (usage: JsonObject, ...names: readonly string[]): JsonObject | undefined =>
  names.map((name) => asObject(usage[name])).find((details) => details !== undefined);
