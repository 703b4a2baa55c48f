/** @file What the audit log does beside the requests: enters leftovers, writes and prunes counts of denials. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import type { DenialCounter } from "./denial-counter.ts";
import { addDenials, pruneDenials } from "./denial-store.ts";
import type { DatabaseAuditTrail } from "./trail.ts";

/** What the chores work on. */
export interface ChoreParts {
  readonly trail: DatabaseAuditTrail;
  readonly denials: DenialCounter;
  readonly db: Database;
  readonly log: Log;
  readonly everyMs: number;
}

const pruneEvery = 120; // rounds: ten minutes
const kept = { keepDays: 30, most: 100_000 };

/** A round every few seconds, from `start` to `stop`. */
export class Chores {
  readonly #parts: ChoreParts;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ChoreParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#parts.trail.sweep();
    this.#running = this.#run();
  }

  /** Does a last round. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#round();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    for (let round = 0; !signal.aborted; round++) {
      await sleep(this.#parts.everyMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await this.#round();
      if (round % pruneEvery === 0) await this.#quietly("pruning denials", () => pruneDenials(this.#parts.db, kept));
    }
  }

  async #round(): Promise<void> {
    const { trail, denials, db } = this.#parts;
    await this.#quietly("entering leftovers", () => trail.sweep());
    const counts = denials.take();
    await this.#quietly("writing denials", () =>
      addDenials(db, counts).catch((error: unknown) => {
        denials.putBack(counts);
        throw error;
      }),
    );
  }

  /** The next round tries again. */
  async #quietly(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.#parts.log.warn({ err: error }, `audit: ${what} failed`));
  }
}
