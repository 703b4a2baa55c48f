/** How many more events a reader takes before it has read some. */
export class Window {
  #left: number;
  #onOpen: (() => void) | undefined;

  constructor(size: number) {
    this.#left = size;
  }

  /** Counts one event. False: it was the last that the window had room for. */
  take(): boolean {
    this.#left--;
    return this.#left > 0;
  }

  /** The reader has room for more. */
  open(events: number): void {
    this.#left += events;
    if (this.#left > 0) this.#onOpen?.();
  }

  /** Resolves when there is room. @throws `signal.reason`. */
  async opened(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#left > 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#onOpen = resolve;
    try {
      await promise;
    } finally {
      this.#onOpen = undefined;
      signal.removeEventListener("abort", onAbort);
    }
  }
}
