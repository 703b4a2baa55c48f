/** @file Writes of one attempt. Each goes through the fence: a run that another scheduler has taken is never written again. */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@gristmill/contract";
import type { RunSignals } from "./signals.ts";
import type { RunChange, RunKey, RunRow, RunStore } from "./store.ts";

interface Deps {
  readonly store: RunStore;
  readonly signals: RunSignals;
  readonly owner: string;
  /** Between tries to reach a database that is away. */
  readonly retryMs: number;
}

/** The run of one attempt, as last written, and the way to write it. */
export class RunWriter {
  readonly #deps: Deps;
  readonly #key: RunKey;
  readonly #onLost: () => void;
  /** Aborted: the server stops, so waiting for a database ends. */
  readonly #stop: AbortSignal;
  #run: RunRow;
  #isLost = false;

  constructor(deps: Deps, run: RunRow, stop: AbortSignal, onLost: () => void) {
    this.#deps = deps;
    this.#run = run;
    this.#stop = stop;
    this.#onLost = onLost;
    this.#key = { id: run.id, projectId: run.project_id, fence: { owner: deps.owner, attempt: run.attempts } };
  }

  /** As after the last write. */
  get run(): RunRow {
    return this.#run;
  }

  /** Another scheduler owns the run. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** As `RunStore.change`; undefined when the run is another's, now or since before. */
  async change(
    decide: (row: RunRow) => RunChange | undefined,
    first?: Parameters<RunStore["change"]>[2],
  ): Promise<RunRow | undefined> {
    if (this.#isLost) return undefined;
    const row = await this.#deps.store.change(this.#key, decide, first);
    if (row === undefined) {
      this.#isLost = true;
      this.#onLost();
      return undefined;
    }
    this.#run = row;
    this.#deps.signals.notify(row.id);
    return row;
  }

  /** Tries again while the database is away; a stopping server gives up. */
  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isUnavailable(error) || this.#stop.aborted) throw error;
        await sleep(this.#deps.retryMs, undefined, { signal: this.#stop }).catch(() => undefined);
      }
    }
  }
}

/** True when the database is away: nothing is wrong with what was to be written. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof AppError && error.code === "database.unavailable";
