/** @file Rules of deployments: see README.md. */
import { availableParallelism } from "node:os";
import {
  AppError,
  type CreateDeployment,
  type Deployment,
  type LanguageModel,
  type ListQuery,
  type ModelVersion,
  type Page,
  type ProjectId,
  type UpdateDeployment,
} from "@gristmill/contract";
import type { LanguageCard, Prompt, RerankRequest } from "@gristmill/engine";
import type { Kysely, Transaction } from "kysely";
import type { Ground } from "../feature.ts";
import { pageOf } from "../http/index.ts";
import type { CalledUpstreams } from "../upstreams/index.ts";
import type {
  AnsweredBy,
  CallOptions,
  ClassifyResult,
  CountCall,
  Deployments,
  DescribedDeployment,
  Embedding,
  GenerateCall,
  Generation,
  InferCall,
  InferResult,
  Ranking,
  TokenCount,
} from "./deployments.ts";
import type { Fleet, ServableModels } from "./fleet.ts";
import type { ReplicaCall, TensorAnswer } from "./replica/protocol.ts";
import { callsTheSame, checkNoSettings, heldUpstreams, modelRevision, upstreamRevision } from "./revisions.ts";
import type { RunningDeployment, RunningRevision } from "./running-deployment.ts";
import { changedSettings, newSettings, type SettingsInput } from "./settings.ts";
import { type DeploymentRow, type NewRevision, type RevisionRow, ServingStore } from "./store.ts";
import { deploymentToWire } from "./wire.ts";

interface Deps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly models: ServableModels;
  readonly upstreams: CalledUpstreams;
  readonly fleet: Fleet;
}

