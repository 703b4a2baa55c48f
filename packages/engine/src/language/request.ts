/** @file What is asked of a language model, whatever engine runs it. Plain data: it crosses the channel to a replica. */

/** How the next token is chosen. What is left out is the engine's default, which `SamplingDefaults` says. */
export interface Sampling {
  /** 0: always the likeliest token. Up to 2. */
  readonly temperature?: number;
  /** Only the likeliest tokens that together have this much probability, above 0 to 1. */
  readonly topP?: number;
  /** Only so many of the likeliest; 0: all. */
  readonly topK?: number;
  /** Only tokens at least this share as likely as the likeliest, 0 to 1. */
  readonly minP?: number;
  /** Subtracted from a token's logit for each time that it was written, -2 to 2. */
  readonly frequencyPenalty?: number;
  /** Subtracted once from the logit of each token that was written, -2 to 2. */
  readonly presencePenalty?: number;
  /** The same seed and request give the same text, on one machine and engine. A whole number of 32 bits. */
  readonly seed?: number;
  /** Added to logits by token, -100 to 100. */
  readonly logitBias?: readonly (readonly [token: number, bias: number])[];
}

/** What every answer may be held to. */
export type Constraint =
  /** Any JSON object. */
  | { readonly type: "json" }
  /** JSON that a JSON Schema accepts; grammar/README.md says which part of JSON Schema. */
  | { readonly type: "schema"; readonly schema: unknown }
  /** llama.cpp's grammar notation. */
  | { readonly type: "grammar"; readonly grammar: string };

/** What both kinds of generation take. */
export interface GenerationSettings {
  readonly sampling: Sampling;
  /** Most tokens to write; left out: as many as the context has room for. */
  readonly maxTokens?: number;
  /** Texts at which the answer ends; they are not part of it. */
  readonly stop: readonly string[];
  /** How many of the likeliest tokens are told with their probabilities at each place, 0 to 20; left out: none is, not even the chosen one. */
  readonly logprobs?: number;
  readonly constraint?: Constraint;
}

/** Text, or tokens of the model's own vocabulary. */
export type Prompt = string | readonly number[];

/** A text that is to go on. */
export interface CompletionRequest extends GenerationSettings {
  readonly prompt: Prompt;
}

/** A part of a message. */
export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  /** The bytes of a file: PNG, JPEG or WebP. */
  | { readonly type: "image"; readonly bytes: Uint8Array };

/** A function that the model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, as the model wrote it. */
  readonly arguments: string;
}

/** What was said in a chat so far. */
export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: readonly ContentPart[]; readonly name?: string }
  | {
      readonly role: "assistant";
      readonly content: readonly ContentPart[];
      readonly toolCalls: readonly ToolCall[];
      readonly name?: string;
    }
  | { readonly role: "tool"; readonly content: readonly ContentPart[]; readonly toolCallId: string };

/** A function that the model may ask for. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of its arguments, an object; left out: no arguments. */
  readonly parameters?: unknown;
  /** The arguments are held to the schema while they are written. */
  readonly strict: boolean;
}

/** Which tools must or may be called; a name: that one must. */
export type ToolChoice = "none" | "auto" | "required" | { readonly name: string };

/** The next message of a chat. */
export interface ChatRequest extends GenerationSettings {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  /** Further variables of the model's template, such as enable_thinking. */
  readonly templateVariables?: Readonly<Record<string, unknown>>;
}

/** How well documents answer a query. */
export interface RerankRequest {
  readonly query: string;
  readonly documents: readonly string[];
}
