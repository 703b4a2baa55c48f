/** @file One attempt of a run: a worker process, watched from its start to its end. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Run } from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Child, Children } from "../children/index.ts";
import type { Datasets } from "../data/index.ts";
import type { Ground } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import type { Models } from "../models/index.ts";
import { lockObject, type ObjectStore, releaseObject } from "../objects/index.ts";
import { changeOf, type Ending } from "./ending.ts";
import { type Preparation, prepareAttempt, runFolder, taskOf } from "./preparation.ts";
import { cardOf } from "./registration.ts";
import type { RunSignals } from "./signals.ts";
import { dueSlices } from "./slices.ts";
import { dbNow, type RunChange, type RunKey, type RunRow, type RunStore } from "./store.ts";
import { usageOf } from "./usage.ts";
import {
  type EpochMessage,
  type FailedMessage,
  type FinishedMessage,
  type FromWorker,
  fromWorker,
  type ToWorker,
} from "./worker/protocol.ts";

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
  /** How long a worker may take to stop when asked; then it is killed. Longer than one run of the graph. */
  readonly cancelGraceMs: number;
  /** Between tries to reach a database that is away. */
  readonly retryMs: number;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
}

const entry = join(import.meta.dirname, "worker", "main.ts");

/** Follows one worker. `done` never rejects before the row says how the attempt ended, or says that it is another's. */
export class Attempt {
  readonly runId: string;
  readonly done: Promise<void>;
  readonly #deps: AttemptDeps;
  readonly #key: RunKey;
  readonly #stop = new AbortController();
  #run: RunRow;
  #child: Child | undefined;
  #cancelled = false;
  /** Another scheduler owns the run: write nothing. */
  #lost = false;
  #began = 0;
  #folder = "";
  #said: FinishedMessage | FailedMessage | { readonly type: "stopped" } | undefined;
  /** Why we ended the worker ourselves. */
  #broken: unknown;

  constructor(deps: AttemptDeps, run: RunRow) {
    this.#deps = deps;
    this.#run = run;
    this.runId = run.id;
    this.#key = { id: run.id, projectId: run.project_id, fence: { owner: deps.owner, attempt: run.attempts } };
    this.done = this.#follow();
  }

