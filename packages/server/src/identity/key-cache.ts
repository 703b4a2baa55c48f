/** @file Keys that were looked up a moment ago, so that a busy key does not cost a query a request. */
import type { KeyWithProject } from "./store.ts";

/** How long another process on the same database may go on accepting a key that this one revoked. */
const ttlMs = 1_000;

/** Some hundred bytes each. */
const largest = 10_000;

/** Bounded, short-lived, and never ahead of a revocation. */
export class KeyCache {
  readonly #now: () => Date;
  readonly #entries = new Map<string, { readonly row: KeyWithProject; readonly until: number }>();
  #revocations = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Finds by prefix, else asks `load`. What was loaded while a key was revoked is not kept: it may be the key as it was before. */
  async find(
    prefix: string,
    load: (prefix: string) => Promise<KeyWithProject | undefined>,
  ): Promise<KeyWithProject | undefined> {
    const entry = this.#entries.get(prefix);
    if (entry !== undefined && entry.until > this.#now().getTime()) return entry.row;
    this.#entries.delete(prefix);
    const before = this.#revocations;
    const row = await load(prefix);
    if (row !== undefined && before === this.#revocations) this.#keep(prefix, row);
    return row;
  }

  /** Forgets a key, and what is being loaded now. Called after the revocation is in the database. */
  revoked(prefix: string): void {
    this.#revocations++;
    this.#entries.delete(prefix);
  }

  #keep(prefix: string, row: KeyWithProject): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= largest && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(prefix, { row, until: this.#now().getTime() + ttlMs });
  }
}
