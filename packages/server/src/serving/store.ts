/** @file Rows of deployments and revisions. Every query names a project, but the one of start-up recovery. */
import type { Batching, GenerationSettings, ListQuery, UpstreamShare } from "@gristmill/contract";
import { type ColumnType, type Kysely, type Selectable, sql, type Transaction } from "kysely";

type Written<T> = ColumnType<T, T | undefined, T>;
type ByDatabase = ColumnType<Date, undefined, never>;

interface DeploymentTable {
  id: string;
  project_id: string;
  name: string;
  intent: Written<"serve" | "remove">;
  desired_replicas: number;
  error: ColumnType<DeploymentFailure | null, string | null | undefined, string | null>;
  created_at: ByDatabase;
}

interface RevisionTable {
  id: string;
  project_id: string;
  deployment_id: string;
  revision: number;
  state: RevisionState;
  model_id: string | null;
  model: string;
  model_version: number;
  /** null, as `sha256`: it calls upstreams. */
  model_version_id: string | null;
  sha256: string | null;
  threads: number;
  /** Of ONNX models. */
  batching: ColumnType<Batching | null, string | null, never>;
  /** Of language models. */
  generation: ColumnType<GenerationSettings | null, string | null, never>;
  /** null: it runs here. */
  upstreams: ColumnType<readonly CalledUpstream[] | null, string | null, never>;
  created_at: ByDatabase;
}

/** One replica; `ready_at` is set while its current start is not settled. */
interface ReplicaTable {
  id: string;
  project_id: string;
  deployment_id: string;
  revision: number;
  starts: Written<number>;
  ready_at: ColumnType<Date | null, undefined, Date | null>;
  heartbeat_at: ColumnType<Date | null, undefined, Date | null>;
  slices_recorded: Written<number>;
}

/** Tables of serving; replica-store.ts has the queries of the third one. */
export type ServingTables = { deployment: DeploymentTable; revision: RevisionTable; replica: ReplicaTable };

/** pending: to be started; active: the one that answers; retired: replaced; failed: never became ready. */
export type RevisionState = "pending" | "active" | "retired" | "failed";
/** One of the upstreams that a revision calls. */
export interface CalledUpstream extends UpstreamShare {
  readonly id: string;
}
/** Why a deployment, or its newest revision, does not serve. */
export interface DeploymentFailure {
  readonly code: string;
  readonly message: string;
}
export type DeploymentRow = Selectable<DeploymentTable>;
export type RevisionRow = Selectable<RevisionTable>;

/** A revision before it has a state of its own. */
export type NewRevision = Omit<RevisionRow, "created_at" | "state">;

/** `pg` would make SQL of some values; null stays the database's own. */
const jsonOf = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

/** Queries of deployments and revisions, on the database or inside a transaction. */
export class ServingStore {
  readonly #db: Kysely<ServingTables>;

  constructor(db: Kysely<unknown> | Transaction<unknown>) {
    this.#db = db.$extendTables<ServingTables>();
  }

