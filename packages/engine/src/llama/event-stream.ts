/** @file Between a loop that writes and a reader that takes its time: events wait here. */

/** Who is told. */
export interface EventStreamOptions {
  /** The last event was pushed, or the reader has gone. */
  readonly onEnd: () => void;
  /** The reader has gone before the end. */
  readonly onAbandon: () => void;
}

/** Events of one call, for one reader. Nothing happens until the first is asked for. */
export class EventStream<Event> implements AsyncIterableIterator<Event> {
  readonly #options: EventStreamOptions;
  #start: (() => void) | undefined;
  #events: Event[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** What to do when the first event is asked for. */
  startWith(start: () => void): void {
    this.#start = start;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  push(event: Event): void {
    if (this.#end !== undefined) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** No more events; what waits is still read. */
  finish(): void {
    this.#endWith({});
  }

  /** Ends with an error, after what waits was read. */
  fail(error: unknown): void {
    this.#endWith({ error });
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    const start = this.#start;
    this.#start = undefined;
    start?.();
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return { value: event, done: false };
      const end = this.#end;
      if (end !== undefined) {
        // Told once: a reader that goes on after an error gets the end.
        this.#end = {};
        if ("error" in end) throw end.error;
        return { value: undefined, done: true };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    const isEarly = this.#end === undefined;
    this.#start = undefined;
    this.#events = [];
    this.#endWith({});
    if (isEarly) this.#options.onAbandon();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #endWith(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#options.onEnd();
    this.#wake?.();
  }
}
