/** @file Events of a generation between the channel, which brings them, and their reader. */
import type { GenerationEvent } from "@gristmill/engine";

/** Holds what was sent and not read yet; the replica's window bounds it. */
export class EventQueue {
  #waiting: GenerationEvent[] = [];
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** True when nothing more will come from the replica. */
  get isOver(): boolean {
    return this.#isOver;
  }

  push(event: GenerationEvent): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** What waits is still read. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** What waits is still read; then the reader gets the error. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** The reader gets the error next: it wants nothing more. */
  abort(error: unknown): void {
    this.#waiting = [];
    this.fail(error);
  }

  /** Undefined: that was the last. @throws what `fail` was given. */
  async next(): Promise<GenerationEvent | undefined> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