/** What engines take of a model that was trained for more. */
const defaultContextLength = 4096;
/** Bounds what a call can use before anybody told: larger than any context. */
const unknownContextLength = 16_777_216;
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
      const wanted: { row: RevisionRow; version: ModelVersion | undefined }[] = [];
      // The active one first: it answers while a pending one starts.
      for (const state of ["active", "pending"]) {
        const revision = revisions.findLast((one) => one.state === state);
        if (revision === undefined) continue;
        const versionId = revision.model_version_id;
        const version =
          versionId === null ? undefined : await this.#deps.models.findVersionById(row.project_id, versionId);
        if (version !== undefined || versionId === null) wanted.push({ row: revision, version });
        else ground.log.error({ deployment: row.name, version: versionId }, "a version in use is gone");
      }
      running.restore(wanted);
    }
  }

  /** Drains and stops all; rows stay. */
  async stop(): Promise<void> {
    await Promise.all([this.#deps.fleet.stop(), ...this.#removals]);
  }

  /**
   * @throws AppError `model.not_found`, `model.version_not_found`, `upstream.not_found`, `deployment.name_taken`,
   * `request.invalid` for settings of another kind.
   */
  async create(projectId: ProjectId, input: CreateDeployment): Promise<Deployment> {
    const { ground, db, models, upstreams, fleet } = this.#deps;
    const { model, upstreams: shares } = input;
    const version = model === undefined ? undefined : await models.resolve(projectId, model);
    if (version === undefined) checkNoSettings(input);
    const id = ground.newId("deployment");
    await db.transaction().execute(async (tx) => {
      const store = new ServingStore(tx);
      if (!(await store.insertIfAbsent({ id, projectId, name: input.name, replicas: input.replicas })))
        throw new AppError("deployment.name_taken", `This project already has a deployment "${input.name}".`);
      const place = this.#place(projectId, id, 1);
      if (version === undefined) {
        const called = await heldUpstreams(upstreams, tx, projectId, shares ?? []);
        return await store.insertRevision(upstreamRevision(place, called));
      }
      const settings = { threads: input.threads ?? availableParallelism(), ...newSettings(version, input) };
      await store.insertRevision(modelRevision(place, version, settings)).catch(modelIsGone(version.model));
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
    const change = await db.transaction().execute(async (tx) => {
      const store = new ServingStore(tx);
      const row = await store.lock(projectId, id);
      if (row === undefined) throw notFound(nameOrId);
      if (row.intent === "remove")
        throw new AppError("deployment.stopping", `The deployment "${row.name}" is being deleted.`);
      if (input.replicas !== undefined) await store.setReplicas(projectId, id, input.replicas);
      const before = last(await store.revisions(projectId, [id]));
      const next = await this.#nextRevision(tx, before, wanted, input);
      if (next === undefined) return undefined;
      await store.retirePending(projectId, id);
      await store.setError(projectId, id, null);
      await store.insertRevision(next.revision).catch(modelIsGone(next.revision.model));
      return next;
    });
    const [row, revisions] = await this.#rows(projectId, id);
    const running = fleet.byId(id);
    if (input.replicas !== undefined) running?.scale(input.replicas);
    if (change !== undefined) void running?.roll(last(revisions), change.version);
    return this.#toWire(row, revisions);
  }

  /** What a change asks for; undefined: nothing that makes a revision. */
  async #nextRevision(
    tx: Transaction<unknown>,
    before: RevisionRow,
    wanted: ModelVersion | undefined,
    input: UpdateDeployment,
  ): Promise<{ revision: NewRevision; version: ModelVersion | undefined } | undefined> {
    const projectId = before.project_id as ProjectId;
    const place = this.#place(projectId, before.deployment_id, before.revision + 1);
    if (input.upstreams !== undefined) {
      checkNoSettings(input);
      const called = await heldUpstreams(this.#deps.upstreams, tx, projectId, input.upstreams);
      if (callsTheSame(before, called)) return undefined;
      return { revision: upstreamRevision(place, called), version: undefined };
    }
    if (wanted === undefined && !asksForRevision(input)) return undefined;
    if (before.model_version_id === null) {
      if (wanted === undefined) {
        checkNoSettings(input);
        return undefined;
      }
      const settings = { threads: input.threads ?? availableParallelism(), ...newSettings(wanted, input) };
      return { revision: modelRevision(place, wanted, settings), version: wanted };
    }
    const version = wanted ?? (await this.#deps.models.findVersionById(projectId, before.model_version_id));
    if (version === undefined)
      throw new AppError("model.version_not_found", `${before.model}@${before.model_version} was deleted.`);
    const settings = changedSettings(before, version, input);
    return settings && { revision: modelRevision(place, version, settings), version };
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
    return { ...answeredAtOnce(answer, by, running), outputs: answer.outputs };
  }

  async classify(projectId: ProjectId, name: string, image: Uint8Array, options: CallOptions): Promise<ClassifyResult> {
    const { answer, by, running } = await this.#call(projectId, name, { type: "classify", image }, options);
    const [scores] = Object.values(answer.outputs);
    if (scores?.dtype !== "float32")
      throw new AppError(
        "engine.failed",
        `${by.row.model}@${by.row.model_version}: expected float32 scores of the classes, received ${scores?.dtype ?? "none"}.`,
      );
    return {
      ...answeredAtOnce(answer, by, running),
      scores: scores.data,
      classNames: by.version?.task?.class_names ?? [],
    };
  }

  async generate(projectId: ProjectId, name: string, call: GenerateCall, options: CallOptions): Promise<Generation> {
    const running = this.#called(projectId, name, options);
    const { answer, by } = await running.generate(call, options.signal);
    return { ...answeredBy(by, running), events: answer };
  }

  async embed(projectId: ProjectId, name: string, inputs: readonly Prompt[], options: CallOptions): Promise<Embedding> {
    const { answer, by, running } = await this.#call(projectId, name, { type: "embed", inputs }, options);
    return { ...answeredBy(by, running), vectors: answer.vectors, promptTokens: answer.promptTokens };
  }

  async rerank(projectId: ProjectId, name: string, request: RerankRequest, options: CallOptions): Promise<Ranking> {
    const { answer, by, running } = await this.#call(projectId, name, { type: "rerank", request }, options);
    return { ...answeredBy(by, running), scores: answer.scores, promptTokens: answer.promptTokens };
  }

  async countTokens(projectId: ProjectId, name: string, call: CountCall, options: CallOptions): Promise<TokenCount> {
    const { answer, by, running } = await this.#call(projectId, name, { type: "countTokens", of: call }, options);
    return { ...answeredBy(by, running), tokens: answer.tokens };
  }

  async describe(projectId: ProjectId, name: string, revision?: number): Promise<DescribedDeployment> {
    const { running, pinned } = this.#running(projectId, name);
    return described(running, currentOf(running, revision ?? pinned));
  }

  async describeAll(projectId: ProjectId): Promise<readonly DescribedDeployment[]> {
    return this.#deps.fleet
      .ofProject(projectId)
      .flatMap((running) => (running.current === undefined ? [] : [described(running, running.current)]));
  }

  async #call<C extends ReplicaCall>(projectId: ProjectId, name: string, call: C, options: CallOptions) {
    const running = this.#called(projectId, name, options);
    return { ...(await running.call(call, options.signal)), running };
  }

  /** The deployment that a call names, whose traffic counts from now. */
  #called(projectId: ProjectId, name: string, { revision }: CallOptions): RunningDeployment {
    const { running, pinned } = this.#running(projectId, name);
    this.#lastCallMs = performance.now();
    if (revision !== undefined || pinned !== undefined) currentOf(running, revision ?? pinned);
    return running;
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

  #place(projectId: ProjectId, deploymentId: string, revision: number) {
    const id = this.#deps.ground.newId("revision");
    return { id, project_id: projectId, deployment_id: deploymentId, revision };
  }

  async #remove(row: DeploymentRow): Promise<void> {
    const { fleet } = this.#deps;
    await fleet.byId(row.id)?.stop();
    await this.#store.remove(row.project_id, row.id);
    fleet.forget(row.id);
  }
}

const answeredBy = ({ row }: RunningRevision, running: RunningDeployment): AnsweredBy => ({
  served: { deployment: running.name, model: row.model, model_version: String(row.model_version) },
  revision: row.revision,
  modelVersion: row.model_version,
});

function answeredAtOnce(answer: TensorAnswer, by: RunningRevision, running: RunningDeployment) {
  return {
    ...answeredBy(by, running),
    timings: { queueMs: answer.queueMs, computeMs: answer.computeMs, batchSize: answer.batchSize },
  };
}

function described(running: RunningDeployment, { row, version, set }: RunningRevision): DescribedDeployment {
  return {
    name: running.name,
    isReady: running.isReady,
    createdAt: running.createdAt,
    revision: row.revision,
    model: row.model,
    modelVersion: row.model_version,
    format: version?.format ?? "upstream",
    inputs: version?.inputs ?? [],
    outputs: version?.outputs ?? [],
    task: version?.task ?? null,
    language: version?.language === null ? null : servedLanguage(version?.language ?? null, row, set.card ?? null),
  };
}

function servedLanguage(file: LanguageModel | null, { generation }: RevisionRow, card: LanguageCard | null) {
  const ofFile = file === null ? unknownContextLength : Math.min(file.context_length, defaultContextLength);
  return { file, card, contextLength: card?.contextLength ?? generation?.context_length ?? ofFile };
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

/** Replicas alone make no revision. */
const asksForRevision = ({ threads, batching, generation }: SettingsInput): boolean =>
  threads !== undefined || batching !== undefined || generation !== undefined;

/** PostgreSQL's code for a row that names one which is gone: the model was deleted since it was looked up. */
const modelIsGone = (model: string) => (cause: unknown) => {
  const isGone = cause instanceof Error && "code" in cause && cause.code === "23503";
  throw isGone ? new AppError("model.not_found", `The model "${model}" was deleted meanwhile.`, { cause }) : cause;
};
