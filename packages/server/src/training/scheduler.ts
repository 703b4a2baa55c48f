/** @file Which run works when: oldest first, so many at once, one worker each. */

import { rm } from "node:fs/promises";
import type { RunId } from "@gristmill/contract";
import { dueSlices, PaidTime } from "../metering/index.ts";
import { Attempt, type AttemptDeps } from "./attempt.ts";
import { changeOf, resumption } from "./ending.ts";
import { attemptFolder } from "./preparation.ts";
import { nextStatus } from "./state.ts";
import { dbNow, type RunChange, type RunRow } from "./store.ts";
import { isPayable, paidTimeOf, settleSlices, usageOf } from "./usage.ts";

/** How much may be trained at once. */
export interface Capacity {
  /** Runs at the same time. */
  readonly concurrency: number;
  /** Cores of this machine that training may use. */
  readonly cores: number;
  /** True while a deployment has traffic: new runs leave it a core. */
  readonly busy: () => boolean;
}

/** Takes runs from the queue while there is room. It is woken by what changes the queue and by runs whose time comes; it never polls. */
export class Scheduler {
  readonly #deps: AttemptDeps;
  readonly #capacity: Capacity;
  readonly #attempts = new Map<RunId, Attempt>();
  #timer: NodeJS.Timeout | undefined;
  #pausedTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #pumping: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #started = false;

  constructor(deps: AttemptDeps, capacity: Capacity) {
    this.#deps = deps;
    this.#capacity = capacity;
  }

  /** Queues again what a killed process left, then begins. Call it when leftover workers are ended. */
  async start(): Promise<void> {
    for (const run of await this.#deps.store.abandoned(this.#deps.owner)) await this.#takeOver(run);
    this.#started = true;
    this.#pausedTimer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#lookAtPaused());
    }, this.#deps.timing.pausedCheckMs);
    this.wake();
  }

  /** Looks at the queue, now or, when it is looking, once more after that. */
  wake(): void {
    if (!this.#started || this.#stopped) return;
    if (this.#pumping !== undefined) {
      this.#again = true;
      return;
    }
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  /** Tells a run's worker to stop, if it is ours. */
  cancel(runId: RunId): void {
    this.#attempts.get(runId)?.cancel();
  }

  /** Ends all workers; their runs go on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pausedTimer);
    await this.#looking;
    await this.#pumping;
    await Promise.all([...this.#attempts.values()].map((attempt) => attempt.stop()));
  }

  async #pump(): Promise<void> {
    const { store, ground, timing } = this.#deps;
    clearTimeout(this.#timer);
    try {
      while (!this.#stopped && this.#attempts.size < this.#capacity.concurrency) {
        const run = await store.claim((row) => this.#claim(row));
        if (run === undefined) break;
        this.#begin(run);
      }
      const dueMs = this.#attempts.size < this.#capacity.concurrency ? await store.nextDueInMs() : undefined;
      if (dueMs !== undefined) this.#wakeIn(dueMs + 1);
    } catch (error) {
      ground.log.warn({ error: String(error) }, "the queue of runs could not be read; trying again");
      this.#wakeIn(timing.retryMs);
    }
  }

  #wakeIn(milliseconds: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.wake(), milliseconds);
  }

  /** Queues again the paused runs whose budgets have room: a claim is tried, and given back at once. */
  async #lookAtPaused(): Promise<void> {
    const { store, ledger, ground, signals } = this.#deps;
    try {
      for (const run of await store.paused()) {
        if (!(await isPayable(ledger, run))) continue;
        await store.change({ id: run.id, projectId: run.project_id }, resumption);
        signals.notify(run.id);
        this.wake();
      }
    } catch (error) {
      ground.log.warn({ error: String(error) }, "paused runs could not be looked at; trying again");
    }
  }

  #begin(run: RunRow): void {
    const attempt = new Attempt(this.#deps, run);
    this.#attempts.set(run.id, attempt);
    this.#deps.signals.notify(run.id);
    void attempt.done.finally(() => {
      this.#attempts.delete(run.id);
      this.wake();
    });
  }

  #claim(row: RunRow): RunChange | undefined {
    const status = nextStatus(row.status, "claimed");
    if (status === undefined) return undefined;
    const { cores, busy } = this.#capacity;
    // Fixed at the first attempt: with another number of threads, sums come in another order and the last bits differ.
    const threads = row.threads ?? row.request.fit.threads ?? (busy() ? Math.max(1, cores - 1) : cores);
    const attempt = row.attempts + 1;
    const epoch = row.checkpoint?.epoch ?? 0;
    return {
      set: {
        status,
        threads,
        attempts: attempt,
        owner: this.#deps.owner,
        started_at: row.started_at ?? dbNow,
        attempt_started_at: dbNow,
        heartbeat_at: dbNow,
      },
      events: [
        attempt === 1
          ? { type: "run.started", data: { attempt, threads } }
          : { type: "run.resumed", data: { attempt, threads, epoch } },
      ],
    };
  }

  /** Settles and queues again (or ends, when it was to be cancelled) a run whose main process is gone. */
  async #takeOver(run: RunRow): Promise<void> {
    const { store, ledger, ground, signals, folder, owner } = this.#deps;
    const key = { id: run.id, projectId: run.project_id };
    const before = run.owner === null ? {} : { fence: { owner: run.owner, attempt: run.attempts } };
    // Ours first: should the other one live after all, its time stands still before it is counted.
    const taken = await store.change({ ...key, ...before }, () => ({ set: { owner } }));
    if (taken === undefined) return;
    const due = dueSlices(Number(taken.attempt_ms), taken.slices_recorded, true);
    await settleSlices(ledger, taken, usageOf(taken, due));
    await PaidTime.endLeft(paidTimeOf(ledger, taken), taken.slices_recorded + due.length);
    const changed = await store.change({ ...key, fence: { owner, attempt: run.attempts } }, (row) =>
      changeOf(row, { kind: "interrupted", reason: "the server was not stopped properly" }),
    );
    if (changed === undefined) return;
    await rm(attemptFolder(folder, run), { recursive: true, force: true });
    ground.log.warn({ run: run.id, status: changed.status }, "took over a run that a killed server left");
    signals.notify(run.id);
  }
}
