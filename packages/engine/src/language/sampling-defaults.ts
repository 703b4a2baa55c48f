/** @file How tokens are chosen where a request doesn't say. */
import type { Sampling } from "./request.ts";

/**
 * Temperature and top-p as in OpenAI's API. The far ends of the distribution are cut off besides, as llama.cpp does:
 * small models are wrong about them most, and a tool call or a word is soon spoilt by one bad token.
 */
export const samplingDefaults = {
  temperature: 1,
  topP: 1,
  topK: 40,
  minP: 0.05,
  frequencyPenalty: 0,
  presencePenalty: 0,
} as const satisfies Sampling;
