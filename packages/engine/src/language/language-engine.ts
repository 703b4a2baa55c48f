/** @file What every engine of language models is. testing/describe-language-engine.ts is the contract that each passes. */
import type { EmbedResult, GenerationEvent, RerankResult } from "./answer.ts";
import type { ChatRequest, CompletionRequest, Prompt, RerankRequest } from "./request.ts";

/** What a loaded model can do. */
export interface LanguageCard {
  /** Tokens of prompt and answer together, of one request. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** "llama", "bert" …: as its file says. */
  readonly architecture: string;
  readonly parameters: number;
  readonly abilities: {
    readonly complete: boolean;
    /** It has a chat template. */
    readonly chat: boolean;
    readonly embed: boolean;
    readonly rerank: boolean;
    readonly images: boolean;
  };
  /** Numbers of an embedding; 0 where there is none. */
  readonly embeddingLength: number;
}

/** How busy an engine is. */
export interface LanguageLoad {
  readonly slots: number;
  readonly busySlots: number;
  readonly waiting: number;
}

/** How calls end early. */
export interface CallOptions {
  /** Ends the call within one step; the slot is free then. */
  readonly signal: AbortSignal;
}

/** A language model that is loaded. Calls may be made at once: they share the machine, and wait in order where it is full. */
export interface LanguageEngine {
  readonly card: LanguageCard;
  load(): LanguageLoad;
  /**
   * Writes the next message. Who ends the iteration ends the generation.
   * @throws EngineRequestError for a request that the model cannot take; ContextLengthError; QueueFullError;
   * EngineClosedError; EngineRunError; `signal.reason`.
   */
  chat(request: ChatRequest, options: CallOptions): AsyncIterable<GenerationEvent>;
  /** Goes on with a text. @throws as `chat`. */
  complete(request: CompletionRequest, options: CallOptions): AsyncIterable<GenerationEvent>;
  /** @throws as `chat`. */
  embed(inputs: readonly Prompt[], options: CallOptions): Promise<EmbedResult>;
  /** @throws as `chat`. */
  rerank(request: RerankRequest, options: CallOptions): Promise<RerankResult>;
  /** Tokens that the prompt of a request has. @throws as `chat`. */
  countTokens(request: ChatRequest | { readonly prompt: Prompt }, options: CallOptions): Promise<number>;
  /** Ends what is under way with EngineClosedError and frees the memory. Closing twice is fine. */
  close(): Promise<void>;
}

/** How a language model is loaded. */
export interface LanguageEngineOptions {
  /** What errors call the model. */
  readonly name: string;
  /** Never more than the machine has cores: one more makes generation a hundred times slower. */
  readonly threads: number;
  /** Tokens of prompt and answer of one request; the model's own length, or 4096 if that is longer, when left out. */
  readonly contextLength?: number;
  /** Requests that run at once. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly maxQueue: number;
  /** Tokens of a prompt that are read in one step: what others wait at most for. */
  readonly prefillChunk: number;
  /** Files of LoRA adapters, with their strength. */
  readonly adapters?: readonly { readonly path: string; readonly scale: number }[];
  /** Whether a graphics card may be used where there is one; left out: no. */
  readonly gpu?: boolean;
  /** Where an engine may write files while it loads; left out: the system's folder for them. */
  readonly scratchFolder?: string;
  readonly signal?: AbortSignal;
}

/** Loads a model's file. @throws EngineRunError when the engine refuses it or memory would not suffice; `signal.reason`. */
export type LoadLanguageEngine = (artifactPath: string, options: LanguageEngineOptions) => Promise<LanguageEngine>;
