/** @file Wakes those who wait for news of a run. It only says "look again": what happened is read from the database. */

/** One waiter's way to be woken; true: by news. */
type Wake = (news: boolean) => void;

/** News of runs, within this process. */
export class RunSignals {
  readonly #waiting = new Map<string, Set<Wake>>();

  /** Wakes everyone who waits for this run. */
  notify(runId: string): void {
    const waiting = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    for (const wake of waiting ?? []) wake(true);
  }

  /**
   * A promise of the next notification (true), or of `timeoutMs` having passed or `signal` (false). Ask for it before reading, so that
   * nothing that happens in between is missed. Release it when it is not awaited to its end.
   */
  next(runId: string, timeoutMs: number, signal: AbortSignal): { readonly woken: Promise<boolean>; release(): void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = this.#waiting.get(runId) ?? new Set<Wake>();
    this.#waiting.set(runId, waiting);
    const wake = (news: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", release);
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(runId) === waiting) this.#waiting.delete(runId);
      resolve(news);
    };
    const release = (): void => wake(false);
    const timer = setTimeout(release, timeoutMs);
    waiting.add(wake);
    signal.addEventListener("abort", release, { once: true });
    if (signal.aborted) release();
    return { woken: promise, release };
  }

  /** Runs that someone waits for. */
  get size(): number {
    return this.#waiting.size;
  }
}
