/** @file Work that comes again: one round at a time, called early or when its time has come; a failed round is logged. */
import type { Log } from "../feature.ts";

/** What comes again. */
export interface RoundParts {
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
  readonly log: Log;
}

/** Runs from `start` to `stop`. */
export class Rounds {
  readonly #parts: RoundParts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isCalled = false;

  constructor(parts: RoundParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.call(), this.#parts.everyMs);
    this.call();
  }

  /** A round now, or right after the one that runs. */
  call(): void {
    if (this.#timer === undefined) return;
    this.#isCalled = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when the round that runs has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, work, log } = this.#parts;
    while (this.#isCalled && this.#timer !== undefined) {
      this.#isCalled = false;
      try {
        await work();
      } catch (error) {
        log.warn({ err: error }, `${name} failed; it is tried again soon`);
      }
    }
  }
}
