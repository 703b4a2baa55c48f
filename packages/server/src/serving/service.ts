/** @file Rules of deployments: see README.md. */
import { availableParallelism } from "node:os";
import {
  AppError,
  type Batching,
  type CreateDeployment,
  type Deployment,
  type ListQuery,
  type ModelVersion,
  type Page,
  type ProjectId,
  type UpdateDeployment,
} from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Ground } from "../feature.ts";
import { pageOf } from "../http/index.ts";
import type {
  CallOptions,
  ClassifyResult,
  Deployments,
  DescribedDeployment,
  InferCall,
  InferResult,
} from "./deployments.ts";
import type { Fleet, ServableModels } from "./fleet.ts";
import type { ReplicaAnswer, ReplicaCall } from "./replica/protocol.ts";
import type { RunningDeployment, RunningRevision } from "./running-deployment.ts";
import { type DeploymentRow, type NewRevision, type RevisionRow, ServingStore } from "./store.ts";
import { deploymentToWire } from "./wire.ts";

interface Deps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly models: ServableModels;
  readonly fleet: Fleet;
}

/** So long after a call there is still traffic. */
const trafficMs = 60_000;

/** Deployments of all projects: their rows, and calls to what runs. */
export class ServingService implements Deployments {
  readonly #deps: Deps;
  readonly #store: ServingStore;
  readonly #removals = new Set<Promise<void>>();
  #lastCallMs = Number.NEGATIVE_INFINITY;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#store = new ServingStore(deps.db);
  }

  /** Brings back every deployment that should run, and ends the removals that a killed server had begun. */
  async start(): Promise<void> {
    const { ground } = this.#deps;
    for (const row of await this.#store.all()) {
      if (row.intent === "remove") {
        await this.#store.remove(row.project_id, row.id);
        continue;
      }
      const running = this.#deps.fleet.add(row);
      const revisions = await this.#store.revisions(row.project_id, [row.id]);
      const wanted: { row: RevisionRow; version: ModelVersion }[] = [];
      // The active one first: it answers while a pending one starts.
      for (const state of ["active", "pending"]) {
        const revision = revisions.findLast((one) => one.state === state);
        if (revision === undefined) continue;
        const version = await this.#deps.models.findVersionById(row.project_id, revision.model_version_id);
        if (version !== undefined) wanted.push({ row: revision, version });
        else ground.log.error({ deployment: row.name, version: revision.model_version_id }, "a version in use is gone");
      }
      running.restore(wanted);
    }
  }

  /** Drains and stops all; rows stay. */
  async stop(): Promise<void> {
    await Promise.all([this.#deps.fleet.stop(), ...this.#removals]);
  }

  /** @throws AppError `model.not_found`, `model.version_not_found`, `deployment.name_taken` */
  async create(projectId: ProjectId, input: CreateDeployment): Promise<Deployment> {
    const { ground, db, models, fleet } = this.#deps;
    const version = await models.resolve(projectId, input.model);
    const id = ground.newId("deployment");
    const revision = this.#newRevision(projectId, id, 1, version, {
      threads: input.threads ?? availableParallelism(),
      batching: input.batching,
    });
    await db.transaction().execute(async (tx) => {
      const store = new ServingStore(tx);
      if (!(await store.insertIfAbsent({ id, projectId, name: input.name, replicas: input.replicas })))
        throw new AppError("deployment.name_taken", `This project already has a deployment "${input.name}".`);
      await store.insertRevision(revision).catch(modelIsGone(input.model));
    });
    const [row, revisions] = await this.#rows(projectId, id);
    void fleet.add(row).roll(last(revisions), version);
    return this.#toWire(row, revisions);
  }

  /** By name or id. @throws AppError `deployment.not_found` */
  async get(projectId: ProjectId, nameOrId: string): Promise<Deployment> {
    return this.#toWire(...(await this.#rows(projectId, nameOrId)));
  }

  async list(projectId: ProjectId, query: ListQuery): Promise<Page<Deployment>> {
    const rows = await this.#store.list(projectId, query);
    const revisions = Map.groupBy(
      await this.#store.revisions(
        projectId,
        rows.map(({ id }) => id),
      ),
      (revision) => revision.deployment_id,
    );
    return pageOf(rows, query.limit, (row) => this.#toWire(row, revisions.get(row.id) ?? []));
  }

  /**
   * Changes what is named. Another version or other settings become a new revision, replicas alone do not.
   * @throws AppError `deployment.not_found`, `deployment.stopping`, `model.not_found`, `model.version_not_found`
   */
  async update(projectId: ProjectId, nameOrId: string, input: UpdateDeployment): Promise<Deployment> {
    const { db, models, fleet } = this.#deps;
    const [{ id }] = await this.#rows(projectId, nameOrId);
    const wanted = input.model === undefined ? undefined : await models.resolve(projectId, input.model);
    const version = await db.transaction().execute(async (tx) => {
      const store = new ServingStore(tx);
      const row = await store.lock(projectId, id);
      if (row === undefined) throw notFound(nameOrId);
      if (row.intent === "remove")
        throw new AppError("deployment.stopping", `The deployment "${row.name}" is being deleted.`);
      if (input.replicas !== undefined) await store.setReplicas(projectId, id, input.replicas);
      const before = last(await store.revisions(projectId, [id]));
      const changed = this.#changedRevision(before, wanted, input);
      if (changed === undefined) return undefined;
      const changedVersion = wanted ?? (await models.findVersionById(projectId, before.model_version_id));
      if (changedVersion === undefined)
        throw new AppError("model.version_not_found", `${before.model}@${before.model_version} was deleted.`);
      await store.retirePending(projectId, id);
      await store.setError(projectId, id, null);
      await store
        .insertRevision(this.#newRevision(projectId, id, changed.revision, changedVersion, changed))
        .catch(modelIsGone(changedVersion.model));
      return changedVersion;
    });
    const [row, revisions] = await this.#rows(projectId, id);
    const running = fleet.byId(id);
    if (input.replicas !== undefined) running?.scale(input.replicas);
    if (version !== undefined) void running?.roll(last(revisions), version);
    return this.#toWire(row, revisions);
  }

  /** New calls don't find it from now on; calls under way end, replicas stop, then it is gone. @throws AppError `deployment.not_found` */
  async delete(projectId: ProjectId, nameOrId: string): Promise<Deployment> {
    const { fleet, ground } = this.#deps;
    const [found, revisions] = await this.#rows(projectId, nameOrId);
    if (found.intent === "serve") {
      await this.#store.markForRemoval(projectId, found.id);
      fleet.hide(found);
      const removal = this.#remove(found)
        .catch((error: unknown) =>
          ground.log.error({ deployment: found.name, error: String(error) }, "a deployment could not be removed"),
        )
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
    return this.#toWire({ ...found, intent: "remove" }, revisions);
  }

  async infer(projectId: ProjectId, name: string, call: InferCall, options: CallOptions): Promise<InferResult> {
    const { inputs, outputs } = call;
    const { answer, by, running } = await this.#call(
      projectId,
      name,
      { type: "infer", inputs, ...(outputs && { outputs }) },
      options,
    );
    return { ...answered(answer, by, running), outputs: answer.outputs };
  }

  async classify(projectId: ProjectId, name: string, image: Uint8Array, options: CallOptions): Promise<ClassifyResult> {
    const { answer, by, running } = await this.#call(projectId, name, { type: "classify", image }, options);
    const [scores] = Object.values(answer.outputs);
    if (scores?.dtype !== "float32")
      throw new AppError(
        "engine.failed",
        `${by.row.model}@${by.row.model_version}: expected float32 scores of the classes, received ${scores?.dtype ?? "none"}.`,
      );
    return { ...answered(answer, by, running), scores: scores.data, classNames: by.version.task?.class_names ?? [] };
  }

  async describe(projectId: ProjectId, name: string, revision?: number): Promise<DescribedDeployment> {
    const { running, pinned } = this.#running(projectId, name);
    const { row, version } = currentOf(running, revision ?? pinned);
    return {
      name: running.name,
      isReady: running.isReady,
      revision: row.revision,
      model: row.model,
      modelVersion: row.model_version,
      inputs: version.inputs,
      outputs: version.outputs,
      task: version.task,
    };
  }

  async #call(projectId: ProjectId, name: string, call: ReplicaCall, { signal, revision }: CallOptions) {
    const { running, pinned } = this.#running(projectId, name);
    this.#lastCallMs = performance.now();
    if (revision !== undefined || pinned !== undefined) currentOf(running, revision ?? pinned);
    return { ...(await running.call(call, signal)), running };
  }

  /** True for a minute after a call: training that starts then leaves a core free. */
  hasTraffic(): boolean {
    return performance.now() - this.#lastCallMs < trafficMs;
  }

  /** `name`, or `name@2` to pin a revision. */
  #running(projectId: ProjectId, reference: string): { running: RunningDeployment; pinned: number | undefined } {
    const [name = "", pinned] = reference.split(/@(?=[1-9]\d{0,8}$)/);
    const running = this.#deps.fleet.byName(projectId, name);
    if (running === undefined) throw notFound(name);
    return { running, pinned: pinned === undefined ? undefined : Number(pinned) };
  }

  async #rows(projectId: ProjectId, nameOrId: string): Promise<[DeploymentRow, RevisionRow[]]> {
    const row = await this.#store.find(projectId, nameOrId);
    if (row === undefined) throw notFound(nameOrId);
    return [row, await this.#store.revisions(projectId, [row.id])];
  }

  #toWire(row: DeploymentRow, revisions: readonly RevisionRow[]): Deployment {
    return deploymentToWire(row, revisions, this.#deps.fleet.byId(row.id));
  }

  #newRevision(
    projectId: ProjectId,
    deploymentId: string,
    revision: number,
    version: ModelVersion,
    settings: { readonly threads: number; readonly batching: Batching },
  ): NewRevision {
    return {
      id: this.#deps.ground.newId("revision"),
      project_id: projectId,
      deployment_id: deploymentId,
      revision,
      model_id: version.model_id,
      model: version.model,
      model_version: version.version,
      model_version_id: version.id,
      sha256: version.sha256,
      threads: settings.threads,
      batching: settings.batching,
    };
  }

  /** The settings of the revision that a change asks for; undefined when it is the newest one, and that one may still run. */
  #changedRevision(before: RevisionRow, wanted: ModelVersion | undefined, input: UpdateDeployment) {
    const threads = input.threads ?? before.threads;
    const batching: Batching = { ...before.batching, ...withoutUndefined(input.batching ?? {}) };
    const isSame =
      (wanted?.id ?? before.model_version_id) === before.model_version_id &&
      threads === before.threads &&
      (Object.keys(batching) as (keyof Batching)[]).every((key) => batching[key] === before.batching[key]);
    const asksForRevision = wanted !== undefined || input.threads !== undefined || input.batching !== undefined;
    // The same again, after it failed, is another try.
    if (isSame && !(before.state === "failed" && asksForRevision)) return undefined;
    return { revision: before.revision + 1, threads, batching };
  }

  async #remove(row: DeploymentRow): Promise<void> {
    const { fleet } = this.#deps;
    await fleet.byId(row.id)?.stop();
    await this.#store.remove(row.project_id, row.id);
    fleet.forget(row.id);
  }
}

