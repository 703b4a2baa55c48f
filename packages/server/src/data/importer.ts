/** @file Runs imports: leases and heartbeats, what a killed process left, failures, deletion, stop. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError, packageSource } from "@gristmill/contract";
import type { Kysely } from "kysely";
import { isConnectionLoss } from "../db/index.ts";
import type { Log } from "../feature.ts";
import { releaseObject } from "../objects/index.ts";
import { ImportJob, type ImportTools, LeaseLost, PreparedLost } from "./import-job.ts";
import type { IncomingFile } from "./staging.ts";
import type { DatasetRow } from "./store.ts";

/** What the importer needs beside an import's tools. */
export interface ImporterOptions extends ImportTools {
  readonly db: Kysely<unknown>;
  readonly log: Log;
  /** Package imports that read at the same time; the others wait. */
  readonly atOnce: number;
  /** Between two heartbeats, and two looks for leases that ran out. A lease lasts 30 s. */
  readonly heartbeatMs: number;
}

interface Running {
  readonly job: ImportJob;
  readonly controller: AbortController;
  /** Resolves when nothing of it runs any more, however it ended. */
  readonly done: Promise<void>;
}

/** Attempts after which an import that never ends well, such as one that ends the server each time, is given up. */
const mostAttempts = 5;

/** Why an import of this process ends early. Its row stays as it is. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const uploadLost = (): AppError =>
  new AppError(
    "request.cancelled",
    "The upload's stream was lost before its last file had arrived; upload the dataset again.",
  );

/** All imports of this process. */
export class Importer {
  readonly #options: ImporterOptions;
  readonly #owner = randomUUID();
  readonly #running = new Map<string, Running>();
  readonly #waiting: (() => void)[] = [];
  #reading = 0;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ImporterOptions) {
    this.#options = options;
  }

  /** The name under which this process holds imports. */
  get owner(): string {
    return this.#owner;
  }

  /** Takes over what a killed process left. The home has one owner, so every import that is not ours is nobody's. */
  async start(): Promise<void> {
    const { store, work, heartbeatMs } = this.#options;
    await mkdir(work, { recursive: true, mode: 0o700 });
    const rows = await store.takeOver(this.#owner, { all: true, except: [] });
    const kept = new Set(rows.map((row) => row.version_id));
    for (const name of await readdir(work))
      if (!kept.has(name)) await rm(join(work, name), { recursive: true, force: true });
    for (const row of rows) this.resume(row);
    await this.releaseObjects();
    this.#watch = setInterval(() => void this.#takeExpired(), heartbeatMs).unref();
  }

  /** Package imports go on at the next start; uploads can't. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#watch);
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(new Interrupted("The server stops."));
    await Promise.all(running.map(({ done }) => done));
  }

  /** Goes on with a row that we hold, in the background: from where it is. */
  resume(row: DatasetRow): void {
    if (this.#stopped) return;
    void this.#run(row, async (job, signal) => {
      if (row.attempts > mostAttempts && row.prepared === null)
        throw new AppError("internal", `The import was begun ${mostAttempts} times and never came to an end.`);
      const source = packageSource.safeParse(sourceAsAsked(row.source));
      const again = async (): Promise<void> => {
        if (!source.success) throw uploadLost();
        await this.#takeTurn(signal, () => job.fromPackage(source.data));
      };
      if (row.prepared === null) return await again();
      try {
        await job.finish(row.prepared);
      } catch (error) {
        if (!(error instanceof PreparedLost)) throw error;
        await this.#options.store.forgetPrepared(job.claim);
        await again();
      }
    }).catch(() => {}); // told in the row and the log
  }

  /** Imports an upload while it arrives. @throws what made it fail, which is also in the row. */
  async receive(row: DatasetRow, files: AsyncIterable<IncomingFile>, signal: AbortSignal): Promise<void> {
    if (this.#stopped) throw new AppError("server.stopping", "The server is shutting down.");
    const stop = (): void => this.#running.get(row.id)?.controller.abort(uploadLost());
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.#run(row, async (job) => {
        signal.throwIfAborted();
        await job.fromUpload(files);
      });
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Ends the import of a dataset that is being deleted; resolves when nothing of it runs any more. */
  async cancel(datasetId: string): Promise<void> {
    const running = this.#running.get(datasetId);
    if (running === undefined) return;
    running.controller.abort(new AppError("dataset.not_found", "The dataset was deleted during its import."));
    await running.done;
    await running.job.discard();
  }

  /** Frees objects that no row names any more. What fails is tried again with the next deletion, and at start. */
  async releaseObjects(): Promise<void> {
    const { db, objects, store, log } = this.#options;
    try {
      for (const sha256 of await store.queuedReleases()) {
        await releaseObject(db, objects, sha256, (tx) => store.isNamed(tx, sha256));
        await store.dropRelease(sha256);
      }
    } catch (err) {
      log.warn({ err }, "Objects of deleted datasets could not be freed yet.");
    }
  }

  async #run(row: DatasetRow, work: (job: ImportJob, signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const job = new ImportJob(this.#options, row, this.#owner, controller.signal);
    const heartbeat = setInterval(() => void this.#beat(job, controller), this.#options.heartbeatMs).unref();
    const outcome = work(job, controller.signal)
      .catch((error: unknown) => this.#failed(job, controller.signal.aborted ? controller.signal.reason : error))
      .finally(() => {
        clearInterval(heartbeat);
        this.#running.delete(row.id);
      });
    this.#running.set(row.id, { job, controller, done: outcome.catch(() => {}) });
    await outcome;
  }

  /** Writes why, unless the import can go on later, and tells the caller too. */
  async #failed(job: ImportJob, error: unknown): Promise<never> {
    const { log, store } = this.#options;
    const { row } = job;
    const fields = { dataset: row.id, project: row.project_id, err: error };
    if (error instanceof LeaseLost) throw error;
    const canGoOn = job.stage !== "reading" || packageSource.safeParse(sourceAsAsked(row.source)).success;
    if (error instanceof Interrupted && canGoOn) throw error;
    // With the objects in place only the database can have failed, and perhaps after it had recorded the usage.
    if (job.stage === "adopted" || (canGoOn && isPassing(error))) {
      log.warn(fields, "An import was interrupted; it is tried again when its lease has run out.");
      throw error;
    }
    const told = error instanceof AppError ? error : error instanceof Interrupted ? uploadLost() : undefined;
    if (told === undefined) log.error(fields, "An import failed.");
    else log.info(fields, "An import was refused.");
    await job.discard();
    const { code, message } = told ?? { code: "internal", message: "The import failed; the server's log says why." };
    await store.fail(job.claim, { code, message }).catch((err: unknown) => {
      log.warn({ ...fields, err }, "A failed import could not be written down; the next start will.");
    });
    throw told ?? error;
  }

  async #beat(job: ImportJob, controller: AbortController): Promise<void> {
    try {
      if (!(await this.#options.store.heartbeat(job.claim, job.progress))) controller.abort(new LeaseLost());
    } catch (err) {
      // Without its database an import goes on: when the lease runs out meanwhile, publishing refuses.
      this.#options.log.warn({ err, dataset: job.row.id }, "The heartbeat of an import was missed.");
    }
  }

  async #takeExpired(): Promise<void> {
    try {
      const except = [...this.#running.keys()];
      for (const row of await this.#options.store.takeOver(this.#owner, { all: false, except })) this.resume(row);
    } catch (err) {
      this.#options.log.warn({ err }, "Imports that nobody holds could not be looked for.");
    }
  }

  /** Bounds how many packages are read at once. */
  async #takeTurn(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (this.#reading >= this.#options.atOnce) await this.#turn(signal);
    else this.#reading += 1;
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#reading -= 1;
      else next();
    }
  }

  /** The turn is handed over, so the count stays. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      this.#waiting.push(go);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}

/** A source as asked for, without what was found out since. */
function sourceAsAsked({ obtained: _, ...source }: Record<string, unknown>): unknown {
  return source;
}

/** Failures that another attempt may not meet. */
const isPassing = (error: unknown): boolean =>
  isConnectionLoss(error) || (error instanceof AppError && error.retryable && error.code !== "request.cancelled");
