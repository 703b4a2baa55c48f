/** @file Rows of runs and their events. A run changes in one place, `change`: status, numbers and events together, in one transaction. */
import type {
  CreateRun,
  KeyId,
  ListQuery,
  ProjectId,
  RequestId,
  Run,
  RunEvent,
  RunId,
  RunProgress,
  RunStatus,
} from "@gristmill/contract";
import { type ColumnType, type Kysely, type Selectable, sql, type Transaction, type Updateable } from "kysely";
import type { RunPlan } from "./plan.ts";
import { activeStatuses, unfinishedStatuses } from "./state.ts";

/** Written as text, because `pg` would make an SQL array of a JavaScript one. */
type Json<T> = ColumnType<T, string | undefined, string>;
type NullableJson<T> = ColumnType<T | null, undefined, string | null>;
type Defaulted<T, W = T> = ColumnType<T, undefined, W>;

interface RunTable {
  id: RunId;
  project_id: ProjectId;
  key_id: KeyId | null;
  request_id: RequestId | null;
  name: string;
  status: RunStatus;
  dataset_id: string;
  dataset_version_id: string;
  dataset_sha256: string;
  request: ColumnType<CreateRun, string, never>;
  plan: ColumnType<RunPlan, string, never>;
  labels: ColumnType<Record<string, string>, string, never>;
  progress: NullableJson<RunProgress>;
  history: Json<Run["history"]>;
  evaluation: NullableJson<NonNullable<Run["evaluation"]>>;
  checkpoint: NullableJson<NonNullable<Run["checkpoint"]>>;
  model_version: NullableJson<NonNullable<Run["model_version"]>>;
  error: NullableJson<NonNullable<Run["error"]>>;
  attempts: Defaulted<number>;
  deaths: Defaulted<number>;
  not_before: Defaulted<Date, unknown>;
  threads: Defaulted<number | null>;
  owner: Defaulted<string | null>;
  heartbeat_at: Defaulted<Date | null, unknown>;
  attempt_started_at: Defaulted<Date | null, unknown>;
  /** `bigint` arrives as text. */
  attempt_ms: Defaulted<string, number>;
  earlier_ms: Defaulted<string, number>;
  slices_recorded: Defaulted<number>;
  last_event: Defaulted<number>;
  created_at: Defaulted<Date, never>;
  started_at: Defaulted<Date | null, unknown>;
  finished_at: Defaulted<Date | null, unknown>;
}

interface RunEventTable {
  run_id: RunId;
  id: number;
  type: RunEvent["type"];
  at: Defaulted<Date, never>;
  data: ColumnType<Record<string, unknown>, string, never>;
}

type Tables = { run: RunTable; run_event: RunEventTable };
export type RunRow = Selectable<RunTable>;
export type EventRow = Selectable<RunEventTable>;

