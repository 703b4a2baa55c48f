/**
 * @file A decoder as the step loop sees a context: sequences side by side, a batch of their rows, logits to choose from.
 *
 * Rows of each sequence run by themselves: an ONNX graph has one length of past for all rows of a run, and texts rarely are
 * of the same length. A step of many answers therefore costs as many passes over the weights.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { NativeContext, NativeLogits, NativeSampler } from "../llama/native.ts";
import { largest, totalWeight } from "./choose-token.ts";
import { type Cache, cutCache, type Decoder } from "./decoder.ts";
import { LogitSampler } from "./logit-sampler.ts";

/** Rows of one sequence in a step. */
interface Rows {
  readonly sequence: number;
  readonly tokens: Uint32Array;
  /** Where its logits will lie; undefined: nobody asks for them. */
  readonly logitsAt: number | undefined;
}

/** Sequences of one decoder, each with its cache. */
export class DecoderContext implements NativeContext {
  readonly #decoder: Decoder;
  readonly #caches = new Map<number, Cache>();
  #batch: Rows[] = [];
  #logits: Float32Array[] = [];

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  initBatch(): void {
    this.#batch = [];
    this.#logits = [];
  }

  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsAt: Uint32Array): Uint32Array {
    const { length } = this.#cacheOf(sequence);
    if (position !== length) throw new Error(`sequence ${sequence}: expected position ${length}, received ${position}`);
    const at = logitsAt.length === 0 ? undefined : this.#batch.length;
    this.#batch.push({ sequence, tokens: tokens.slice(), logitsAt: at });
    return at === undefined ? new Uint32Array(0) : Uint32Array.of(at);
  }

  async decodeBatch(): Promise<void> {
    for (const { sequence, tokens, logitsAt } of this.#batch) {
      const { logits, cache } = await this.#decoder.read(tokens, this.#cacheOf(sequence));
      this.#caches.set(sequence, cache);
      if (logitsAt !== undefined) this.#logits[logitsAt] = logits;
      // A run blocks the event loop: who waits for an answer, or wants to end one, is heard between two.
      await turn();
    }
  }

  sampleToken(at: number, sampler: NativeSampler): Promise<number>;
  sampleToken(
    at: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: false,
    logits: readonly [tokens: readonly number[], max: boolean, min: boolean, selected: boolean, top: number],
    totalWeight: true,
  ): Promise<NativeLogits>;
  async sampleToken(
    at: number,
    sampler: NativeSampler,
    _probabilities?: false,
    _confidence?: false,
    filter?: readonly [tokens: readonly number[], max: boolean, min: boolean, selected: boolean, top: number],
  ): Promise<number | NativeLogits> {
    const logits = this.#logits[at];
    if (logits === undefined || !(sampler instanceof LogitSampler))
      throw new Error(`expected logits at ${at} and a sampler of them`);
    if (filter === undefined) return sampler.choose(logits);
    const [tokens, , , , top] = filter;
    const likeliest = largest(logits, top);
    const asked = [...likeliest, ...tokens.map((token) => ({ token, logit: logits[token] ?? 0 }))];
    const pairs = asked.flatMap(({ token, logit }) => [token, logit]);
    return [-1, undefined, undefined, pairs, totalWeight(logits, likeliest[0]?.logit ?? 0)];
  }

  disposeSequence(sequence: number): void {
    this.#caches.delete(sequence);
  }

  removeTokenCellsFromSequence(sequence: number, from: number): boolean {
    this.#caches.set(sequence, cutCache(this.#cacheOf(sequence), from));
    return true;
  }

  getSequenceKvCacheMinPosition(sequence: number): number {
    return this.#cacheOf(sequence).length > 0 ? 0 : -1;
  }

  #cacheOf(sequence: number): Cache {
    return this.#caches.get(sequence) ?? this.#decoder.empty();
  }
}
