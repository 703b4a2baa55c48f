/** @file Rows of replicas: what is needed to meter their time. They are asked for by replica, by the one process that runs them. */
import type { ProjectId } from "@gristmill/contract";
import { type Kysely, sql } from "kysely";
import type { ServingTables } from "./store.ts";

/** A replica whose current start is not settled to its end. */
export interface MeteredReplica {
  readonly id: string;
  readonly projectId: ProjectId;
  readonly starts: number;
  readonly readyAt: Date;
  readonly heartbeatAt: Date;
  readonly slicesRecorded: number;
  readonly deployment: string;
  readonly model: string;
  readonly revision: number;
  readonly threads: number;
}

/** Queries of replicas. */
export class ReplicaStore {
  readonly #db: Kysely<ServingTables>;

  constructor(db: Kysely<unknown>) {
    this.#db = db.$extendTables<ServingTables>();
  }

  async insert(row: { id: string; projectId: string; deploymentId: string; revision: number }): Promise<void> {
    await this.#db
      .insertInto("replica")
      .values({ id: row.id, project_id: row.projectId, deployment_id: row.deploymentId, revision: row.revision })
      .execute();
  }

  /** A new start of a settled replica begins to count. */
  async begin(id: string): Promise<void> {
    await this.#db
      .updateTable("replica")
      .set((eb) => ({
        starts: eb("starts", "+", 1),
        ready_at: sql<Date>`now()`,
        heartbeat_at: sql<Date>`now()`,
        slices_recorded: 0,
      }))
      .where("id", "=", id)
      .where("ready_at", "is", null)
      .execute();
  }

  /** These replicas are ready at this moment. */
  async beat(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db
      .updateTable("replica")
      .set({ heartbeat_at: sql<Date>`now()` })
      .where("id", "in", ids)
      .where("ready_at", "is not", null)
      .execute();
  }

  /** A replica, ready or not; its times are those of its last start, or now. */
  async find(id: string): Promise<MeteredReplica | undefined> {
    return (await this.#read((query) => query.where("replica.id", "=", id)))[0];
  }

  /** Replicas with unsettled time: the given ones, or those of all projects. */
  async open(ids?: readonly string[]): Promise<MeteredReplica[]> {
    if (ids?.length === 0) return [];
    return await this.#read((query) =>
      query
        .where("replica.ready_at", "is not", null)
        .$if(ids !== undefined, (some) => some.where("replica.id", "in", ids ?? [])),
    );
  }

  async setSlicesRecorded(id: string, slices: number): Promise<void> {
    await this.#db.updateTable("replica").set({ slices_recorded: slices }).where("id", "=", id).execute();
  }

  /** All time of its current start is recorded. */
  async close(id: string): Promise<void> {
    await this.#db.updateTable("replica").set({ ready_at: null, heartbeat_at: null }).where("id", "=", id).execute();
  }

  async deleteSettled(ids?: readonly string[]): Promise<void> {
    if (ids?.length === 0) return;
    await this.#db
      .deleteFrom("replica")
      .where("ready_at", "is", null)
      .$if(ids !== undefined, (query) => query.where("id", "in", ids ?? []))
      .execute();
  }

  async #read(narrow: (query: ReplicaQuery) => ReplicaQuery): Promise<MeteredReplica[]> {
    const rows = await narrow(replicaQuery(this.#db)).execute();
    const now = new Date();
    return rows.map(({ ready_at, heartbeat_at, project_id, slices_recorded, ...row }) => ({
      ...row,
      projectId: project_id as ProjectId,
      readyAt: ready_at ?? now,
      heartbeatAt: heartbeat_at ?? now,
      slicesRecorded: slices_recorded,
    }));
  }
}

type ReplicaQuery = ReturnType<typeof replicaQuery>;

const replicaQuery = (db: Kysely<ServingTables>) =>
  db
    .selectFrom("replica")
    .innerJoin("deployment", "deployment.id", "replica.deployment_id")
    .innerJoin("revision", (join) =>
      join
        .onRef("revision.deployment_id", "=", "replica.deployment_id")
        .onRef("revision.revision", "=", "replica.revision"),
    )
    .select([
      "replica.id",
      "replica.project_id",
      "replica.starts",
      "replica.ready_at",
      "replica.heartbeat_at",
      "replica.slices_recorded",
      "deployment.name as deployment",
      "revision.model",
      "revision.revision",
      "revision.threads",
    ]);
