/** @file One attempt of a run: a worker process, watched from its start to its end. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Run, type RunId } from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Child, ChildExit, Children } from "../children/index.ts";
import type { Datasets } from "../data/index.ts";
import type { Ground } from "../feature.ts";
import { dueSlices, isRefusal, type Ledger, PaidTime } from "../metering/index.ts";
import type { Models } from "../models/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { changeOf, type Ending } from "./ending.ts";
import { attemptFolder, type Preparation, prepareAttempt } from "./preparation.ts";
import { registerResult, saveEpoch } from "./results.ts";
import { isUnavailable, RunWriter } from "./run-writer.ts";
import type { RunSignals } from "./signals.ts";
import { dbNow, type RunChange, type RunRow, type RunStore } from "./store.ts";
import { paidTimeOf, settleSlices, usageOf } from "./usage.ts";
import { type FromWorker, fromWorker, type ToWorker } from "./worker/protocol.ts";

/** What attempts share. */
export interface AttemptDeps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly store: RunStore;
  readonly objects: ObjectStore;
  readonly datasets: Datasets;
  readonly models: Models;
  readonly ledger: Ledger;
  readonly children: Children;
  readonly signals: RunSignals;
  /** Where runs write. */
  readonly folder: string;
  /** Who we are, in `run.owner`. */
  readonly owner: string;
  readonly timing: Timing;
}

/** Milliseconds. */
export interface Timing {
  /** How often the row says that the run is alive, and how long it has run: after a kill of main, at most so much is lost. */
  readonly heartbeatMs: number;
  /** A worker that nobody pays for any longer is asked to stop so long before its paid time is over, and killed when it is. */
  readonly pauseMarginMs: number;
  /** How often paused runs are looked at: one goes on when its budget has room again. */
  readonly pausedCheckMs: number;
  /** How long a worker may take to stop when asked; then it is killed. Longer than one run of the graph. */
  readonly cancelGraceMs: number;
  /** Between tries to reach a database that is away. */
  readonly retryMs: number;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
}

const entry = join(import.meta.dirname, "worker", "main.ts");
const interrupted: Ending = { kind: "interrupted", reason: "the server stops" };

/** Follows one worker. When `done` resolves, the row says how the attempt ended, or is another scheduler's, or waits for the next start. */
export class Attempt {
  readonly done: Promise<void>;
  readonly #deps: AttemptDeps;
  readonly #id: RunId;
  readonly #writer: RunWriter;
  readonly #stop = new AbortController();
  readonly #paid: PaidTime;
  #child: Child | undefined;
  #isCancelled = false;
  /** Why the time after what is paid will not be; and the timers that see to it. */
  #unpaid: NonNullable<Run["error"]> | undefined;
  #folder = "";
  /** The worker's last word. */
  #said: Extract<FromWorker, { type: "finished" | "failed" | "stopped" }> | undefined;
  /** Why we ended the worker ourselves. */
  #broken: { readonly error: unknown } | undefined;

