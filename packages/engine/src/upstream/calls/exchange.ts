import { type FailureContext, failureOfConnection, type UpstreamFailure } from "./failure.ts";

/** One call on its way: everything that is awaited of the upstream ends with the caller's signal or at a limit of time. */
export class Exchange {
  readonly #caller: AbortSignal;
  readonly #context: FailureContext;
  readonly #controller = new AbortController();
  readonly #leave = () => this.#controller.abort(this.#caller.reason);
  /** When it was sent, by the clock of the options. */
  readonly sentMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(caller: AbortSignal, context: FailureContext, sentMs: number) {
    this.#caller = caller;
    this.sentMs = sentMs;
    this.#context = context;
    if (caller.aborted) this.#leave();
    caller.addEventListener("abort", this.#leave, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on so long, whatever limit stood before; `what` says in the error what did not happen. */
  limit(ms: number, what: string): void {
    this.unlimit();
    const late = () => this.#controller.abort(failureOfConnection(`${what} within ${ms} ms`, this.#context));
    this.#timer = setTimeout(late, Math.max(1, ms));
  }

  unlimit(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Awaits something of the upstream's.
   * @throws UpstreamFailure, also for what `work` throws; the caller's reason.
   */
  async until<T>(work: Promise<T>, what: string): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(this.signal.reason);
    if (this.signal.aborted) abort();
    this.signal.addEventListener("abort", abort, { once: true });
    try {
      // Not every `fetch` ends with its signal at once.
      return await Promise.race([work, aborted]);
    } catch (cause) {
      if (this.signal.aborted) throw this.signal.reason;
      throw failureOfConnection(what, this.#context, cause);
    } finally {
      this.signal.removeEventListener("abort", abort);
    }
  }

  /** Ends what is still open. */
  end(): void {
    this.unlimit();
    this.#caller.removeEventListener("abort", this.#leave);
    this.#controller.abort();
  }

  /** A failure with what errors of this call may say. */
  fail(make: (context: FailureContext) => UpstreamFailure): UpstreamFailure {
    return make(this.#context);
  }
}
