/** @file Makes the deliveries: at least once each, a few at a time, whatever servers die meanwhile. */
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import { delayAfter, retryDelays } from "./back-off.ts";
import { claimDue, deleteEnded, recordOutcome } from "./delivery-store.ts";
import type { Delivery, Send } from "./notice.ts";

/** What the courier is made from. */
export interface CourierParts {
  readonly db: Database;
  readonly log: Log;
  readonly send: Readonly<Record<Delivery["channel"], Send>>;
  /** How often the queue is looked at without being called; default 2000. */
  readonly pollMs?: number;
  /** See back-off.ts. */
  readonly delays?: readonly number[];
}

const maxInFlight = 8;
const maxPerReceiver = 2;
/** Longer than any attempt takes, so that none is made twice while its server lives. */
const leaseMs = 60_000;
const keptMs = 30 * 86_400_000;
const sweepEveryMs = 3_600_000;

/** Runs from `start` to `stop`. Each server has one; the database gives each delivery to one of them. */
export class Courier {
  readonly #parts: CourierParts;
  readonly #inFlight = new Map<Delivery, Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isCalled = false;
  #sweptAtMs = 0;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.call(), this.#parts.pollMs ?? 2000);
    this.call();
  }

  /** Looks at the queue now. */
  call(): void {
    if (this.#timer === undefined || this.#stopping.signal.aborted) return;
    this.#isCalled = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Attempts under way are broken off and made again by the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#looking;
    await Promise.all(this.#inFlight.values());
  }

  async #look(): Promise<void> {
    const { db, log } = this.#parts;
    try {
      while (this.#isCalled && !this.#stopping.signal.aborted) {
        this.#isCalled = false;
        const limit = maxInFlight - this.#inFlight.size;
        if (limit === 0) return;
        const busy = [...this.#inFlight.keys()].map(({ recipient }) => recipient);
        const due = await claimDue(db, { limit, perReceiver: maxPerReceiver, busy, leaseMs });
        for (const delivery of due) this.#inFlight.set(delivery, this.#deliver(delivery));
      }
      await this.#sweep();
    } catch (error) {
      log.warn({ err: error }, "deliveries wait: their queue can't be read");
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { db, log, send, delays = retryDelays } = this.#parts;
    const { id, channel, attempts } = delivery;
    try {
      const outcome = await send[channel](delivery, this.#stopping.signal);
      const isFinal = outcome.kind === "refused" && outcome.isFinal;
      const delayMs = isFinal ? undefined : delayAfter(attempts, delays);
      await recordOutcome(db, id, outcome, delayMs);
      if (outcome.kind === "refused" && delayMs === undefined)
        log.warn({ delivery_id: id, channel, attempts, error: outcome.error }, "a delivery was given up");
    } catch (error) {
      log.error({ err: error, delivery_id: id }, "a delivery will be made again: its outcome was not recorded");
    } finally {
      this.#inFlight.delete(delivery);
      this.call();
    }
  }

  async #sweep(): Promise<void> {
    if (performance.now() - this.#sweptAtMs < sweepEveryMs && this.#sweptAtMs > 0) return;
    this.#sweptAtMs = performance.now();
    await deleteEnded(this.#parts.db, keptMs);
  }
}
