/** @file Rows of the registry. Every query names a project, but those that ask whether an object is still named. */
import type {
  ImageClassification,
  LanguageModel,
  ListQuery,
  ModelCard,
  ModelFormat,
  ProjectId,
  TensorSignature,
} from "@gristmill/contract";
import { type ColumnType, type Kysely, type Selectable, sql, type Transaction } from "kysely";

/** Written as text, because `pg` would make an SQL array of a JavaScript one. */
type Json<T> = ColumnType<T, string, never>;

interface ModelTable {
  id: string;
  project_id: string;
  name: string;
  latest_version: ColumnType<number, number | undefined, number>;
  created_at: ColumnType<Date, undefined, never>;
}

interface ModelVersionTable {
  id: string;
  project_id: string;
  model_id: string;
  version: number;
  format: ModelFormat;
  sha256: string;
  /** `bigint` arrives as text. */
  size_bytes: ColumnType<string, number, never>;
  inputs: Json<TensorSignature[]>;
  outputs: Json<TensorSignature[]>;
  task: ColumnType<ImageClassification | null, string | null, never>;
  language: ColumnType<LanguageModel | null, string | null, never>;
  run_id: string | null;
  card: Json<ModelCard>;
  created_at: ColumnType<Date, undefined, never>;
}

type Tables = { model: ModelTable; model_version: ModelVersionTable };
export type ModelRow = Selectable<ModelTable>;
export type VersionRow = Selectable<ModelVersionTable> & { readonly model_name: string };

/** A version before it has a number. */
export interface NewVersionRow {
  readonly id: string;
  readonly projectId: string;
  readonly modelId: string;
  readonly version: number;
  readonly format: ModelFormat;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly task: ImageClassification | null;
  readonly language: LanguageModel | null;
  readonly runId: string | null;
  readonly card: ModelCard;
}

/** Queries of the registry, on the database or inside a transaction. */
export class ModelStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<unknown> | Transaction<unknown>) {
    this.#db = db.$extendTables<Tables>();
  }

  /** Bytes of all versions, by project. */
  async storedBytes(): Promise<ReadonlyMap<ProjectId, bigint>> {
    const rows = await this.#db
      .selectFrom("model_version")
      .select(["project_id", sql<string>`sum(size_bytes)`.as("bytes")])
      .groupBy("project_id")
      .execute();
    return new Map(rows.map((row) => [row.project_id as ProjectId, BigInt(row.bytes)]));
  }

  /** By name or id. */
  async findModel(projectId: string, nameOrId: string): Promise<ModelRow | undefined> {
    return await this.#db
      .selectFrom("model")
      .selectAll()
      .where("project_id", "=", projectId)
      .where((eb) => eb.or([eb("name", "=", nameOrId), eb("id", "=", nameOrId)]))
      .executeTakeFirst();
  }

  /** The model of that name, made when there is none, and locked until the transaction ends: who holds it gives out the next number. */
  async lockOrMakeModel(id: string, projectId: string, name: string): Promise<ModelRow> {
    await this.#db
      .insertInto("model")
      .values({ id, project_id: projectId, name })
      .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
      .execute();
    return await this.#db
      .selectFrom("model")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("name", "=", name)
      .forUpdate()
      .executeTakeFirstOrThrow();
  }

  async lockModel(projectId: string, id: string): Promise<ModelRow | undefined> {
    return await this.#db
      .selectFrom("model")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
  }

  async listModels(projectId: string, query: ListQuery): Promise<ModelRow[]> {
    const { limit, after, order } = query;
    return await this.#db
      .selectFrom("model")
      .selectAll()
      .where("project_id", "=", projectId)
      .$if(after !== undefined, (list) => list.where("id", order === "asc" ? ">" : "<", after ?? ""))
      .orderBy("id", order)
      .limit(limit + 1)
      .execute();
  }

  async insertVersion(row: NewVersionRow): Promise<void> {
    await this.#db
      .updateTable("model")
      .set({ latest_version: row.version })
      .where("project_id", "=", row.projectId)
      .where("id", "=", row.modelId)
      .execute();
    await this.#db
      .insertInto("model_version")
      .values({
        id: row.id,
        project_id: row.projectId,
        model_id: row.modelId,
        version: row.version,
        format: row.format,
        sha256: row.sha256,
        size_bytes: row.sizeBytes,
        inputs: JSON.stringify(row.inputs),
        outputs: JSON.stringify(row.outputs),
        task: row.task === null ? null : JSON.stringify(row.task),
        language: row.language === null ? null : JSON.stringify(row.language),
        run_id: row.runId,
        card: JSON.stringify(row.card),
      })
      .execute();
  }

  async findVersion(projectId: string, modelId: string, version: number): Promise<VersionRow | undefined> {
    return await this.#versions(projectId)
      .where("model_version.model_id", "=", modelId)
      .where("model_version.version", "=", version)
      .executeTakeFirst();
  }

  async findVersionById(projectId: string, id: string): Promise<VersionRow | undefined> {
    return await this.#versions(projectId).where("model_version.id", "=", id).executeTakeFirst();
  }

  async findVersionOfRun(projectId: string, runId: string): Promise<VersionRow | undefined> {
    return await this.#versions(projectId).where("model_version.run_id", "=", runId).executeTakeFirst();
  }

  async listVersions(projectId: string, modelId: string, query: ListQuery): Promise<VersionRow[]> {
    const { limit, after, order } = query;
    return await this.#versions(projectId)
      .where("model_version.model_id", "=", modelId)
      .$if(after !== undefined, (list) =>
        list.where("model_version.version", order === "asc" ? ">" : "<", (eb) =>
          eb
            .selectFrom("model_version as last")
            .select("last.version")
            .where("last.id", "=", after ?? ""),
        ),
      )
      .orderBy("model_version.version", order)
      .limit(limit + 1)
      .execute();
  }

  /** Removes a model with its versions and answers the hashes that they named. */
  async deleteModel(projectId: string, modelId: string): Promise<string[]> {
    const versions = await this.#db
      .deleteFrom("model_version")
      .where("project_id", "=", projectId)
      .where("model_id", "=", modelId)
      .returning("sha256")
      .execute();
    await this.#db.deleteFrom("model").where("project_id", "=", projectId).where("id", "=", modelId).execute();
    return [...new Set(versions.map(({ sha256 }) => sha256))];
  }

  /** In any project: objects are shared by content. */
  async namesObject(sha256: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom("model_version")
      .select("id")
      .where("sha256", "=", sha256)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  #versions(projectId: string) {
    return this.#db
      .selectFrom("model_version")
      .innerJoin("model", "model.id", "model_version.model_id")
      .selectAll("model_version")
      .select("model.name as model_name")
      .where("model_version.project_id", "=", projectId);
  }
}
