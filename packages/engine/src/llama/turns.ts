/** @file The machine's threads serve one at a time: two that compute at once on the same cores wait for each other's spinning. */

/** Runs tasks one after another, in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isBusy = true;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // Handed on without a pause in which a newcomer could slip in.
      if (next === undefined) this.#isBusy = false;
      else next();
    }
  }
}
