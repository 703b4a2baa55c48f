/** @file What requests of language models use, and what they may use at most. */
import type { TokenUsage } from "@gristmill/engine";
import type { Quantity } from "../../http/index.ts";
import type { Served } from "../../serving/index.ts";

/** The dimension `service`. */
export type LanguageService = "chat-completions" | "completions" | "responses" | "embeddings" | "rerank";

/** What one answered request used: no token is counted by two meters. */
export function tokenUse(
  service: LanguageService,
  served: Served,
  { promptTokens, cachedTokens, completionTokens, reasoningTokens }: TokenUsage,
): readonly Quantity[] {
  const dimensions = { service, ...served };
  const quantities = [
    ["service.requests", 1],
    ["service.input_tokens", promptTokens - cachedTokens],
    ["service.cached_input_tokens", cachedTokens],
    ["service.output_tokens", completionTokens - reasoningTokens],
    ["service.reasoning_tokens", reasoningTokens],
  ] as const;
  return quantities
    .filter(([, quantity]) => quantity > 0)
    .map(([meter, quantity]) => ({ meter, quantity: BigInt(quantity), dimensions }));
}

/** Tokens of one prompt and of the answers to it, at most. */
export interface TokenBound {
  readonly prompt: number;
  /** undefined: as many as the context has room for. */
  readonly completion: number | undefined;
  readonly answers: number;
}

/** Tokens of a context whose length is not known yet: larger than any that is served. */
const unknownContext = 1_000_000;

/** What a request may use at most. @param contextLength undefined: not known. */
export function tokenBound(
  service: LanguageService,
  served: Served,
  bounds: readonly TokenBound[],
  contextLength: number = unknownContext,
): readonly Quantity[] {
  const within = (tokens: number): number => Math.min(tokens, contextLength);
  const sum = (of: (bound: TokenBound) => number): number => bounds.reduce((total, bound) => total + of(bound), 0);
  return tokenUse(service, served, {
    promptTokens: sum(({ prompt }) => within(prompt)),
    cachedTokens: 0,
    completionTokens: sum(({ completion, answers }) => answers * within(completion ?? contextLength)),
    reasoningTokens: 0,
  });
}
