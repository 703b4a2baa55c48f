/** @file How many steps go into one run: long enough that starting it costs nothing, short enough that cancelling feels prompt. */

/** A run cannot be interrupted, so this is about how long a cancel waits. */
const targetRunMs = 200;
/** Most bytes of samples and answers in one run; the next run's are gathered meanwhile, so twice as many are on their way. */
const mostBytes = 32 * 2 ** 20;
const mostSteps = 512;

/** Chooses the steps of the next run from how long the last ones took. It changes the speed only, never the result. */
export class Pace {
  readonly #bound: number;
  #next = 1;

  /** `bytesPerStep`: samples and answers of one step. */
  constructor(bytesPerStep: number) {
    this.#bound = Math.max(1, Math.min(mostSteps, Math.floor(mostBytes / Math.max(1, bytesPerStep))));
  }

  /** Steps of the next run. */
  get steps(): number {
    return this.#next;
  }

  /** Notes a run. The first steps of a session are slow, so growth is by at most four times a run. */
  note(steps: number, elapsedMs: number): void {
    const fitting = Math.floor((targetRunMs * steps) / Math.max(elapsedMs, 1e-3));
    this.#next = Math.max(1, Math.min(this.#bound, fitting, 4 * this.#next));
  }
}
