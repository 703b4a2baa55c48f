/** @file A queue that commits together what arrived together: no timer, bounded, late callers told so. */

/** Why an item was not taken, or given up. */
export type Refusal = "full" | "late" | "stopped";

/** What a `GroupCommit` needs. */
export interface GroupCommitOptions<Item, Result> {
  /** Writes a group in one transaction, and answers what gives each item its result or throws the item's own failure. */
  readonly commit: (group: readonly Item[]) => Promise<(item: Item) => Result>;
  /** True when a failure would meet any item (the database is away); else the group's items are tried one by one. */
  readonly isShared: (error: unknown) => boolean;
  readonly refusal: (reason: Refusal) => Error;
  /** Told of items that were written after their caller had left or was told that it is late. */
  readonly onAbandoned: (item: Item) => void;
  /** Rows of an item. */
  readonly sizeOf: (item: Item) => number;
  /** Rows of one group at most; a larger item goes alone. */
  readonly maxGroupSize: number;
  /** Items that wait at most. */
  readonly maxWaiting: number;
  /** When a commit takes longer, its callers and all that wait are refused, and all that come until it ends. */
  readonly timeoutMs: number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
  isRefused: boolean;
}

/**
 * A commit starts at once when none is running; what arrives meanwhile goes together in the next one. So a lone caller
 * waits for nothing, and under load each commit carries as many as arrived during the one before.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  readonly #waiting = new Set<Entry<Item, Result>>();
  #running: Promise<void> | undefined;
  #isLate = false;
  #isStopped = false;
  #stopWaiting: () => void = () => {};

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  /**
   * Resolves when the item is committed. An aborted caller is let go at once: what waits is taken out of the queue, what
   * was already sent is told to `onAbandoned`.
   */
  submit(item: Item, signal?: AbortSignal): Promise<Result> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(this.#options.refusal(refusal));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const entry: Entry<Item, Result> = { item, resolve, reject, isRefused: false };
    this.#waiting.add(entry);
    this.#running ??= this.#run();
    return signal === undefined ? promise : this.#watched(entry, promise, signal);
  }

  /** Takes no more, and resolves when every caller has its answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#isLate || this.#running === undefined) return;
    const late = new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
    });
    await Promise.race([this.#running, late]);
  }

  #refusal(): Refusal | undefined {
    if (this.#isStopped) return "stopped";
    if (this.#isLate) return "late";
    return this.#waiting.size >= this.#options.maxWaiting ? "full" : undefined;
  }

  async #watched(entry: Entry<Item, Result>, promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
    const leave = (): void => {
      this.#waiting.delete(entry);
      refuse(entry, signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const group = this.#take();
      const timer = setTimeout(() => this.#giveUp(group), this.#options.timeoutMs);
      await this.#commit(group);
      clearTimeout(timer);
      this.#isLate = false;
      // Callers that were answered together may come right back: one turn of the event loop lets them go together again.
      // Without it, 64 callers fall apart into one and 63 that take turns, and pay for twice as many commits.
      if (group.length > 1) await new Promise(setImmediate);
    }
    this.#running = undefined;
  }

  #take(): Entry<Item, Result>[] {
    const group: Entry<Item, Result>[] = [];
    let size = 0;
    for (const entry of this.#waiting) {
      size += this.#options.sizeOf(entry.item);
      if (group.length > 0 && size > this.#options.maxGroupSize) break;
      group.push(entry);
      this.#waiting.delete(entry);
    }
    return group;
  }

  async #commit(group: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const resultOf = await this.#options.commit(group.map((entry) => entry.item));
      for (const entry of group) this.#answer(entry, resultOf);
    } catch (error) {
      if (group.length === 1 || this.#options.isShared(error)) for (const entry of group) entry.reject(error);
      else for (const entry of group) await this.#commit([entry]);
    }
  }

  #answer(entry: Entry<Item, Result>, resultOf: (item: Item) => Result): void {
    try {
      const result = resultOf(entry.item);
      if (entry.isRefused) this.#options.onAbandoned(entry.item);
      else entry.resolve(result);
    } catch (error) {
      entry.reject(error);
    }
  }

  #giveUp(group: readonly Entry<Item, Result>[]): void {
    this.#isLate = true;
    const late = this.#options.refusal("late");
    for (const entry of [...group, ...this.#waiting]) refuse(entry, late);
    this.#waiting.clear();
    this.#stopWaiting();
  }
}

function refuse<Item, Result>(entry: Entry<Item, Result>, reason: unknown): void {
  entry.isRefused = true;
  entry.reject(reason);
}