  /** False when the project already has a deployment of that name. */
  async insertIfAbsent(row: { id: string; projectId: string; name: string; replicas: number }): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto("deployment")
      .values({ id: row.id, project_id: row.projectId, name: row.name, desired_replicas: row.replicas })
      .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n;
  }

  /** By name or id. */
  async find(projectId: string, nameOrId: string): Promise<DeploymentRow | undefined> {
    return await this.#db
      .selectFrom("deployment")
      .selectAll()
      .where("project_id", "=", projectId)
      .where((eb) => eb.or([eb("name", "=", nameOrId), eb("id", "=", nameOrId)]))
      .executeTakeFirst();
  }

  /** Locked until the transaction ends: whoever holds it gives out the next revision number. */
  async lock(projectId: string, id: string): Promise<DeploymentRow | undefined> {
    return await this.#db
      .selectFrom("deployment")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
  }

  async list(projectId: string, { limit, after, order }: ListQuery): Promise<DeploymentRow[]> {
    return await this.#db
      .selectFrom("deployment")
      .selectAll()
      .where("project_id", "=", projectId)
      .$if(after !== undefined, (list) => list.where("id", order === "asc" ? ">" : "<", after ?? ""))
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  /** In the order of their numbers. */
  async revisions(projectId: string, deploymentIds: readonly string[]): Promise<RevisionRow[]> {
    if (deploymentIds.length === 0) return [];
    return await this.#db
      .selectFrom("revision")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("deployment_id", "in", deploymentIds)
      .orderBy("deployment_id")
      .orderBy("revision")
      .execute();
  }

  async insertRevision(row: NewRevision): Promise<void> {
    await this.#db
      .insertInto("revision")
      .values({
        ...row,
        state: "pending",
        batching: jsonOf(row.batching),
        generation: jsonOf(row.generation),
        upstreams: jsonOf(row.upstreams),
      })
      .execute();
  }

  /** Ends revisions that never became ready, because a newer one is wanted. */
  async retirePending(projectId: string, deploymentId: string): Promise<void> {
    await this.#db
      .updateTable("revision")
      .set({ state: "retired", model_id: null })
      .where("project_id", "=", projectId)
      .where("deployment_id", "=", deploymentId)
      .where("state", "=", "pending")
      .execute();
  }

  /** The pending revision answers from now on, and the one that did is retired. Undefined when it is pending no more. */
  async activate(projectId: string, deploymentId: string, revision: number): Promise<DeploymentRow | undefined> {
    return await this.#db.transaction().execute(async (tx) => {
      await tx
        .updateTable("revision")
        .set({ state: "retired", model_id: null })
        .where("project_id", "=", projectId)
        .where("deployment_id", "=", deploymentId)
        .where("state", "=", "active")
        .where("revision", "<>", revision)
        .execute();
      const { numUpdatedRows } = await tx
        .updateTable("revision")
        .set({ state: "active" })
        .where("project_id", "=", projectId)
        .where("deployment_id", "=", deploymentId)
        .where("revision", "=", revision)
        .where("state", "in", ["pending", "active"])
        .executeTakeFirstOrThrow();
      // The reason why a newer revision failed stays until there is a still newer one.
      const newer = tx
        .selectFrom("revision as newer")
        .select("newer.id")
        .where("newer.deployment_id", "=", deploymentId)
        .where("newer.revision", ">", revision);
      await tx
        .updateTable("deployment")
        .set({ error: null })
        .where("project_id", "=", projectId)
        .where("id", "=", deploymentId)
        .where(({ not, exists }) => not(exists(newer)))
        .execute();
      if (numUpdatedRows !== 1n) return undefined;
      return await tx
        .selectFrom("deployment")
        .selectAll()
        .where("project_id", "=", projectId)
        .where("id", "=", deploymentId)
        .executeTakeFirst();
    });
  }

  /** A pending revision that did not become ready, and why. An active one keeps its state: it is tried again at the next start. */
  async fail(projectId: string, deploymentId: string, revision: number, error: DeploymentFailure): Promise<void> {
    await this.#db
      .updateTable("revision")
      .set({ state: "failed", model_id: null })
      .where("project_id", "=", projectId)
      .where("deployment_id", "=", deploymentId)
      .where("revision", "=", revision)
      .where("state", "=", "pending")
      .execute();
    await this.setError(projectId, deploymentId, error);
  }

  async setError(projectId: string, deploymentId: string, error: DeploymentFailure | null): Promise<void> {
    await this.#db
      .updateTable("deployment")
      .set({ error: error === null ? null : JSON.stringify(error) })
      .where("project_id", "=", projectId)
      .where("id", "=", deploymentId)
      .execute();
  }

  async setReplicas(projectId: string, id: string, replicas: number): Promise<void> {
    await this.#db
      .updateTable("deployment")
      .set({ desired_replicas: replicas })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .execute();
  }

  /** From here on it is not started again. */
  async markForRemoval(projectId: string, id: string): Promise<void> {
    await this.#db
      .updateTable("deployment")
      .set({ intent: "remove" })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .execute();
  }

  /** The deployment with its revisions and settled replicas; a replica with unsettled time keeps all of it (foreign key). */
  async remove(projectId: string, id: string): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      await tx
        .deleteFrom("replica")
        .where("project_id", "=", projectId)
        .where("deployment_id", "=", id)
        .where("ready_at", "is", null)
        .execute();
      await tx.deleteFrom("revision").where("project_id", "=", projectId).where("deployment_id", "=", id).execute();
      await tx.deleteFrom("deployment").where("project_id", "=", projectId).where("id", "=", id).execute();
    });
  }

  /** Names of deployments that run a model or are about to. */
  async usersOf(projectId: string, modelId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("revision")
      .innerJoin("deployment", "deployment.id", "revision.deployment_id")
      .select("deployment.name")
      .distinct()
      .where("revision.project_id", "=", projectId)
      .where("revision.model_id", "=", modelId)
      .orderBy("deployment.name")
      .execute();
    return rows.map(({ name }) => name);
  }

  /** Names of deployments that call an upstream or are about to. */
  async callersOf(projectId: string, upstreamId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("revision")
      .innerJoin("deployment", "deployment.id", "revision.deployment_id")
      .select("deployment.name")
      .distinct()
      .where("revision.project_id", "=", projectId)
      .where("revision.state", "in", ["pending", "active"])
      .where(sql<boolean>`revision.upstreams @> ${JSON.stringify([{ id: upstreamId }])}::jsonb`)
      .orderBy("deployment.name")
      .execute();
    return rows.map(({ name }) => name);
  }

  /** Of all projects: what a start has to bring back. */
  async all(): Promise<DeploymentRow[]> {
    return await this.#db.selectFrom("deployment").selectAll().orderBy("id").execute();
  }
}
