/** @file Meters the time for which replicas are ready: a heartbeat in the row, a usage event for each full slice, the rest at the end. */
import type { Log } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import type { MeteredReplica, ReplicaStore } from "./replica-store.ts";
import { dueUsage } from "./usage.ts";

/** A kill of main loses less than this much of each replica's time. */
const heartbeatMs = 1500;
/** The ledger takes this many events in one call. */
const recordsPerCall = 1000;

/** Counts replicas' time into the ledger; nothing is lost but the time after the last heartbeat, and nothing counts twice. */
export class ReplicaMeter {
  readonly #store: ReplicaStore;
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #ready = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(deps: { store: ReplicaStore; ledger: Ledger; log: Log }) {
    this.#store = deps.store;
    this.#ledger = deps.ledger;
    this.#log = deps.log;
  }

  /** Settles what a killed server left, up to its last heartbeats, and begins to beat. */
  async start(): Promise<void> {
    for (const replica of await this.#store.open()) await this.#settle(replica);
    await this.#store.deleteSettled();
    this.#schedule();
  }

  /** Stops beating. Replicas are closed before. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#beating;
  }

  /** The replica is ready: its time counts from now. Without this it must not serve. */
  async open(id: string): Promise<void> {
    // Time of an earlier start that could not be written then, up to its own last heartbeat.
    for (const left of await this.#store.open([id])) await this.#settle(left);
    await this.#store.begin(id);
    this.#ready.add(id);
  }

  /** The replica is ready no more: its time up to now is written. When that fails, the next open or start does it. */
  async close(id: string): Promise<void> {
    if (!this.#ready.delete(id)) return;
    try {
      await this.#beating;
      await this.#store.beat([id]);
      for (const replica of await this.#store.open([id])) await this.#settle(replica);
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
    const ids = [...this.#ready];
    if (ids.length === 0) return;
    try {
      await this.#store.beat(ids);
      for (const replica of await this.#store.open(ids)) {
        const due = dueUsage(replica, false);
        if (due.length === 0) continue;
        await this.#record(replica, false);
        await this.#store.setSlicesRecorded(replica.id, replica.slicesRecorded + due.length);
      }
    } catch (error) {
      this.#log.error({ replicas: ids.length, error: String(error) }, "the heartbeat of replicas failed");
    }
  }

  async #settle(replica: MeteredReplica): Promise<void> {
    await this.#record(replica, true);
    await this.#store.close(replica.id);
  }

  async #record(replica: MeteredReplica, isEnd: boolean): Promise<void> {
    const due = dueUsage(replica, isEnd);
    for (let at = 0; at < due.length; at += recordsPerCall)
      await this.#ledger.record(replica.projectId, due.slice(at, at + recordsPerCall));
  }
}
