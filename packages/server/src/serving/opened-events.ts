import type { GenerationEvent } from "@gristmill/engine";

/**
 * Events whose first has come already. What the generation takes is given back when it ended, failed, was aborted, or its
 * reader left, also one who never began to read: a generator alone would not hear of that.
 */
export class OpenedEvents implements AsyncIterableIterator<GenerationEvent, void, undefined> {
  #first: IteratorResult<GenerationEvent, void> | undefined;
  readonly #rest: AsyncGenerator<GenerationEvent, void, undefined>;
  readonly #release: () => void;

  private constructor(
    first: IteratorResult<GenerationEvent, void>,
    rest: AsyncGenerator<GenerationEvent, void, undefined>,
    release: () => void,
  ) {
    this.#first = first;
    this.#rest = rest;
    this.#release = release;
  }

  /** Waits for the first event. `onEnd` is called once. @throws what the events throw. */
  static async open(
    events: AsyncGenerator<GenerationEvent, void, undefined>,
    signal: AbortSignal,
    onEnd: () => void,
  ): Promise<OpenedEvents> {
    let isOver = false;
    const release = (): void => {
      signal.removeEventListener("abort", release);
      if (!isOver) onEnd();
      isOver = true;
    };
    signal.addEventListener("abort", release, { once: true });
    try {
      return new OpenedEvents(await events.next(), events, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<GenerationEvent, void>> {
    const first = this.#first;
    this.#first = undefined;
    try {
      const result = first ?? (await this.#rest.next());
      if (result.done === true) this.#release();
      return result;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<GenerationEvent, void>> {
    this.#first = undefined;
    this.#release();
    return await this.#rest.return();
  }
}
