import { Interrupted } from "./failure.ts";

/** Ctrl-C, or a polite end from outside: the first asks the command to cancel what it started, the second leaves at once. */
export class Interrupts {
  readonly #controller = new AbortController();
  readonly #leave: () => void;

  /** @param leave ends the process. */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** Aborted, with an `Interrupted`, by the first one. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** To be called for each signal that arrives. */
  arrive(): void {
    if (this.#controller.signal.aborted) this.#leave();
    else this.#controller.abort(new Interrupted());
  }
}