  /** Asks the worker to stop and kills it when it takes too long. The row says `cancelling` already. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (this.#child !== undefined) this.#askToStop(this.#child);
  }

  /** Ends the worker; the run goes on from its checkpoint when a server starts again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#child?.stop();
    await this.done;
  }

  async #follow(): Promise<void> {
    const { ground, folder } = this.#deps;
    let ending: Ending;
    try {
      const preparation = await this.#persist(() => prepareAttempt(this.#run, this.#deps));
      this.#folder = preparation.folder;
      ending = await this.#work(preparation);
    } catch (error) {
      ending = this.#endingOfError(error);
    }
    try {
      if (!this.#lost) await this.#persist(() => this.#end(ending));
    } catch (error) {
      // The next start finds the row as it is, takes it over and settles it.
      ground.log.error({ run: this.runId, error: String(error) }, "the end of a run could not be written");
    } finally {
      await rm(runFolder(folder, this.runId), { recursive: true, force: true });
    }
  }

  /** Runs the worker to its end. */
  async #work({ start, readPaths, folder }: Preparation): Promise<Ending> {
    const { children, ground, timing } = this.#deps;
    if (this.#stop.signal.aborted) return interrupted;
    this.#began = timing.monotonicMs();
    const child = await children.start({
      name: `run ${this.runId}`,
      entry,
      readPaths,
      writePaths: [folder],
      nice: 10,
      start,
    });
    this.#child = child;
    if (this.#cancelled) this.#askToStop(child);
    if (this.#stop.signal.aborted) void child.stop();
    let handled: Promise<void> = Promise.resolve();
    child.onMessage((message) => {
      handled = handled.then(() => this.#hear(child, message)).catch((error: unknown) => this.#abandon(child, error));
    });
    let beaten: Promise<void> = Promise.resolve();
    const heartbeat = setInterval(() => {
      beaten = beaten.then(() => this.#beat(child));
    }, timing.heartbeatMs);
    const exit = await child.exited;
    clearInterval(heartbeat);
    await beaten;
    await handled;
    const elapsedMs = Math.max(1, Math.round(timing.monotonicMs() - this.#began));
    await this.#persist(() => this.#change(() => ({ set: { attempt_ms: elapsedMs } })));
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#said?.type === "finished") return await this.#register(this.#said);
    if (this.#said?.type === "failed") return { kind: "failed", code: this.#said.code, message: this.#said.message };
    if (this.#said?.type === "stopped" || this.#cancelled) return { kind: "stopped" };
    if (this.#stop.signal.aborted) return interrupted;
    const how = exit.signal === null ? `ended with code ${exit.code}` : `was killed by ${exit.signal}`;
    ground.log.warn({ run: this.runId, attempt: this.#run.attempts, lastLines: exit.lastLines }, `worker ${how}`);
    return { kind: "died", how, lastLines: exit.lastLines };
  }

  async #hear(child: Child, raw: unknown): Promise<void> {
    if (this.#lost || this.#broken !== undefined) return;
    const message: FromWorker = fromWorker.parse(raw);
    switch (message.type) {
      case "progress": {
        const { progress } = message;
        const change = (): RunChange => ({
          set: { progress: JSON.stringify(progress) },
          events: [{ type: "run.progress", data: progress }],
        });
        await this.#change(change).catch(ignoreUnavailable); // the next one comes soon
        return;
      }
      case "epoch":
        await this.#persist(() => this.#saveEpoch(message));
        child.send({ type: "recorded", epoch: message.epoch } satisfies ToWorker);
        return;
      case "evaluated": {
        const { metrics } = message;
        const change = (): RunChange => ({
          set: { evaluation: JSON.stringify(metrics) },
          events: [{ type: "run.evaluated", data: { metrics } }],
        });
        await this.#persist(() => this.#change(change));
        return;
      }
      case "finished":
      case "failed":
      case "stopped":
        this.#said = message;
    }
  }

  /** Checkpoint, history and events in one step: after any kill, the row's history is that of its checkpoint. */
  async #saveEpoch({ epoch, metrics, seconds, checkpoint: file }: EpochMessage): Promise<void> {
    const { objects, db, store } = this.#deps;
    const before = this.#run.checkpoint;
    const checkpoint = { epoch, sha256: file.sha256, size_bytes: file.sizeBytes };
    await this.#change(
      (row) => ({
        set: {
          checkpoint: JSON.stringify(checkpoint),
          history: JSON.stringify([...row.history, { epoch, metrics, seconds }]),
          deaths: 0,
        },
        events: [
          { type: "run.epoch_finished", data: { epoch, metrics, seconds } },
          { type: "run.checkpoint_saved", data: checkpoint },
        ],
      }),
      async (tx) => {
        await lockObject(tx, file.sha256);
        // On a second try the file has been moved already.
        if (!(await objects.has(file.sha256))) await this.#adopt(file);
      },
    );
    if (before === null || before.sha256 === file.sha256 || this.#lost) return;
    await releaseObject(db, objects, before.sha256, (tx) => store.namesObject(tx, before.sha256));
  }

  async #adopt(file: { readonly file: string; readonly sha256: string }): Promise<void> {
    const stored = await this.#deps.objects.adopt(join(this.#folder, file.file));
    if (stored.sha256 !== file.sha256)
      throw new Error(`${file.file}: the worker wrote sha256 ${file.sha256}, the disk has ${stored.sha256}`);
  }

  /** After the worker's end: its file into the store, then the version, once for a run however often this is tried. */
  async #register(finished: FinishedMessage): Promise<Ending> {
    const { objects, models } = this.#deps;
    const { register } = this.#run.request;
    const { model } = finished;
    let modelVersion: Run["model_version"] = null;
    if (register !== undefined && model !== null) {
      if (!(await objects.has(model.sha256))) await this.#adopt(model);
      const version = await this.#persist(() =>
        models.register({
          projectId: this.#run.project_id,
          model: register.model,
          object: { sha256: model.sha256, sizeBytes: model.sizeBytes },
          inputs: model.inputs,
          outputs: model.outputs,
          task: taskOf(this.#run),
          runId: this.#run.id,
          card: cardOf(this.#run, finished),
        }),
      );
      modelVersion = { model: version.model, version: version.version, id: version.id };
    }
    return { kind: "finished", modelVersion };
  }

  async #beat(child: Child): Promise<void> {
    const { ground, timing } = this.#deps;
    const elapsedMs = Math.round(timing.monotonicMs() - this.#began);
    try {
      const row = await this.#change(() => ({ set: { heartbeat_at: dbNow, attempt_ms: elapsedMs } }));
      if (row === undefined) return;
      if (row.status === "cancelling") this.cancel();
      await this.#recordSlices(false);
    } catch (error) {
      if (!isUnavailable(error)) await this.#abandon(child, error);
      else ground.log.warn({ run: this.runId }, "a run's heartbeat waits for the database");
    }
  }

  /** Writes what is due into the ledger, then how far it is. Between the two, a repeat is recognized by its id. */
  async #recordSlices(ended: boolean): Promise<void> {
    const run = this.#run;
    const due = dueSlices(Number(run.attempt_ms), run.slices_recorded, ended);
    if (due.length === 0) return;
    await this.#deps.ledger.record(run.project_id, usageOf(run, due));
    await this.#change(() => ({ set: { slices_recorded: run.slices_recorded + due.length } }));
  }

  async #end(ending: Ending): Promise<void> {
    await this.#recordSlices(true);
    await this.#change((row) => changeOf(row, ending));
    this.#deps.ground.log.info({ run: this.runId, attempt: this.#run.attempts, ending: ending.kind }, "attempt ended");
  }

  #endingOfError(error: unknown): Ending {
    if (this.#stop.signal.aborted) return interrupted;
    const message = error instanceof Error ? error.message : String(error);
    this.#deps.ground.log.error({ run: this.runId, error: message }, "an attempt broke");
    if (error instanceof AppError && (error.code === "artifact.corrupt" || error.code === "dataset.not_found"))
      return { kind: "failed", code: error.code, message };
    return { kind: "died", how: `could not go on: ${message}`, lastLines: "" };
  }

  /** Every write of ours goes through the fence: when it fails, the run is another's and the worker is ended. */
  async #change(decide: (row: RunRow) => RunChange | undefined, first?: Parameters<RunStore["change"]>[2]) {
    if (this.#lost) return undefined;
    const row = await this.#deps.store.change(this.#key, decide, first);
    if (row !== undefined) {
      this.#run = row;
      this.#deps.signals.notify(this.runId);
      return row;
    }
    this.#lost = true;
    this.#deps.ground.log.warn({ run: this.runId }, "another scheduler has taken this run");
    void this.#child?.stop(0);
    return undefined;
  }

  #askToStop(child: Child): void {
    child.send({ type: "cancel" } satisfies ToWorker);
    const timer = setTimeout(() => void child.stop(0), this.#deps.timing.cancelGraceMs);
    void child.exited.then(() => clearTimeout(timer));
  }

  async #abandon(child: Child, error: unknown): Promise<void> {
    this.#broken ??= error;
    await child.stop(0);
  }

  /** Tries again while the database is away; a stopping server gives up. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isUnavailable(error) || this.#stop.signal.aborted) throw error;
        await sleep(this.#deps.timing.retryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }
}

const interrupted: Ending = { kind: "interrupted", reason: "the server stops" };

const isUnavailable = (error: unknown): boolean => error instanceof AppError && error.code === "database.unavailable";

function ignoreUnavailable(error: unknown): void {
  if (!isUnavailable(error)) throw error;
}
