/** @file The months that usage events can be written to: made ahead, and on demand. */
import type { Database } from "../db/index.ts";
import { makePartitions } from "./store.ts";

/** Makes each month's partition once, before the first event of that month is written. */
export class PartitionsAhead {
  readonly #db: Database;
  readonly #made = new Set<number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Resolves when every event's month can be written to. */
  async cover(events: readonly { readonly time: Date }[]): Promise<void> {
    const missing = new Set(events.map((event) => monthOf(event.time)).filter((month) => !this.#made.has(month)));
    if (missing.size === 0) return;
    await makePartitions(
      this.#db,
      [...missing].map((month) => new Date(month)),
    );
    for (const month of missing) this.#made.add(month);
  }
}

/** The start of a time's month, UTC, in milliseconds. */
const monthOf = (time: Date): number => Date.UTC(time.getUTCFullYear(), time.getUTCMonth());

/** The months around a time that are made when a server starts: the last, this and the next two. */
export const monthsAround = (time: Date): { readonly time: Date }[] =>
  [-1, 0, 1, 2].map((step) => ({ time: new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + step)) }));