function answered(answer: ReplicaAnswer, { row }: RunningRevision, running: RunningDeployment) {
  return {
    served: { deployment: running.name, model: row.model, model_version: String(row.model_version) },
    revision: row.revision,
    modelVersion: row.model_version,
    timings: { queueMs: answer.queueMs, computeMs: answer.computeMs, batchSize: answer.batchSize },
  };
}

/** Only one revision answers: another number is not found. */
function currentOf(running: RunningDeployment, revision: number | undefined): RunningRevision {
  const { current } = running;
  if (current === undefined)
    throw new AppError("deployment.not_ready", `The deployment "${running.name}" is ${running.status()}.`);
  if (revision !== undefined && revision !== current.row.revision)
    throw new AppError(
      "deployment.revision_not_found",
      `Revision ${revision} of "${running.name}" does not run; revision ${current.row.revision} does.`,
    );
  return current;
}

const notFound = (nameOrId: string): AppError =>
  new AppError("deployment.not_found", `There is no deployment "${nameOrId}".`);

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error("a deployment has at least one revision");
  return item;
}

/** PATCH merges: a field that is not named keeps its value. */
const withoutUndefined = (fields: NonNullable<UpdateDeployment["batching"]>): Partial<Batching> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** PostgreSQL's code for a row that names one which is gone: the model was deleted since it was looked up. */
const modelIsGone = (model: string) => (cause: unknown) => {
  const isGone = cause instanceof Error && "code" in cause && cause.code === "23503";
  throw isGone ? new AppError("model.not_found", `The model "${model}" was deleted meanwhile.`, { cause }) : cause;
};
