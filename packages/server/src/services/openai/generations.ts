/** @file The answers of one request, which are written at the same time. */
import { AppError } from "@gristmill/contract";
import type { GenerationEvent, TokenUsage } from "@gristmill/engine";
import type { AnsweredBy, Generation } from "../../serving/index.ts";
import { sumUsage, TokenCounter, Writing, type Written } from "./written.ts";

/** An event and the answer that it belongs to. */
export interface IndexedEvent {
  readonly index: number;
  readonly event: GenerationEvent;
}

/** What is needed to begin. */
export interface GenerationsOptions {
  readonly count: number;
  /** Answers of each prompt, side by side. */
  readonly perPrompt: number;
  readonly signal: AbortSignal;
  /** Begins one answer. */
  readonly generate: (index: number, signal: AbortSignal) => Promise<Generation>;
}

/** An answer that has begun. */
interface Begun {
  readonly by: AnsweredBy;
  readonly first: GenerationEvent;
  readonly rest: AsyncIterator<GenerationEvent>;
}

/** Several answers: read together, ended together, counted together. */
export class Generations {
  readonly by: AnsweredBy;
  readonly #starts: readonly Promise<Begun>[];
  readonly #counters: readonly TokenCounter[];
  readonly #perPrompt: number;
  readonly #abort: AbortController;

  private constructor(
    by: AnsweredBy,
    starts: readonly Promise<Begun>[],
    counters: readonly TokenCounter[],
    perPrompt: number,
    abort: AbortController,
  ) {
    this.by = by;
    this.#starts = starts;
    this.#counters = counters;
    this.#perPrompt = perPrompt;
    this.#abort = abort;
  }

  /**
   * Resolves when the first of the answers begins: the others may wait until it has ended, for want of a slot.
   * @throws whatever the first of them fails with before; the others are ended.
   */
  static async begin({ count, perPrompt, signal, generate }: GenerationsOptions): Promise<Generations> {
    const abort = new AbortController();
    const either = AbortSignal.any([signal, abort.signal]);
    const counters = Array.from({ length: count }, () => new TokenCounter());
    // Counted as soon as it has begun: a prompt that was read is paid for, whether or not anybody reads the answer.
    const starts = counters.map((counter, index) => begun(generate(index, either), counter));
    // Failures of the others are met when they are read, or do not matter any more.
    for (const start of starts) start.catch(() => {});
    try {
      const { by } = await Promise.race(starts);
      return new Generations(by, starts, counters, perPrompt, abort);
    } catch (failure) {
      abort.abort(failure);
      throw failure;
    }
  }

  get usage(): TokenUsage {
    return sumUsage(this.#counters, this.#perPrompt);
  }

  /** True once any of them has read its prompt. */
  get hasStarted(): boolean {
    return this.#counters.some(({ hasStarted }) => hasStarted);
  }

  /** Events of all, as they come; of each answer in order. May be read once. */
  async *events(): AsyncGenerator<IndexedEvent> {
    const [only] = this.#starts;
    if (this.#starts.length === 1 && only !== undefined) yield* this.#read(only, 0);
    else yield* merged(this.#starts.map((start, index) => this.#read(start, index)));
  }

  /** All answers, whole. */
  async whole(): Promise<readonly Written[]> {
    const writings = this.#counters.map(() => new Writing());
    for await (const { index, event } of this.events()) writings[index]?.add(event);
    return writings.map(({ written }) => written);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    if (this.#counters.every(({ hasFinished }) => hasFinished)) return;
    this.#abort.abort(new AppError("request.cancelled", "The request has ended."));
    // Not waited for: one that waits for its next event ends with the abort. Those that failed have ended.
    for (const start of this.#starts) start.then(({ rest }) => rest.return?.()).catch(() => {});
  }

  async *#read(start: Promise<Begun>, index: number): AsyncGenerator<IndexedEvent> {
    const { first, rest } = await start;
    yield { index, event: first };
    for await (const event of { [Symbol.asyncIterator]: () => rest }) {
      this.#counters[index]?.add(event);
      yield { index, event };
    }
  }
}

async function begun(starting: Promise<Generation>, counter: TokenCounter): Promise<Begun> {
  const { events, ...by } = await starting;
  const rest = events[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done === true) throw new Error("a generation without any event");
  counter.add(first.value);
  return { by, first: first.value, rest };
}

/** Values of several iterators as they come. Ending it ends all. */
async function* merged<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const next = (source: AsyncGenerator<T>) => source.next().then((result) => ({ source, result }));
  const waiting = new Map(sources.map((source) => [source, next(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values());
      if (result.done === true) {
        waiting.delete(source);
        continue;
      }
      waiting.set(source, next(source));
      yield result.value;
    }
  } finally {
    for (const [source, pending] of waiting) {
      pending.catch(() => {});
      source.return(undefined).catch(() => {});
    }
  }
}
