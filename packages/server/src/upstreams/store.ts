/** @file Rows of upstreams. What is secret in them is sealed. */
import type { ListQuery, ProjectId, Upstream, UpstreamSettings } from "@gristmill/contract";
import { type ColumnType, type Generated, type Kysely, type Selectable, sql, type Transaction } from "kysely";

type Json<T> = ColumnType<T, string, string>;

interface UpstreamTable {
  id: string;
  project_id: ProjectId;
  name: string;
  base_url: string;
  model: string;
  dialect: Upstream["dialect"];
  /** Credentials and headers. */
  sealed: Buffer;
  query: Json<Readonly<Record<string, string>>>;
  settings: Json<UpstreamSettings>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

type Tables = { upstream: UpstreamTable };

/** An upstream as it is stored. */
export type UpstreamRow = Selectable<UpstreamTable>;

/** What may change of one. */
export type UpstreamChange = Partial<
  Pick<UpstreamRow, "base_url" | "model" | "dialect" | "sealed" | "query" | "settings">
>;

/** Every query names a project. */
export class UpstreamStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<unknown> | Transaction<unknown>) {
    this.#db = db.$extendTables<Tables>();
  }

  /** "taken": the project has one of that name; "full": it has `most` already. */
  async insert(
    row: Omit<UpstreamRow, "created_at" | "updated_at">,
    most: number,
  ): Promise<UpstreamRow | "taken" | "full"> {
    return await this.#db.transaction().execute(async (transaction) => {
      // One at a time within a project, so that the count holds.
      await sql`select from project where id = ${row.project_id} for no key update`.execute(transaction);
      const { count } = await transaction
        .selectFrom("upstream")
        .select((eb) => eb.fn.countAll<string>().as("count"))
        .where("project_id", "=", row.project_id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= most) return "full";
      const written = await transaction
        .insertInto("upstream")
        .values({ ...row, query: JSON.stringify(row.query), settings: JSON.stringify(row.settings) })
        .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
        .returningAll()
        .executeTakeFirst();
      return written ?? "taken";
    });
  }

  /** By name or id. `forUpdate` keeps others from changing or using it until the transaction ends. */
  async find(projectId: ProjectId, nameOrId: string, forUpdate = false): Promise<UpstreamRow | undefined> {
    return await this.#db
      .selectFrom("upstream")
      .selectAll()
      .where("project_id", "=", projectId)
      .where((eb) => eb.or([eb("name", "=", nameOrId), eb("id", "=", nameOrId)]))
      .$if(forUpdate, (find) => find.forUpdate())
      .executeTakeFirst();
  }

  /** Those of the names that there are; they can't be deleted until the transaction ends. */
  async hold(projectId: ProjectId, names: readonly string[]): Promise<Pick<UpstreamRow, "id" | "name">[]> {
    return await this.#db
      .selectFrom("upstream")
      .select(["id", "name"])
      .where("project_id", "=", projectId)
      .where("name", "in", names)
      .orderBy("id")
      .forShare()
      .execute();
  }

  /** One more row than `limit`, when there is one. */
  async list(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<UpstreamRow[]> {
    return await this.#db
      .selectFrom("upstream")
      .selectAll()
      .where("project_id", "=", projectId)
      .$if(after !== undefined, (list) => list.where("id", order === "asc" ? ">" : "<", after ?? ""))
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  async update(projectId: ProjectId, id: string, change: UpstreamChange): Promise<UpstreamRow> {
    const { query, settings, ...plain } = change;
    return await this.#db
      .updateTable("upstream")
      .set({
        ...plain,
        ...(query === undefined ? {} : { query: JSON.stringify(query) }),
        ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
        updated_at: sql<Date>`now()`,
      })
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async delete(projectId: ProjectId, id: string): Promise<void> {
    await this.#db.deleteFrom("upstream").where("project_id", "=", projectId).where("id", "=", id).execute();
  }
}
