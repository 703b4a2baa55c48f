/** @file How an upstream is reached and what is known of it: the options of `connectUpstream`, with their defaults. */
import type { LanguageCard } from "../language/language-engine.ts";
import { type DialectName, dialectNames } from "./dialects.ts";

/** What proves to an upstream who calls: a bearer token, or a header of the upstream's own such as Azure's `api-key`. */
export type Credentials =
  | { readonly type: "bearer"; readonly token: string }
  | { readonly type: "header"; readonly name: string; readonly value: string };

/** The part of the platform's `fetch` that is used. Redirects are never followed: they would carry keys and prompts elsewhere. */
export type UpstreamFetch = (
  url: string,
  init: {
    readonly method: "GET" | "POST";
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/** How long is waited. */
export interface UpstreamTimeouts {
  /**
   * Until the head of an answer, connecting included; default: `firstTokenMs`. Some servers hold the head back until the
   * first token is there. The connection alone is bounded by the `fetch` that is given (Node's: 10 s).
   */
  readonly headMs: number;
  /** From a call to the first piece of its answer, or the whole of an answer that is not streamed; default 120,000. */
  readonly firstTokenMs: number;
  /** From piece to piece; signs of life without content don't count. Default 60,000. */
  readonly betweenTokensMs: number;
}

/** How often a call is made again before its first piece. */
export interface RetrySettings {
  /** Further calls after the first; default 2. */
  readonly retries: number;
  /** About this long before the second call, twice as long before each further; default 500. */
  readonly firstDelayMs: number;
  /** No wait is longer; an upstream that asks for a longer one (`retry-after`) is not waited for. Default 10,000. */
  readonly maxDelayMs: number;
}

/** When an upstream that fails is left alone for a while. */
export interface BreakerSettings {
  /** Failures one after another that open it; default 5. */
  readonly failures: number;
  /** How long it stays open at first, doubled with each trial that fails; default 5,000. */
  readonly openMs: number;
  /** The longest that it stays open; default 300,000. */
  readonly maxOpenMs: number;
}

/** What the operator knows of the model; it overrides what the upstream tells. */
export interface UpstreamFacts {
  readonly contextLength?: number;
  readonly architecture?: string;
  readonly parameters?: number;
  readonly vocabularySize?: number;
  readonly embeddingLength?: number;
  /** Default: complete and chat. */
  readonly abilities?: Partial<LanguageCard["abilities"]>;
}

/** How an upstream is reached. */
export interface UpstreamOptions {
  /** What errors call the model. */
  readonly name: string;
  /** With its path, mostly "/v1": `chat/completions` is appended. */
  readonly baseUrl: string;
  /** The model's name there. */
  readonly model: string;
  /** A function is asked before each call: for tokens that expire. */
  readonly credentials?: Credentials | ((options: { readonly signal: AbortSignal }) => Promise<Credentials>);
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to every address, such as Azure's `api-version`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Whose server it is, where that matters; default: what its list of models says, else "openai". */
  readonly dialect?: DialectName;
  readonly facts?: UpstreamFacts;
  /** OpenAI's newer models take `max_completion_tokens` alone, most other servers know `max_tokens`, the default. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Default "lastChunk"; "everyChunk" is vLLM's; "none" for servers that refuse to be asked. */
  readonly streamUsage?: "lastChunk" | "everyChunk" | "none";
  /** Whether cached tokens are counted in the prompt's; default "detect": by the total. */
  readonly cachedTokens?: "inside" | "outside" | "detect";
  /** Default "base64", which servers that don't know it answer with numbers. */
  readonly embeddingFormat?: "base64" | "float";
  /** What the scores of a reranking are; "logit" ones are turned into probabilities. Default: the dialect's. */
  readonly rerankScores?: "probability" | "logit";
  /** Calls at once; default 64. */
  readonly slots?: number;
  /** Calls that may wait for a slot; default 256. */
  readonly maxQueue?: number;
  /** Of one answer; default 64 MiB. */
  readonly maxAnswerBytes?: number;
  /** Of one event of a stream; default 8 MiB. */
  readonly maxEventBytes?: number;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly retry?: Partial<RetrySettings>;
  readonly breaker?: Partial<BreakerSettings>;
  /** The way out. This engine knows no rules of addresses: who takes URLs of users gives a `fetch` that does. */
  readonly fetch: UpstreamFetch;
  readonly signal?: AbortSignal;
  /** Milliseconds that only grow; default `performance.now`. */
  readonly nowMs?: () => number;
  /** From 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
}

/** Options with all that has a default. */
export interface UpstreamSettings extends UpstreamOptions {
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  readonly streamUsage: "lastChunk" | "everyChunk" | "none";
  readonly cachedTokens: "inside" | "outside" | "detect";
  readonly embeddingFormat: "base64" | "float";
  readonly slots: number;
  readonly maxQueue: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
  readonly timeouts: UpstreamTimeouts;
  readonly retry: RetrySettings;
  readonly breaker: BreakerSettings;
  readonly nowMs: () => number;
  readonly random: () => number;
}

const mebibyte = 1_048_576;

/** Fills in the defaults. @throws RangeError naming the option that makes no sense. */
export function readUpstreamOptions(options: UpstreamOptions): UpstreamSettings {
  const firstTokenMs = options.timeouts?.firstTokenMs ?? 120_000;
  const settings: UpstreamSettings = {
    maxTokensField: "max_tokens",
    streamUsage: "lastChunk",
    cachedTokens: "detect",
    embeddingFormat: "base64",
    slots: 64,
    maxQueue: 256,
    maxAnswerBytes: 64 * mebibyte,
    maxEventBytes: 8 * mebibyte,
    nowMs: () => performance.now(),
    random: Math.random,
    ...options,
    timeouts: { headMs: firstTokenMs, firstTokenMs, betweenTokensMs: 60_000, ...options.timeouts },
    retry: { retries: 2, firstDelayMs: 500, maxDelayMs: 10_000, ...options.retry },
    breaker: { failures: 5, openMs: 5_000, maxOpenMs: 300_000, ...options.breaker },
  };
  checkAddress(settings.baseUrl);
  if (settings.dialect !== undefined && !dialectNames.includes(settings.dialect))
    refuse("dialect", `one of ${dialectNames.join(", ")}`, settings.dialect);
  const { slots, maxQueue, maxAnswerBytes, maxEventBytes, timeouts, retry, breaker } = settings;
  checkWhole("slots", slots, 1);
  checkWhole("maxQueue", maxQueue, 0);
  checkWhole("maxAnswerBytes", maxAnswerBytes, 1);
  checkWhole("maxEventBytes", maxEventBytes, 1);
  // Timers of Node hold 31 bits; a longer one fires at once.
  for (const [name, value] of Object.entries(timeouts)) checkWhole(`timeouts.${name}`, value, 1, 2 ** 31 - 1);
  for (const [name, value] of Object.entries(retry)) checkWhole(`retry.${name}`, value, 0, 2 ** 31 - 1);
  for (const [name, value] of Object.entries(breaker)) checkWhole(`breaker.${name}`, value, 1);
  return settings;
}

function checkAddress(baseUrl: string): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  // The address itself may hold a key and is not repeated.
  if (url === undefined || !/^https?:$/.test(url.protocol)) refuse("baseUrl", "an http or https URL", "another text");
  if (url.username !== "" || url.password !== "")
    refuse("baseUrl", "no user and password in it", "some; give `credentials` instead");
  if (url.search !== "" || url.hash !== "") refuse("baseUrl", "no query in it", "one; give `query` instead");
}

function checkWhole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    refuse(name, `a whole number from ${least} to ${most}`, String(value));
}

function refuse(name: string, expected: string, received: string): never {
  throw new RangeError(`upstream: option "${name}": expected ${expected}, received ${received}`);
}