  constructor(deps: AttemptDeps, run: RunRow) {
    const { store, signals, owner, timing, ground } = deps;
    this.#deps = deps;
    this.#id = run.id;
    this.#paid = new PaidTime(paidTimeOf(deps.ledger, run));
    this.#writer = new RunWriter({ store, signals, owner, retryMs: timing.retryMs }, run, this.#stop.signal, () => {
      ground.log.warn({ run: run.id }, "another scheduler has taken this run");
      void this.#child?.stop(0);
    });
    this.done = this.#follow();
  }

  /** Asks the worker to stop and kills it when it takes too long. The row says `cancelling` already. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    if (this.#child !== undefined) this.#askToStop(this.#child, this.#deps.timing.cancelGraceMs);
  }

  /** Ends the worker; the run goes on from its checkpoint when a server starts again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#child?.stop();
    await this.done;
  }

  async #follow(): Promise<void> {
    const { ground, folder } = this.#deps;
    const writer = this.#writer;
    const ending = await this.#work().catch((error: unknown) => this.#endingOfError(error));
    try {
      if (!writer.isLost) await writer.persist(() => this.#end(ending));
    } catch (error) {
      // The next start finds the row as it is, takes it over and settles it.
      ground.log.error({ run: this.#id, error: String(error) }, "the end of an attempt could not be written");
    } finally {
      await rm(attemptFolder(folder, writer.run), { recursive: true, force: true });
    }
  }

  /** From preparation to the worker's end, and what it left. */
  async #work(): Promise<Ending> {
    const writer = this.#writer;
    try {
      await writer.persist(() => this.#paid.cover(0));
    } catch (error) {
      return pausedBy(error);
    }
    const preparation = await writer.persist(() => prepareAttempt(writer.run, this.#deps));
    this.#folder = preparation.folder;
    if (this.#stop.signal.aborted) return interrupted;
    const exit = await this.#watch(preparation);
    if (this.#broken !== undefined) throw this.#broken.error;
    const said = this.#said;
    if (said?.type === "finished") {
      const modelVersion = await writer.persist(() => registerResult(this.#deps, writer, this.#folder, said));
      return { kind: "finished", modelVersion };
    }
    if (said?.type === "failed") return { kind: "failed", code: said.code, message: said.message };
    if (this.#isCancelled) return { kind: "stopped" };
    if (this.#unpaid !== undefined) return { kind: "paused", error: this.#unpaid };
    if (said?.type === "stopped") return { kind: "stopped" };
    if (this.#stop.signal.aborted) return interrupted;
    const how = exit.signal === null ? `ended with code ${exit.code}` : `was killed by ${exit.signal}`;
    this.#deps.ground.log.warn({ run: this.#id, lastLines: exit.lastLines }, `a training worker ${how}`);
    return { kind: "died", how, lastLines: exit.lastLines };
  }

  /** Runs the worker until it is gone and everything that it said is handled. */
  async #watch({ start, readPaths, folder }: Preparation): Promise<ChildExit> {
    const { children, timing } = this.#deps;
    const began = timing.monotonicMs();
    const elapsedMs = (): number => Math.max(1, Math.round(timing.monotonicMs() - began));
    const name = `run ${this.#id}`;
    const child = await children.start({ name, entry, readPaths, writePaths: [folder], nice: 10, start });
    this.#child = child;
    if (this.#isCancelled) this.#askToStop(child, timing.cancelGraceMs);
    if (this.#stop.signal.aborted) void child.stop();
    let handled: Promise<void> = Promise.resolve();
    const next = (work: () => Promise<void>): void => {
      handled = handled.then(work).catch((error: unknown) => this.#abandon(child, error));
    };
    child.onMessage((message) => next(() => this.#hear(child, message)));
    // Not in the queue of messages: a beat goes on while a message waits for the database.
    let beaten: Promise<void> = Promise.resolve();
    const heartbeat = setInterval(() => {
      beaten = beaten.then(() => this.#beat(child, elapsedMs()));
    }, timing.heartbeatMs);
    const exit = await child.exited;
    clearInterval(heartbeat);
    // What a worker takes to be gone after its paid time is not the payer's.
    const totalMs = this.#unpaid === undefined ? elapsedMs() : Math.min(elapsedMs(), this.#paid.untilMs);
    await beaten;
    await handled;
    await this.#writer.persist(() => this.#writer.change(() => ({ set: { attempt_ms: totalMs } })));
    return exit;
  }

  async #hear(child: Child, raw: unknown): Promise<void> {
    const writer = this.#writer;
    if (writer.isLost || this.#broken !== undefined) return;
    const message: FromWorker = fromWorker.parse(raw);
    switch (message.type) {
      case "progress": {
        const { progress } = message;
        const change = (): RunChange => ({
          set: { progress: JSON.stringify(progress) },
          events: [{ type: "run.progress", data: progress }],
        });
        await writer.change(change).catch(ignoreUnavailable); // the next one comes soon
        return;
      }
      case "epoch":
        await writer.persist(() => saveEpoch(this.#deps, writer, this.#folder, message));
        // Nothing is lost by stopping here, and all of what comes after might be.
        if (this.#unpaid !== undefined) this.#askToStop(child, this.#deps.timing.pauseMarginMs);
        child.send({ type: "recorded", epoch: message.epoch } satisfies ToWorker);
        return;
      case "evaluated": {
        const { metrics } = message;
        const change = (): RunChange => ({
          set: { evaluation: JSON.stringify(metrics) },
          events: [{ type: "run.evaluated", data: { metrics } }],
        });
        await writer.persist(() => writer.change(change));
        return;
      }
      case "finished":
      case "failed":
      case "stopped":
        this.#said = message;
    }
  }

  async #beat(child: Child, elapsedMs: number): Promise<void> {
    try {
      const row = await this.#writer.change(() => ({ set: { heartbeat_at: dbNow, attempt_ms: elapsedMs } }));
      if (row === undefined) return;
      if (row.status === "cancelling") this.cancel();
      await this.#recordSlices(false);
      await this.#payAhead(child, elapsedMs);
    } catch (error) {
      if (!isUnavailable(error)) await this.#abandon(child, error);
      else this.#deps.ground.log.warn({ run: this.#id }, "a run's heartbeat waits for the database");
    }
  }

  /** Claims the next slice in time; refused, the worker stops after the epoch that it is in, or when what is paid is over. */
  async #payAhead(child: Child, elapsedMs: number): Promise<void> {
    if (this.#unpaid !== undefined) return;
    try {
      await this.#paid.cover(elapsedMs);
    } catch (error) {
      const { pauseMarginMs } = this.#deps.timing;
      this.#unpaid = pausedBy(error).error;
      const leftMs = Math.max(0, this.#paid.untilMs - elapsedMs);
      const timer = setTimeout(() => this.#askToStop(child, pauseMarginMs), Math.max(0, leftMs - pauseMarginMs));
      const last = setTimeout(() => void child.stop(0), leftMs);
      void child.exited.then(() => [timer, last].forEach(clearTimeout));
      this.#deps.ground.log.info({ run: this.#id, left_ms: leftMs }, "no budget for more of a run: it will pause");
    }
  }

  /** Writes what is due into the ledger, then how far it is. Between the two, a repeat is recognized by its id. */
  async #recordSlices(ended: boolean): Promise<void> {
    const { run } = this.#writer;
    const due = dueSlices(Number(run.attempt_ms), run.slices_recorded, ended);
    if (due.length === 0) return;
    await settleSlices(this.#deps.ledger, run, usageOf(run, due));
    await this.#writer.change(() => ({ set: { slices_recorded: run.slices_recorded + due.length } }));
  }

  async #end(ending: Ending): Promise<void> {
    await this.#recordSlices(true);
    await this.#paid.end(this.#writer.run.slices_recorded);
    await this.#writer.change((row) => changeOf(row, ending));
    this.#deps.ground.log.info({ run: this.#id, ending: ending.kind }, "an attempt ended");
  }

  #endingOfError(error: unknown): Ending {
    if (this.#stop.signal.aborted) return interrupted;
    const message = error instanceof Error ? error.message : String(error);
    this.#deps.ground.log.error({ run: this.#id, error: message }, "an attempt broke");
    if (error instanceof AppError && (error.code === "artifact.corrupt" || error.code === "dataset.not_found"))
      return { kind: "failed", code: error.code, message };
    return { kind: "died", how: `could not go on: ${message}`, lastLines: "" };
  }

  #askToStop(child: Child, graceMs: number): void {
    child.send({ type: "cancel" } satisfies ToWorker);
    const timer = setTimeout(() => void child.stop(0), graceMs);
    void child.exited.then(() => clearTimeout(timer));
  }

  async #abandon(child: Child, error: unknown): Promise<void> {
    this.#broken ??= { error };
    await child.stop(0);
  }
}

/** @throws what has nothing to do with money. */
function pausedBy(error: unknown): Extract<Ending, { kind: "paused" }> {
  if (!isRefusal(error)) throw error;
  return { kind: "paused", error: { code: error.code, message: error.message, details: error.details } };
}

function ignoreUnavailable(error: unknown): void {
  if (!isUnavailable(error)) throw error;
}
