/** @file What a language model answers, piece by piece. Plain data: it crosses the channel from a replica. */

/** A token that was written, or could have been. */
export interface TokenProbability {
  readonly token: number;
  /** What it reads as; a part of a character shows U+FFFD. */
  readonly text: string;
  /** The bytes that it stands for, of which a character may need several tokens. */
  readonly bytes: Uint8Array;
  /** Natural logarithm, before temperature and limits of the sampling. */
  readonly logprob: number;
}

/** A token that was written, with the likeliest at its place, likeliest first. */
export interface WrittenToken extends TokenProbability {
  readonly top: readonly TokenProbability[];
}

/** Tokens of one answer. */
export interface TokenUsage {
  /** Of the prompt, those from the cache too. */
  readonly promptTokens: number;
  /** Of the prompt, those that did not have to be read again. */
  readonly cachedTokens: number;
  /** Every token that was chosen, also those that nobody sees: of stop strings, of the end. */
  readonly completionTokens: number;
  /** Of the completion, those of thinking aloud. */
  readonly reasoningTokens: number;
  /** The engine was not told them and counted pieces of text for tokens, bytes for the prompt. */
  readonly isEstimated?: true;
}

/** Where the time of one answer went. */
export interface GenerationTimings {
  /** Until a slot was free. */
  readonly queueMs: number;
  /** From then until the prompt was read. */
  readonly promptMs: number;
  /** From then to the end. */
  readonly completionMs: number;
}

/** Why an answer ended. `contentFilter`: a filter of an upstream cut it off. */
export type FinishReason = "stop" | "length" | "toolCalls" | "contentFilter";

/**
 * One piece of an answer. `started` comes first and once; then the others in the order in which they were written; `finished`
 * comes last and once. Whoever stops reading has to pay for `completionTokens` of the last piece that has them.
 */
export type GenerationEvent =
  | {
      readonly type: "started";
      readonly promptTokens: number;
      readonly cachedTokens: number;
      /** The engine can't know yet; `finished` says it. */
      readonly isEstimated?: true;
    }
  | {
      readonly type: "text" | "reasoning";
      readonly text: string;
      readonly completionTokens: number;
      /** Where they were asked for: of the tokens behind this text. A text never splits a character. */
      readonly tokens?: readonly WrittenToken[];
    }
  /** A call begins; calls are counted from 0. */
  | {
      readonly type: "toolCall";
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly completionTokens: number;
    }
  /** A further piece of a call's JSON. */
  | { readonly type: "toolArguments"; readonly index: number; readonly text: string; readonly completionTokens: number }
  | {
      readonly type: "finished";
      readonly reason: FinishReason;
      readonly usage: TokenUsage;
      readonly timings: GenerationTimings;
    };

/** Vectors in the order of the inputs, of length 1 (Euclid). */
export interface EmbedResult {
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
}

/** Scores in the order of the documents, from 0 to 1. */
export interface RerankResult {
  readonly scores: readonly number[];
  readonly promptTokens: number;
}
