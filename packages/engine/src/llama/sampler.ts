/** @file From what a request says to a sampler of llama.cpp. */
import { randomInt } from "node:crypto";
import type { Llama, LlamaModel } from "node-llama-cpp";
import { EngineRequestError } from "../errors.ts";
import type { Sampling } from "../language/request.ts";
import { samplingDefaults } from "../language/sampling-defaults.ts";
import type { Native, NativeSampler, NativeSampling } from "./native.ts";

/** Longest grammar, in characters, and deepest nesting of groups: llama.cpp reads groups by recursion and would end the process. */
const longestGrammar = 2 ** 20;
const deepestGroup = 200;

/**
 * A sampler for one answer: `logit bias, penalties, top-k, top-p, min-p, temperature, choice`, llama.cpp's order; grammar
 * is asked about the choice, and cuts the distribution before all others where it says no.
 */
export function createSampler(native: Native, sampling: Sampling, maxTokens: number, grammar: unknown): NativeSampler {
  const sampler = native.createSampler();
  sampler.applyConfig(samplerConfig(sampling, maxTokens, grammar));
  return sampler;
}

/** Pure: what llama.cpp's sampler is told. */
export function samplerConfig(sampling: Sampling, maxTokens: number, grammar: unknown): NativeSampling {
  const { temperature, topP, topK, minP, frequencyPenalty, presencePenalty } = { ...samplingDefaults, ...sampling };
  const bias = sampling.logitBias ?? [];
  return {
    temperature,
    // A top-k of the whole vocabulary sorts it all, 1 to 2 ms for 32,000 tokens: no top-k is none.
    ...(topK > 0 && { topK }),
    ...(topP < 1 && { topP }),
    ...(minP > 0 && { minP }),
    seed: (sampling.seed ?? randomInt(2 ** 32)) >>> 0,
    ...((frequencyPenalty !== 0 || presencePenalty !== 0) && {
      // Without this list, empty as it is, the addon leaves the penalties out.
      repeatPenaltyTokens: new Uint32Array(0),
      repeatPenalty: 1,
      // All of the answer counts, and nothing but the answer.
      repeatPenaltyMaxTokens: Math.max(1, maxTokens),
      repeatPenaltyFrequencyPenalty: frequencyPenalty,
      repeatPenaltyPresencePenalty: presencePenalty,
    }),
    ...(bias.length > 0 && {
      tokenBiasKeys: Uint32Array.from(bias, ([token]) => token),
      tokenBiasValues: Float32Array.from(bias, ([, value]) => value),
    }),
    ...(grammar !== undefined && { grammarEvaluationState: grammar }),
  };
}

/** A sampler that leaves the distribution as the model made it: likeliest first, nothing cut, no temperature. */
export function createObserver(native: Native): NativeSampler {
  const observer = native.createSampler();
  observer.applyConfig({});
  return observer;
}

/** Reads a grammar. @throws EngineRequestError for one that llama.cpp can't read. */
export async function createGrammar(llama: Llama, model: LlamaModel, native: Native, text: string): Promise<unknown> {
  const field = "constraint.grammar";
  if (text.length > longestGrammar)
    throw new EngineRequestError(field, `expected at most ${longestGrammar} characters, received ${text.length}`);
  if (groupDepth(text) > deepestGroup)
    throw new EngineRequestError(field, `expected groups at most ${deepestGroup} deep, received deeper ones`);
  const { LlamaGrammarEvaluationState } = await import("node-llama-cpp");
  try {
    const grammar = await llama.createGrammar({ grammar: text });
    return native.grammarStateOf(new LlamaGrammarEvaluationState({ model, grammar }));
  } catch (cause) {
    throw new EngineRequestError(
      field,
      `expected a grammar in GBNF with a rule "root": ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

function groupDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const letter of text) {
    if (letter === "(") deepest = Math.max(deepest, ++depth);
    else if (letter === ")") depth--;
  }
  return deepest;
}
