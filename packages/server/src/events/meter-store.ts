/** @file Rows of meters. */
import type { Aggregation, ProjectId } from "@gristmill/contract";
import { type Insertable, type Selectable, sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { Meter } from "./meter.ts";

interface MeterTable {
  id: string;
  project_id: ProjectId;
  name: string;
  event_type: string;
  aggregation: Aggregation;
  value_property: string | null;
  unit: string;
  dimensions: Readonly<Record<string, string>>;
  created_at: Date;
  deleted_at: Date | null;
}

/** Keeps meters. Every method takes the project, so none can read across projects. */
export class MeterStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get #meters() {
    return this.#db.withTables<{ meter: MeterTable }>();
  }

  /** Meters that count, oldest first. */
  async list(projectId: ProjectId): Promise<readonly Meter[]> {
    const rows = await this.#meters
      .selectFrom("meter")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("deleted_at", "is", null)
      .orderBy("id")
      .execute();
    return rows.map(fromRow);
  }

  /** By id or name; `orDeleted`: also one that counts no more, by whose name its events still stand. */
  async find(projectId: ProjectId, idOrName: string, orDeleted = false): Promise<Meter | undefined> {
    let found = this.#meters
      .selectFrom("meter")
      .selectAll()
      .where("project_id", "=", projectId)
      .where((row) => row.or([row("id", "=", idOrName), row("name", "=", idOrName)]));
    if (!orDeleted) found = found.where("deleted_at", "is", null);
    const row = await found.executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  /** Names of all meters that a project has ever had. */
  async names(projectId: ProjectId): Promise<readonly string[]> {
    const rows = await this.#meters.selectFrom("meter").select("name").where("project_id", "=", projectId).execute();
    return rows.map((row) => row.name);
  }

  /**
   * Adds a meter unless the project has so many already (deleted ones too), or the type has.
   * @returns "taken": the project has, or had, a meter of that name.
   */
  async insert(
    meter: Meter,
    most: { readonly all: number; readonly ofType: number },
  ): Promise<"made" | "taken" | "full"> {
    return await this.#db.transaction().execute(async (transaction) => {
      // One at a time for each project, so that the counts hold.
      await sql`select pg_advisory_xact_lock(7070013, hashtext(${meter.projectId}))`.execute(transaction);
      const { rows } = await sql<{ n: number; of_type: number }>`
        select count(*)::integer as n,
          count(*) filter (where event_type = ${meter.eventType} and deleted_at is null)::integer as of_type
        from meter where project_id = ${meter.projectId}`.execute(transaction);
      const { n = 0, of_type = 0 } = rows[0] ?? {};
      if (n >= most.all || of_type >= most.ofType) return "full";
      const made = await transaction
        .withTables<{ meter: MeterTable }>()
        .insertInto("meter")
        .values(toRow(meter))
        .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
        .returning("id")
        .executeTakeFirst();
      return made === undefined ? "taken" : "made";
    });
  }

  /** @returns false when it was deleted before. */
  async delete(meter: Meter): Promise<boolean> {
    const { numUpdatedRows } = await this.#meters
      .updateTable("meter")
      .set({ deleted_at: sql<Date>`now()` })
      .where("project_id", "=", meter.projectId)
      .where("id", "=", meter.id)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }
}

const toRow = (meter: Meter): Insertable<MeterTable> => ({
  id: meter.id,
  project_id: meter.projectId,
  name: meter.name,
  event_type: meter.eventType,
  aggregation: meter.aggregation,
  value_property: meter.valueProperty,
  unit: meter.unit,
  dimensions: meter.dimensions,
  created_at: meter.createdAt,
  deleted_at: null,
});

const fromRow = (row: Selectable<MeterTable>): Meter => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  eventType: row.event_type,
  aggregation: row.aggregation,
  valueProperty: row.value_property,
  unit: row.unit,
  dimensions: row.dimensions,
  createdAt: row.created_at,
});