/** An event before it has a number. */
export interface NewEvent {
  readonly type: RunEvent["type"];
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What a change writes. */
export interface RunChange {
  readonly set: Updateable<RunTable>;
  readonly events?: readonly NewEvent[];
}

/** A run, and who may change it: with a fence, only the scheduler that still owns this attempt. */
export interface RunKey {
  readonly id: RunId;
  readonly projectId: ProjectId;
  readonly fence?: { readonly owner: string; readonly attempt: number };
}

/** The database's clock, as a value to write. */
export const dbNow = sql<Date>`now()`;

/** Progress is told often and matters little afterwards: only so many of its events are kept. */
const keptProgressEvents = 100;

/** Queries of runs. Every one names a project, but those of the scheduler that look for work. */
export class RunStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<unknown>) {
    this.#db = db.$extendTables<Tables>();
  }

  async insert(
    row: Pick<RunRow, "id" | "project_id" | "key_id" | "request_id" | "name" | "dataset_id"> &
      Pick<RunRow, "dataset_version_id" | "dataset_sha256" | "request" | "plan" | "labels">,
  ): Promise<RunRow> {
    return await this.#db.transaction().execute(async (tx) => {
      const inserted = await tx
        .insertInto("run")
        .values({
          ...row,
          status: "queued",
          request: JSON.stringify(row.request),
          plan: JSON.stringify(row.plan),
          labels: JSON.stringify(row.labels),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return await append(tx, inserted, {}, [{ type: "run.queued" }]);
    });
  }

  async find(projectId: ProjectId, id: RunId): Promise<RunRow | undefined> {
    return await this.#db
      .selectFrom("run")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .executeTakeFirst();
  }

  async list(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<RunRow[]> {
    return await this.#db
      .selectFrom("run")
      .selectAll()
      .where("project_id", "=", projectId)
      .$if(after !== undefined, (list) => list.where("id", order === "asc" ? ">" : "<", sql<RunId>`${after}`))
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  /** Unfinished runs that read a dataset. */
  async unfinishedOfDataset(projectId: ProjectId, datasetId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("run")
      .select("id")
      .where("project_id", "=", projectId)
      .where("dataset_id", "=", datasetId)
      .where("status", "in", unfinishedStatuses)
      .orderBy("id")
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Events after a number, in order. */
  async eventsAfter(projectId: ProjectId, runId: RunId, after: number, limit: number): Promise<EventRow[]> {
    return await this.#db
      .selectFrom("run_event")
      .innerJoin("run", "run.id", "run_event.run_id")
      .selectAll("run_event")
      .where("run.project_id", "=", projectId)
      .where("run_event.run_id", "=", runId)
      .where("run_event.id", ">", after)
      .orderBy("run_event.id")
      .limit(limit)
      .execute();
  }

  /**
   * Changes a run under its row lock. `decide` sees it as it is and says what becomes of it; undefined: nothing.
   * `first` runs before the row is locked, in the same transaction.
   * @returns the run after the change; undefined when there is no such run, the fence is not ours any more, or nothing was decided.
   */
  async change(
    key: RunKey,
    decide: (row: RunRow) => RunChange | undefined,
    first?: (tx: Transaction<unknown>) => Promise<void>,
  ): Promise<RunRow | undefined> {
    return await this.#db.transaction().execute(async (tx) => {
      await first?.(tx as unknown as Transaction<unknown>);
      const row = await tx
        .selectFrom("run")
        .selectAll()
        .where("project_id", "=", key.projectId)
        .where("id", "=", key.id)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      if (key.fence !== undefined && (row.owner !== key.fence.owner || row.attempts !== key.fence.attempt))
        return undefined;
      const change = decide(row);
      return change && (await append(tx, row, change.set, change.events ?? []));
    });
  }

  /** The oldest queued run whose time has come, locked by nobody else; `decide` as in `change`. */
  async claim(decide: (row: RunRow) => RunChange | undefined): Promise<RunRow | undefined> {
    return await this.#db.transaction().execute(async (tx) => {
      const row = await tx
        .selectFrom("run")
        .selectAll()
        .where("status", "=", "queued")
        .where("not_before", "<=", dbNow)
        .orderBy("created_at")
        .orderBy("id")
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      const change = row && decide(row);
      return row && change && (await append(tx, row, change.set, change.events ?? []));
    });
  }

  /** Milliseconds until the next queued run may start; undefined when none waits. */
  async nextDueInMs(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom("run")
      .select(sql<string | null>`ceil(extract(epoch from min(not_before) - now()) * 1000)`.as("ms"))
      .where("status", "=", "queued")
      .executeTakeFirst();
    return row?.ms == null ? undefined : Math.max(0, Number(row.ms));
  }

  /** Bytes of the last checkpoints, by project; equal ones are one object. */
  async storedBytes(): Promise<ReadonlyMap<ProjectId, bigint>> {
    const { rows } = await sql<{ project_id: ProjectId; bytes: string }>`
      select project_id, sum(bytes)::text as bytes
      from (select distinct project_id, checkpoint->>'sha256', (checkpoint->>'size_bytes')::bigint as bytes
            from run where checkpoint is not null) as kept
      group by project_id`.execute(this.#db);
    return new Map(rows.map((row) => [row.project_id, BigInt(row.bytes)]));
  }

  /** Runs that wait for money, oldest first, so many at once. */
  async paused(): Promise<RunRow[]> {
    return await this.#db
      .selectFrom("run")
      .selectAll()
      .where("status", "=", "paused")
      .orderBy("created_at")
      .limit(100)
      .execute();
  }

  /** Runs that another process was working on when it ended. */
  async abandoned(owner: string): Promise<RunRow[]> {
    return await this.#db
      .selectFrom("run")
      .selectAll()
      .where("status", "in", activeStatuses)
      .where((eb) => eb.or([eb("owner", "is", null), eb("owner", "<>", owner)]))
      .orderBy("created_at")
      .execute();
  }

  /** In any project: equal runs make equal checkpoints, which are one object. */
  async namesObject(tx: Transaction<unknown>, sha256: string): Promise<boolean> {
    const row = await tx
      .$extendTables<Tables>()
      .selectFrom("run")
      .select("id")
      .where(sql`checkpoint->>'sha256'`, "=", sha256)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }
}

async function append(
  tx: Transaction<Tables>,
  row: RunRow,
  set: Updateable<RunTable>,
  events: readonly NewEvent[],
): Promise<RunRow> {
  const updated = await tx
    .updateTable("run")
    .set({ ...set, last_event: row.last_event + events.length })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (events.length > 0)
    await tx
      .insertInto("run_event")
      .values(
        events.map(({ type, data }, i) => ({
          run_id: row.id,
          id: row.last_event + 1 + i,
          type,
          data: JSON.stringify(data ?? {}),
        })),
      )
      .execute();
  if (events.some(({ type }) => type === "run.progress"))
    await tx
      .deleteFrom("run_event")
      .where("run_id", "=", row.id)
      .where("type", "=", "run.progress")
      .where("id", "<=", updated.last_event - keptProgressEvents)
      .execute();
  return updated;
}
