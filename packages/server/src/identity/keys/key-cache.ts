/** @file Keys that were right a moment ago, so that a busy key does not cost a query a request. */

/** How long another process on the same database may go on accepting a key that this one revoked. */
const ttlMs = 1_000;

/** Some hundred bytes each. */
const largest = 10_000;

/** What whoever changes a key, a role, an account or a project must tell. */
export interface Forgets {
  /** Forgets all, and what is being loaded now. Called after the change is in the database. */
  changed(): void;
}

/**
 * Bounded, short-lived, and never ahead of a change. It is asked by the hash of the whole key that was presented and
 * keeps only what was found to be right: a guess never meets what others left here, so its time tells nothing.
 */
export class KeyCache<T extends object> implements Forgets {
  readonly #now: () => Date;
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();
  #changes = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Finds, else asks `load`, which throws for a wrong key. What was loaded while something changed is not kept: it may be of before. */
  async find(hash: Buffer, load: () => Promise<T>): Promise<T> {
    const name = hash.toString("base64");
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.until > this.#now().getTime()) return entry.value;
    this.#entries.delete(name);
    const before = this.#changes;
    const value = await load();
    if (before === this.#changes) this.#keep(name, value);
    return value;
  }

  changed(): void {
    this.#changes++;
    this.#entries.clear();
  }

  #keep(name: string, value: T): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= largest && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(name, { value, until: this.#now().getTime() + ttlMs });
  }
}
