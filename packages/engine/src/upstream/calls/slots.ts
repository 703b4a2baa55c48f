import { EngineClosedError, QueueFullError } from "../../errors.ts";
import type { LanguageLoad } from "../../language/language-engine.ts";

interface Waiting {
  readonly enter: () => void;
  readonly leave: (reason: unknown) => void;
}

/** So many calls at once; the others wait in order of arrival. */
export class Slots {
  readonly #slots: number;
  readonly #maxQueue: number;
  readonly #waiting = new Set<Waiting>();
  #busy = 0;
  #isClosed = false;

  constructor(slots: number, maxQueue: number) {
    this.#slots = slots;
    this.#maxQueue = maxQueue;
  }

  get load(): LanguageLoad {
    return { slots: this.#slots, busySlots: this.#busy, waiting: this.#waiting.size };
  }

  /** Resolves with what gives the slot back, to be called once. @throws QueueFullError; EngineClosedError; `signal.reason`. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new EngineClosedError();
    if (this.#busy < this.#slots) this.#busy++;
    else await this.#wait(signal);
    return () => this.#leave();
  }

  /** Those that wait get EngineClosedError; nobody enters any more. */
  close(): void {
    this.#isClosed = true;
    for (const { leave } of [...this.#waiting]) leave(new EngineClosedError());
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#maxQueue) throw new QueueFullError(this.#maxQueue);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = {
      enter: resolve,
      // Gone at once: a slot that comes free in the same tick must not go to who has left.
      leave: (reason) => {
        this.#waiting.delete(waiting);
        reject(reason);
      },
    };
    const abort = () => waiting.leave(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.add(waiting);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** A slot goes from hand to hand, so that a newcomer can't slip in before who waited. */
  #leave(): void {
    const [first] = this.#waiting;
    if (first === undefined) this.#busy--;
    else {
      this.#waiting.delete(first);
      first.enter();
    }
  }
}
