/** @file Embeddings and scores: a context of their own, made when it is first needed, one text at a time. */
import type { LlamaEmbeddingContext, LlamaModel, LlamaRankingContext, Token } from "node-llama-cpp";
import { EngineClosedError, EngineRunError, QueueFullError } from "../errors.ts";
import type { Turns } from "./turns.ts";

/** What the contexts are made with. */
export interface VectorsOptions {
  readonly model: LlamaModel;
  readonly contextLength: number;
  readonly threads: number;
  readonly maxQueue: number;
  readonly turns: Turns;
}

/** Runs a model for its vectors. */
export class Vectors {
  readonly #options: VectorsOptions;
  #embedding: Promise<LlamaEmbeddingContext> | undefined;
  #ranking: Promise<LlamaRankingContext> | undefined;
  #calls = 0;
  #isClosed = false;

  constructor(options: VectorsOptions) {
    this.#options = options;
  }

  /** Calls that run or wait. */
  get calls(): number {
    return this.#calls;
  }

  /** A vector of length 1 for each text. */
  embed(inputs: readonly (readonly number[])[], signal: AbortSignal): Promise<Float32Array[]> {
    const { model } = this.#options;
    return this.#each(inputs, signal, async (tokens) => {
      this.#embedding ??= model.createEmbeddingContext(this.#contextOptions());
      const context = await this.#embedding;
      const { vector } = await context.getEmbeddingFor([...tokens] as Token[]);
      return normalized(vector);
    });
  }

  /** A score from 0 to 1 for each document. */
  rank(query: string, documents: readonly string[], signal: AbortSignal): Promise<number[]> {
    return this.#each(documents, signal, async (document) => (await this.#rankingContext()).rank(query, document));
  }

  /** Tokens that a query and a document make together. */
  async countPair(query: string, document: string): Promise<number> {
    return (await this.#rankingContext()).calculateInputLength(query, document);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const contexts = await Promise.allSettled([this.#embedding, this.#ranking]);
    await this.#options.turns.run(async () => {
      for (const context of contexts) if (context.status === "fulfilled") await context.value?.dispose();
    });
  }

  async #each<In, Out>(inputs: readonly In[], signal: AbortSignal, run: (input: In) => Promise<Out>): Promise<Out[]> {
    if (this.#calls > this.#options.maxQueue) throw new QueueFullError(this.#options.maxQueue);
    this.#calls++;
    try {
      const outputs: Out[] = [];
      for (const input of inputs)
        outputs.push(
          await this.#options.turns.run(async () => {
            signal.throwIfAborted();
            if (this.#isClosed) throw new EngineClosedError();
            try {
              return await run(input);
            } catch (cause) {
              throw new EngineRunError(cause instanceof Error ? cause.message : String(cause), { cause });
            }
          }),
        );
      return outputs;
    } finally {
      this.#calls--;
    }
  }

  #rankingContext(): Promise<LlamaRankingContext> {
    this.#ranking ??= this.#options.model.createRankingContext(this.#contextOptions());
    return this.#ranking;
  }

  #contextOptions() {
    const { contextLength, threads } = this.#options;
    // A text whose rows see each other has to be read in one batch.
    return { contextSize: contextLength, batchSize: contextLength, threads, ignoreMemorySafetyChecks: true };
  }
}

/** The vector with length 1; one without length stays as it is. */
export function normalized(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => (length > 0 ? value / length : value));
}
