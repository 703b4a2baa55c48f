/** @file Rules of runs: see README.md. */
import {
  AppError,
  type CreateRun,
  isId,
  type KeyId,
  type ListQuery,
  type Page,
  type ProjectId,
  type RequestId,
  type Run,
} from "@gristmill/contract";
import type { Datasets } from "../data/index.ts";
import type { Ground } from "../feature.ts";
import { pageOf } from "../http/index.ts";
import { resumption } from "./ending.ts";
import { eventStream } from "./event-stream.ts";
import { planRun } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { RunSignals } from "./signals.ts";
import { isFinal, nextStatus } from "./state.ts";
import { dbNow, type RunRow, type RunStore } from "./store.ts";
import { runToWire } from "./wire.ts";

/** Who asked for a run, and in which request: its usage names both. */
export interface RunOrigin {
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  readonly requestId: RequestId;
}

interface Deps {
  readonly ground: Ground;
  readonly store: RunStore;
  readonly datasets: Datasets;
  readonly scheduler: Scheduler;
  readonly signals: RunSignals;
}

/** Runs of a project. */
export class Runs {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Checks the whole request and queues the run.
   * @throws AppError `dataset.not_found`, `dataset.not_ready`, `spec.invalid` or `request.invalid` that list all problems.
   */
  async create(origin: RunOrigin, request: CreateRun): Promise<Run> {
    const { ground, store, datasets, scheduler } = this.#deps;
    const pinned = await datasets.pin(origin.projectId, request.dataset);
    const plan = planRun(request, pinned);
    const id = ground.newId("run");
    const row = await store.insert({
      id,
      project_id: origin.projectId,
      key_id: origin.keyId,
      request_id: origin.requestId,
      name: request.name ?? id,
      dataset_id: pinned.datasetId,
      dataset_version_id: pinned.version.id,
      dataset_sha256: pinned.version.sha256,
      request,
      plan,
      labels: request.labels ?? {},
    });
    ground.log.info({ run: id, dataset: pinned.name }, "run queued");
    scheduler.wake();
    return runToWire(row);
  }

  /** @throws AppError `run.not_found` */
  async get(projectId: ProjectId, id: string): Promise<Run> {
    return runToWire(await this.#find(projectId, id));
  }

  async list(projectId: ProjectId, query: ListQuery): Promise<Page<Run>> {
    return pageOf(await this.#deps.store.list(projectId, query), query.limit, runToWire);
  }

  /**
   * A queued run is cancelled at once; a running one becomes `cancelling` until its worker has stopped. Asking again is no error.
   * @throws AppError `run.not_found`, `run.finished`
   */
  async cancel(projectId: ProjectId, id: string): Promise<Run> {
    const { store, scheduler, signals } = this.#deps;
    const run = await this.#find(projectId, id);
    const changed = await store.change({ id: run.id, projectId }, (row) => {
      const status = nextStatus(row.status, "cancel_requested");
      if (status === undefined) throw new AppError("run.finished", `The run ${id} is ${row.status} already.`);
      if (status !== "cancelled") return { set: { status } };
      return {
        set: { status, finished_at: dbNow },
        events: [{ type: "run.cancelled", data: { checkpoint: row.checkpoint } }],
      };
    });
    scheduler.cancel(run.id);
    signals.notify(run.id);
    return runToWire(changed ?? run);
  }

  /**
   * A paused run is queued again: it goes on from its checkpoint when its budget has room. Of any other status nothing changes.
   * @throws AppError `run.not_found`, `run.finished`
   */
  async resume(projectId: ProjectId, id: string): Promise<Run> {
    const { store, scheduler, signals } = this.#deps;
    const run = await this.#find(projectId, id);
    const changed = await store.change({ id: run.id, projectId }, (row) => {
      if (isFinal(row.status)) throw new AppError("run.finished", `The run ${id} is ${row.status} already.`);
      return resumption(row);
    });
    scheduler.wake();
    signals.notify(run.id);
    return runToWire(changed ?? run);
  }

  /** Server-sent events after a number, until the run's last one. @throws AppError `run.not_found`, before anything is sent. */
  async events(projectId: ProjectId, id: string, after: number, signal: AbortSignal): Promise<AsyncGenerator<string>> {
    const run = await this.#find(projectId, id);
    return eventStream(this.#deps, { projectId, id: run.id, after }, signal);
  }

  async #find(projectId: ProjectId, id: string): Promise<RunRow> {
    const run = isId("run", id) ? await this.#deps.store.find(projectId, id) : undefined;
    if (run === undefined) throw new AppError("run.not_found", `There is no run "${id}".`);
    return run;
  }
}
