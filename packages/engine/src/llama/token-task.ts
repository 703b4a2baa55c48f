/** @file One answer as the step loop sees it: tokens in, tokens out, with probabilities where they are asked for. */
import type { GenerationTimings } from "../language/answer.ts";
import type { NativeSampler } from "./native.ts";

/** A token with its logarithmic probability. */
export interface Likelihood {
  readonly token: number;
  readonly logprob: number;
}

/** Who writes an answer out of tokens. */
export interface TokenListener {
  /** The prompt is about to be read; of it so many tokens are still in memory. */
  started(cachedTokens: number): void;
  /** A token was chosen. Answers whether the answer ends with it. */
  token(token: number, chosen: Likelihood | undefined, top: readonly Likelihood[]): boolean;
  finished(reason: "stop" | "length", timings: GenerationTimings): void;
  failed(error: unknown): void;
}

/** What is to be written. */
export interface TokenTaskOptions {
  /** At least one token. */
  readonly prompt: Uint32Array;
  /** Tokens that there is room for, or fewer. */
  readonly maxTokens: number;
  readonly sampler: NativeSampler;
  /** How many of the likeliest are told; undefined: none, not even the chosen one. */
  readonly top: number | undefined;
  /** Chooses nothing, and so sees the distribution as the model made it. There where `top` is. */
  readonly observer: NativeSampler | undefined;
  readonly listener: TokenListener;
}

/** A request on its way through queue and slot. */
export class TokenTask {
  readonly options: TokenTaskOptions;
  readonly prompt: Uint32Array;
  /** When it came to a slot; the smaller the earlier. */
  arrival = 0;
  #written = 0;
  readonly #queuedAt = performance.now();
  #admittedAt = 0;
  #firstAt: number | undefined;
  #isOver = false;

  constructor(options: TokenTaskOptions) {
    this.options = options;
    this.prompt = options.prompt;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  isAdmitted(cachedTokens: number): void {
    this.#admittedAt = performance.now();
    this.options.listener.started(cachedTokens);
    if (this.options.maxTokens === 0) this.finish("length");
  }

  /** Takes the token that was chosen; `isOver` afterwards where it was the last. */
  take(token: number, chosen: Likelihood | undefined, top: readonly Likelihood[]): void {
    this.#firstAt ??= performance.now();
    this.#written++;
    const isLast = this.options.listener.token(token, chosen, top);
    if (isLast) this.finish("stop");
    else if (this.#written >= this.options.maxTokens) this.finish("length");
  }

  finish(reason: "stop" | "length"): void {
    if (!this.#end()) return;
    const now = performance.now();
    const firstAt = this.#firstAt ?? now;
    this.options.listener.finished(reason, {
      queueMs: this.#admittedAt - this.#queuedAt,
      promptMs: firstAt - this.#admittedAt,
      completionMs: now - firstAt,
    });
  }

  fail(error: unknown): void {
    if (this.#end()) this.options.listener.failed(error);
  }

  /** Frees the samplers. Not while a step is under way: another thread uses them. */
  release(): void {
    this.options.sampler.dispose();
    this.options.observer?.dispose();
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    return true;
  }
}
