/** @file Every deployment that runs in this process, and how their replicas are made. */
import { availableParallelism } from "node:os";
import type { ModelVersion, ProjectId } from "@gristmill/contract";
import type { Children } from "../children/index.ts";
import type { Ground } from "../feature.ts";
import type { CalledUpstreams } from "../upstreams/index.ts";
import type { AnsweringSet } from "./answering-set.ts";
import type { ReplicaSettings } from "./replica/protocol.ts";
import type { ReplicaMeter } from "./replica-meter.ts";
import { ReplicaProcess } from "./replica-process.ts";
import { ReplicaSet } from "./replica-set.ts";
import { ReplicaSlot } from "./replica-slot.ts";
import type { ReplicaStore } from "./replica-store.ts";
import { RunningDeployment } from "./running-deployment.ts";
import type { DeploymentRow, RevisionRow, ServingStore } from "./store.ts";
import { UpstreamSet } from "./upstream-set.ts";

/** What serving needs of the registry. */
export interface ServableModels {
  /** @throws AppError `model.not_found`, `model.version_not_found` */
  resolve(projectId: string, reference: string): Promise<ModelVersion>;
  findVersionById(projectId: string, id: string): Promise<ModelVersion | undefined>;
  /** A path whose bytes were just compared with the version's hash. @throws AppError `artifact.corrupt` */
  artifactPath(version: Pick<ModelVersion, "sha256">): Promise<string>;
}

/** What a fleet is made from. */
export interface FleetParts {
  readonly ground: Ground;
  readonly store: ServingStore;
  readonly replicas: ReplicaStore;
  readonly models: ServableModels;
  readonly meter: ReplicaMeter;
  readonly children: Children;
  readonly upstreams: CalledUpstreams;
  /** How often a replica that nobody pays for looks again; default 30 s. */
  readonly unpaidCheckMs?: number;
}

/** Running deployments by project and name. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #byId = new Map<string, RunningDeployment>();
  readonly #byName = new Map<string, RunningDeployment>();

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  byId(id: string): RunningDeployment | undefined {
    return this.#byId.get(id);
  }

  byName(projectId: ProjectId, name: string): RunningDeployment | undefined {
    return this.#byName.get(`${projectId}/${name}`);
  }

  /** Those that may be called. */
  ofProject(projectId: ProjectId): RunningDeployment[] {
    return [...this.#byName.values()].filter((running) => running.projectId === projectId);
  }

  /** Takes a deployment in, without a revision yet. */
  add(row: DeploymentRow): RunningDeployment {
    const { store, ground } = this.#parts;
    const running = new RunningDeployment({
      id: row.id,
      projectId: row.project_id,
      name: row.name,
      replicas: row.desired_replicas,
      createdAt: row.created_at,
      store,
      makeSet: (revision, version) => this.#makeSet(row, revision, version),
      log: ground.log,
    });
    this.#byId.set(row.id, running);
    this.#byName.set(`${row.project_id}/${row.name}`, running);
    return running;
  }

  /** New calls don't find it any more; what runs is the caller's to stop. */
  hide(row: DeploymentRow): void {
    this.#byName.delete(`${row.project_id}/${row.name}`);
  }

  forget(id: string): void {
    this.#byId.delete(id);
  }

  /** Drains and stops every deployment; the rows stay, so that the next start brings them back. */
  async stop(): Promise<void> {
    await Promise.all([...this.#byId.values()].map((running) => running.stop()));
  }

  #makeSet(row: DeploymentRow, revision: RevisionRow, version: ModelVersion | undefined): AnsweringSet {
    const name = `deployment "${row.name}"`;
    if (version === undefined) {
      const { upstreams } = this.#parts;
      const called = revision.upstreams ?? [];
      return new UpstreamSet({ name, projectId: row.project_id as ProjectId, called, upstreams });
    }
    return new ReplicaSet({
      name,
      callsPerReplica: callsPerReplica(revision),
      makeSlot: (onChange) => this.#makeSlot(row, revision, version, onChange),
    });
  }

  async #makeSlot(
    row: DeploymentRow,
    revision: RevisionRow,
    version: ModelVersion,
    onChange: () => void,
  ): Promise<ReplicaSlot> {
    const { ground, replicas, meter, models, children } = this.#parts;
    const id = ground.newId("replica");
    await replicas.insert({
      id,
      projectId: row.project_id,
      deploymentId: row.id,
      revision: revision.revision,
    });
    return new ReplicaSlot({
      id,
      revision: revision.revision,
      meter,
      now: ground.now,
      log: ground.log,
      ...(this.#parts.unpaidCheckMs === undefined ? {} : { unpaidCheckMs: this.#parts.unpaidCheckMs }),
      onChange,
      onGone: () => replicas.deleteSettled([id]),
      startProcess: async (signal) => {
        // Before each start: a file that was damaged since is not loaded.
        const artifactPath = await models.artifactPath(version);
        return await ReplicaProcess.start(children, {
          name: `replica ${id}`,
          signal,
          start: {
            model: `${revision.model}@${revision.model_version}`,
            artifactPath,
            // More than there are cores would make generation a hundred times slower; the home may have moved.
            threads: Math.min(revision.threads, version.language !== null ? availableParallelism() : Infinity),
            settings: replicaSettings(revision, version),
          },
        });
      },
    });
  }
}

/** Requests that may run or wait. */
const callsPerReplica = ({ batching, generation }: RevisionRow): number =>
  (batching === null ? 0 : batching.max_queue + batching.max_batch_size) +
  (generation === null ? 0 : generation.max_queue + generation.slots);

/** Main counts who waits (ReplicaSet); what it let through may all arrive before the first of them starts. */
function replicaSettings(revision: RevisionRow, version: ModelVersion): ReplicaSettings {
  const { batching, generation } = revision;
  const maxQueue = callsPerReplica(revision);
  if (batching !== null) {
    const { max_batch_size: maxBatchSize, max_delay_ms: maxDelayMs } = batching;
    return { engine: "onnx", batching: { maxBatchSize, maxDelayMs, maxQueue }, task: version.task };
  }
  if (generation === null) throw new Error(`revision ${revision.id} has no settings`);
  const { context_length, slots, prefill_chunk: prefillChunk } = generation;
  const context = context_length === null ? {} : { contextLength: context_length };
  return {
    engine: version.format === "gguf" ? "llama" : "onnx-language",
    generation: { ...context, slots, prefillChunk, maxQueue },
  };
}
