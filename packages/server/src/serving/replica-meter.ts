/** @file Meters the time for which replicas are ready: paid a slice ahead, a heartbeat in the row, a usage event for each full slice, the rest at the end. */
import type { AppError } from "@gristmill/contract";
import type { Log } from "../feature.ts";
import { isRefusal, type Ledger, PaidTime } from "../metering/index.ts";
import type { MeteredReplica, ReplicaStore } from "./replica-store.ts";
import { dueUsage, paidTimeOf } from "./usage.ts";

/** A kill of main loses less than this much of each replica's time. */
const heartbeatMs = 1500;

/** Told once, when the time after what is paid will not be paid. */
export type OnUnpaid = (refusal: AppError, leftMs: number) => void;

/** A replica whose time counts. */
interface OpenReplica {
  readonly paid: PaidTime;
  readonly onUnpaid: OnUnpaid;
  isUnpaid: boolean;
}

/** Counts replicas' time into the ledger; nothing is lost but the time after the last heartbeat, and nothing counts twice. */
export class ReplicaMeter {
  readonly #store: ReplicaStore;
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #drainMs: number;
  readonly #open = new Map<string, OpenReplica>();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();

  /** @param deps.drainMs so long before its paid time is over, a replica takes no more work; default 15 s. */
  constructor(deps: { store: ReplicaStore; ledger: Ledger; log: Log; drainMs?: number }) {
    this.#store = deps.store;
    this.#ledger = deps.ledger;
    this.#log = deps.log;
    this.#drainMs = deps.drainMs ?? 15_000;
  }

  /** Settles what a killed server left, up to its last heartbeats, and begins to beat. */
  async start(): Promise<void> {
    for (const replica of await this.#store.open()) await this.#settleLeft(replica);
    await this.#store.deleteSettled();
    this.#schedule();
  }

  /** Stops beating. Replicas are closed before. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#beating;
  }

  /** Finds out, before a process is started for it, whether a replica's first slices would be paid. @throws as `open`. */
  async probe(id: string): Promise<void> {
    const replica = await this.#store.find(id);
    if (replica === undefined) return;
    const next = { ...replica, starts: replica.starts + 1 };
    const paid = new PaidTime(paidTimeOf(this.#ledger, next));
    await paid.cover(0);
    await paid.end(0);
  }

  /**
   * The replica is ready: its time counts from now. Without this it must not serve.
   * @throws AppError `budget.exceeded`, `price.unknown` when nobody pays; `database.unavailable`.
   */
  async open(id: string, onUnpaid: OnUnpaid): Promise<void> {
    // Time of an earlier start that could not be written then, up to its own last heartbeat.
    for (const left of await this.#store.open([id])) await this.#settleLeft(left);
    await this.#store.begin(id);
    const [replica] = await this.#store.open([id]);
    if (replica === undefined) throw new Error(`replica ${id} has no row`);
    const paid = new PaidTime(paidTimeOf(this.#ledger, replica));
    try {
      await paid.cover(0);
    } catch (error) {
      await this.#store.close(id);
      throw error;
    }
    this.#open.set(id, { paid, onUnpaid, isUnpaid: false });
  }

  /** The replica is ready no more: its time up to now is written. When that fails, the next open or start does it. */
  async close(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    try {
      await this.#beating;
      await this.#store.beat([id]);
      for (const replica of await this.#store.open([id])) {
        // What it takes to be gone after its paid time is not the payer's.
        const lastMs = replica.readyAt.getTime() + (open.isUnpaid ? open.paid.untilMs : Number.POSITIVE_INFINITY);
        const heartbeatAt = replica.heartbeatAt.getTime() < lastMs ? replica.heartbeatAt : new Date(lastMs);
        const recorded = await this.#settle({ ...replica, heartbeatAt });
        await open.paid.end(recorded);
      }
    } catch (error) {
      this.#log.error({ replica: id, error: String(error) }, "a replica's time is not settled yet");
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat().finally(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    }, heartbeatMs);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    const ids = [...this.#open.keys()];
    if (ids.length === 0) return;
    try {
      await this.#store.beat(ids);
      for (const replica of await this.#store.open(ids)) {
        const recorded = await this.#record(replica, false);
        if (recorded > replica.slicesRecorded) await this.#store.setSlicesRecorded(replica.id, recorded);
        await this.#payAhead(replica);
      }
    } catch (error) {
      this.#log.error({ replicas: ids.length, error: String(error) }, "the heartbeat of replicas failed");
    }
  }

  async #payAhead(replica: MeteredReplica): Promise<void> {
    const open = this.#open.get(replica.id);
    if (open === undefined || open.isUnpaid) return;
    const elapsedMs = replica.heartbeatAt.getTime() - replica.readyAt.getTime();
    try {
      await open.paid.cover(elapsedMs);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // It serves for as long as it is paid, and asks again at every beat: meanwhile there may be room.
      const leftMs = Math.max(0, open.paid.untilMs - elapsedMs);
      if (leftMs > this.#drainMs) return;
      open.isUnpaid = true;
      open.onUnpaid(error, leftMs);
    }
  }

  /** Of a start that another process, or a try that failed, left open. */
  async #settleLeft(replica: MeteredReplica): Promise<void> {
    const recorded = await this.#settle(replica);
    await PaidTime.endLeft(paidTimeOf(this.#ledger, replica), recorded);
  }

  async #settle(replica: MeteredReplica): Promise<number> {
    const recorded = await this.#record(replica, true);
    await this.#store.close(replica.id);
    return recorded;
  }

  /** Writes what is due, each slice in place of its claim. Returns how many slices are recorded then. */
  async #record(replica: MeteredReplica, isEnd: boolean): Promise<number> {
    const due = dueUsage(replica, isEnd);
    for (const event of due) await this.#ledger.settle({ id: event.id, projectId: replica.projectId }, [event]);
    return replica.slicesRecorded + due.length;
  }
}
