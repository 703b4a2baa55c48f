/** @file One deployment that runs: the revision that answers, the one that is to replace it, and those that drain. */
import { AppError, type DeploymentStatus, type ModelVersion, type Replica } from "@gristmill/contract";
import type { GenerationEvent } from "@gristmill/engine";
import type { Log } from "../feature.ts";
import type { AnsweringSet } from "./answering-set.ts";
import type { AnswerTo, GenerateCall, ReplicaCall } from "./replica/protocol.ts";
import { asCode } from "./replica-set.ts";
import type { DeploymentFailure, RevisionRow, ServingStore } from "./store.ts";

/** What a running deployment is made from. */
export interface RunningParts {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly replicas: number;
  readonly createdAt: Date;
  readonly store: ServingStore;
  readonly makeSet: (revision: RevisionRow, version: ModelVersion | undefined) => AnsweringSet;
  readonly log: Log;
}

/** A revision with those who answer. */
export interface RunningRevision {
  readonly row: RevisionRow;
  /** undefined: it calls upstreams. */
  readonly version: ModelVersion | undefined;
  readonly set: AnsweringSet;
}

/** An answer, and who gave it. */
interface ByRevision<T> {
  readonly answer: T;
  readonly by: RunningRevision;
}

/** Changes of one deployment; its calls go to the active revision. */
export class RunningDeployment {
  readonly #parts: RunningParts;
  #replicas: number;
  #active: RunningRevision | undefined;
  #rollout: AbortController | undefined;
  #next: RunningRevision | undefined;
  readonly #draining = new Set<AnsweringSet>();
  readonly #work = new Set<Promise<void>>();
  #isStopping = false;
  /** undefined: what the row says is true. */
  #error: DeploymentFailure | null | undefined;

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.#replicas = parts.replicas;
  }

  get name(): string {
    return this.#parts.name;
  }

  get projectId(): string {
    return this.#parts.projectId;
  }

  get createdAt(): Date {
    return this.#parts.createdAt;
  }

  /** The revision that answers, or, before any answered, the one that starts. */
  get current(): RunningRevision | undefined {
    return this.#active ?? this.#next;
  }

  get isReady(): boolean {
    return !this.#isStopping && (this.#active?.set.readyCount ?? 0) > 0;
  }

  /** Why the newest change, or all that runs, failed; undefined: as the row says. It belongs to `status()` of the same moment. */
  get error(): DeploymentFailure | null | undefined {
    return this.current?.set.refusal ?? this.#next?.set.trouble ?? this.current?.set.trouble ?? this.#error;
  }

  status(): DeploymentStatus {
    if (this.#isStopping) return "stopping";
    const set = this.current?.set;
    if (set?.refusal !== undefined) return "stopped";
    // Failed is said together with the reason, never before it.
    if (set === undefined || (set.failure !== undefined && this.#error)) return "failed";
    if (set.readyCount === 0 && set.trouble !== undefined) return "unavailable";
    if (set.readyCount === 0 && !set.wasReady) return "starting";
    return this.#active !== undefined && set.isComplete(this.#replicas) ? "ready" : "degraded";
  }

  replicas(): Replica[] {
    const sets = [this.#active?.set, this.#next?.set, ...this.#draining];
    return [...new Set(sets)].flatMap((set) => set?.toWire() ?? []);
  }

  /** @throws AppError as AnsweringSet.call. */
  call<C extends ReplicaCall>(call: C, signal: AbortSignal): Promise<ByRevision<AnswerTo<C>>> {
    return this.#byActive((set) => set.call(call, signal));
  }

  /** Resolves with the first event. @throws AppError as AnsweringSet.generate. */
  generate(call: GenerateCall, signal: AbortSignal): Promise<ByRevision<AsyncIterable<GenerationEvent>>> {
    return this.#byActive((set) => set.generate(call, signal));
  }

  async #byActive<T>(run: (set: AnsweringSet) => Promise<T>): Promise<ByRevision<T>> {
    for (;;) {
      const by = this.#active;
      const refusal = this.#next?.set.refusal;
      if (by === undefined && refusal !== undefined) throw new AppError(asCode(refusal.code), refusal.message);
      if (by === undefined || this.#isStopping)
        throw new AppError("deployment.not_ready", `The deployment "${this.#parts.name}" is ${this.status()}.`);
      try {
        return { answer: await run(by.set), by };
      } catch (error) {
        // Its revision was replaced while the call waited for one of its replicas: the new one answers.
        const wasReplaced = error instanceof AppError && error.code === "deployment.not_ready" && this.#active !== by;
        if (!wasReplaced) throw error;
      }
    }
  }

  /**
   * Starts a revision. When all its replicas are ready it replaces the active one, else that goes on and the row says
   * why; where nothing answers yet, it answers with its first ready replica.
   */
  roll(row: RevisionRow, version: ModelVersion | undefined): Promise<void> {
    this.#rollout?.abort(new AppError("request.cancelled", "A newer revision is wanted."));
    const rollout = new AbortController();
    this.#rollout = rollout;
    this.#error = undefined;
    return this.#background(async () => {
      const next: RunningRevision = { row, version, set: this.#parts.makeSet(row, version) };
      const before = this.#next;
      this.#next = next;
      if (before !== undefined) void this.#background(() => this.#drain(before.set));
      try {
        await next.set.scale(this.#replicas);
        await next.set.whenReady(this.#active === undefined ? "first" : "all", rollout.signal);
        await this.#switchTo(next);
      } catch (error) {
        if (!rollout.signal.aborted) await this.#fail(next, error);
        await this.#giveUp(next, rollout.signal.aborted);
      }
    });
  }

  /** Starts what ran or was about to when the server ended, one after the other, unless a newer change comes between. */
  restore(revisions: readonly Pick<RunningRevision, "row" | "version">[]): void {
    void this.#background(async () => {
      let last: AbortController | undefined;
      for (const { row, version } of revisions) {
        if (this.#isStopping || this.#rollout !== last) return;
        const rolled = this.roll(row, version);
        last = this.#rollout;
        await rolled;
      }
    });
  }

  /** Resolves when surplus replicas are gone. */
  scale(replicas: number): void {
    this.#replicas = replicas;
    for (const set of new Set([this.#active?.set, this.#next?.set]))
      if (set !== undefined) void this.#background(() => set.scale(replicas));
  }

  /** Takes no more calls, drains, stops all replicas, and settles their time. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#rollout?.abort(new AppError("server.stopping", "The deployment is being stopped."));
    await Promise.all([...this.#work, this.#active?.set.stop(), this.#next?.set.stop()]);
    this.#active = undefined;
    this.#next = undefined;
  }

  async #switchTo(next: RunningRevision): Promise<void> {
    const { store, projectId, id, log, name } = this.#parts;
    // Not pending any more: a newer one retired it.
    const activated = await store.activate(projectId, id, next.row.revision);
    if (activated === undefined) return await this.#giveUp(next, true);
    if (this.#next === next) this.#error = activated.error;
    const before = this.#active;
    this.#active = next;
    if (this.#next === next) this.#next = undefined;
    log.info({ deployment: name, revision: next.row.revision }, "revision answers");
    this.#noteFailure(next);
    if (before !== undefined) void this.#background(() => this.#drain(before.set));
  }

  async #fail(next: RunningRevision, error: unknown): Promise<void> {
    const { store, projectId, id, log, name } = this.#parts;
    const failure = toFailure(error);
    const goesOn = this.#active === undefined ? "" : ` Revision ${this.#active.row.revision} goes on.`;
    const message = `Revision ${next.row.revision} (${next.row.model}@${next.row.model_version}) did not start: ${failure.message}${goesOn}`;
    log.warn({ deployment: name, revision: next.row.revision, error: message }, "revision failed");
    this.#error = { code: failure.code, message };
    await store.fail(projectId, id, next.row.revision, this.#error);
  }

  /** An active revision can fail later: its artifact is damaged, and its replicas can't be started again. */
  #noteFailure({ row, set }: RunningRevision): void {
    const { store, projectId, id } = this.#parts;
    const off = set.onChange(() => {
      const { failure } = set;
      if (failure === undefined) return;
      off();
      const message = `Revision ${row.revision} (${row.model}@${row.model_version}) can't be started again: ${failure.message}`;
      const error = { code: failure.code, message };
      this.#error = error;
      void this.#background(() => store.setError(projectId, id, error));
    });
  }

  /** Stops what did not become active. A failed first revision stays in view, without processes, to show what went wrong. */
  async #giveUp(next: RunningRevision, isReplaced: boolean): Promise<void> {
    if (isReplaced || this.#active !== undefined) {
      if (this.#next === next) this.#next = undefined;
      await this.#drain(next.set);
    }
  }

  async #drain(set: AnsweringSet): Promise<void> {
    this.#draining.add(set);
    try {
      await set.stop();
    } finally {
      this.#draining.delete(set);
    }
  }

  #background(work: () => Promise<void>): Promise<void> {
    const running = work()
      .catch((error: unknown) =>
        this.#parts.log.error(
          { deployment: this.#parts.name, error: String(error) },
          "a change of a deployment failed",
        ),
      )
      .finally(() => this.#work.delete(running));
    this.#work.add(running);
    return running;
  }
}

function toFailure(error: unknown): DeploymentFailure {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: "engine.failed", message: error instanceof Error ? error.message : String(error) };
}
