/** @file The last counted hour of each project. */
import type { ProjectId } from "@gristmill/contract";
import { type ColumnType, type Kysely, type Selectable, sql } from "kysely";
import type { Database } from "../db/index.ts";

/** Why a project's storage is not paid, as its writers are told. */
export interface Refusal {
  readonly code: "budget.exceeded" | "price.unknown";
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

interface StoredHourTable {
  project_id: ProjectId;
  hour: Date;
  bytes: ColumnType<string, bigint, bigint>;
  refusal: ColumnType<Refusal | null, string | null, string | null>;
}

/** A project's last hour. */
export type StoredHour = Selectable<StoredHourTable>;

/** Queries of `stored_hour`. */
export class StorageStore {
  readonly #db: Kysely<{ stored_hour: StoredHourTable }>;

  constructor(db: Database) {
    this.#db = db.withTables<{ stored_hour: StoredHourTable }>();
  }

  /** The hour that has begun, by the database's clock, and how many milliseconds are left of it. */
  async currentHour(): Promise<{ readonly hour: Date; readonly leftMs: number }> {
    const { rows } = await sql<{ hour: Date; left: number }>`
      select date_trunc('hour', clock_timestamp(), 'UTC') as hour,
        (extract(epoch from date_trunc('hour', clock_timestamp(), 'UTC') + interval '1 hour' - clock_timestamp())
          * 1000)::float8 as left`.execute(this.#db);
    const row = rows[0];
    if (row === undefined) throw new Error("expected a row of the database's clock, received none");
    return { hour: row.hour, leftMs: Math.ceil(row.left) };
  }

  async find(projectId: ProjectId): Promise<StoredHour | undefined> {
    return await this.#db.selectFrom("stored_hour").selectAll().where("project_id", "=", projectId).executeTakeFirst();
  }

  async write(row: { projectId: ProjectId; hour: Date; bytes: bigint; refusal: Refusal | null }): Promise<void> {
    const refusal = row.refusal === null ? null : JSON.stringify(row.refusal);
    const values = { hour: row.hour, bytes: row.bytes, refusal };
    await this.#db
      .insertInto("stored_hour")
      .values({ project_id: row.projectId, ...values })
      .onConflict((conflict) => conflict.column("project_id").doUpdateSet(values))
      .execute();
  }
}
