/** @file Rules of the registry: see README.md. */
import type { Readable } from "node:stream";
import {
  AppError,
  type ImageClassification,
  type LanguageModel,
  type ListQuery,
  type Model,
  type ModelCard,
  type ModelFormat,
  type ModelVersion,
  type Page,
  type ProjectId,
  resourceName,
  type TensorSignature,
} from "@gristmill/contract";
import type { Kysely } from "kysely";
import type { Ground } from "../feature.ts";
import { pageOf } from "../http/index.ts";
import { lockObject, type ObjectStore, releaseObject, type StoredObject } from "../objects/index.ts";
import { collect, openIncoming } from "./incoming.ts";
import { inspectGguf } from "./inspect-gguf.ts";
import { inspectOnnx } from "./inspect-onnx.ts";
import { type ModelRow, ModelStore, type VersionRow } from "./store.ts";
import { verifyingStream } from "./verified-stream.ts";
import { modelToWire, versionToWire } from "./wire.ts";

/** A version to be: its object is stored already. */
export interface NewVersion {
  readonly projectId: string;
  /** The model's name; it is made with its first version. */
  readonly model: string;
  readonly object: StoredObject;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly task: ImageClassification | null;
  readonly format: ModelFormat;
  /** What the file of a language model says of itself; null: it is none. */
  readonly language: LanguageModel | null;
  /** Makes the registration idempotent; null: imported. */
  readonly runId: string | null;
  readonly card: ModelCard;
}

/** Says who uses a model, in words for people such as "deployment mnist"; none: free to delete. */
export type UseCheck = (projectId: string, modelId: string) => Promise<readonly string[]>;

interface Deps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly objects: ObjectStore;
  /** @throws AppError when the project may not store more. */
  readonly checkPaid: (projectId: ProjectId) => Promise<void>;
}

/** Largest ONNX file that is taken: it is decoded in memory before anything is stored. */
export const onnxLimitBytes = 256 * 1024 * 1024;
/** Largest GGUF file that is taken: it goes to the disk as it arrives. */
export const ggufLimitBytes = 128 * 1024 ** 3;

/** The registry. */
export class Models {
  readonly #deps: Deps;
  readonly #store: ModelStore;
  readonly #useChecks: UseCheck[] = [];

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#store = new ModelStore(deps.db);
  }

  /** Asked before a model is deleted. Features above the registry, which it does not know, add theirs at composition. */
  protect(check: UseCheck): void {
    this.#useChecks.push(check);
  }

  /**
   * Makes the next version. The same run gets the same version however often it asks.
   * @throws AppError `artifact.corrupt` when the object is not stored.
   */
  async register(input: NewVersion): Promise<ModelVersion> {
    const { ground, db, objects } = this.#deps;
    const row = await db.transaction().execute(async (tx) => {
      const store = new ModelStore(tx);
      await lockObject(tx, input.object.sha256);
      await objects.path(input.object.sha256); // throws when it is missing: between its writing and this lock a deletion may have taken it
      const model = await store.lockOrMakeModel(ground.newId("model"), input.projectId, input.model);
      const known = input.runId === null ? undefined : await store.findVersionOfRun(input.projectId, input.runId);
      if (known !== undefined) return known;
      const id = ground.newId("modelVersion");
      await store.insertVersion({
        id,
        projectId: input.projectId,
        modelId: model.id,
        version: model.latest_version + 1,
        format: input.format,
        sha256: input.object.sha256,
        sizeBytes: input.object.sizeBytes,
        inputs: input.inputs,
        outputs: input.outputs,
        task: input.task,
        language: input.language,
        runId: input.runId,
        card: input.card,
      });
      return found(await store.findVersionById(input.projectId, id), input.model);
    });
    ground.log.info({ model: input.model, version: row.version, run: input.runId }, "model version registered");
    return versionToWire(row);
  }

  /** Bytes of all versions, by project. */
  storedBytes(): Promise<ReadonlyMap<ProjectId, bigint>> {
    return this.#store.storedBytes();
  }

  /**
   * Checks and registers a file from outside, as it arrives: ONNX, or GGUF, which its first bytes tell. ONNX is decoded in
   * memory; of GGUF, which is too large for that, a thread reads the front from the disk.
   * @throws AppError `data.malformed`, `request.too_large`, `budget.exceeded`; `signal.reason`.
   */
  async importFile(
    projectId: ProjectId,
    model: string,
    source: Readable,
    options: { readonly notes: string | null; readonly sizeBytes?: number | undefined; readonly signal: AbortSignal },
  ): Promise<ModelVersion> {
    await this.#checkImport(projectId, model);
    const { notes, sizeBytes, signal } = options;
    const incoming = await openIncoming(source, signal);
    try {
      if (incoming.isGguf) return await this.#importGguf(projectId, model, incoming.content, { notes, signal });
      const bytes = await collect(incoming.content, onnxLimitBytes, sizeBytes);
      if (bytes.length === 0) throw new AppError("request.invalid", "Expected the bytes of a model, received none.");
      return await this.importOnnx(projectId, model, bytes, { notes, signal });
    } catch (error) {
      signal.throwIfAborted(); // what a stream throws when its client goes is no fault of ours
      throw error;
    } finally {
      incoming.content.destroy();
    }
  }

  /** Checks and registers an ONNX file. @throws AppError `data.malformed`, `budget.exceeded`; `signal.reason`. */
  async importOnnx(
    projectId: ProjectId,
    model: string,
    bytes: Uint8Array,
    { notes, signal }: { readonly notes: string | null; readonly signal: AbortSignal },
  ): Promise<ModelVersion> {
    await this.#checkImport(projectId, model);
    const { front, ...inspected } = inspectOnnx(bytes);
    const { parameters, quantization } = inspected;
    const language =
      front === undefined ? null : await inspectGguf({ front, weights: { parameters, quantization } }, signal);
    return await this.register({
      projectId,
      model,
      format: "onnx",
      object: await this.#deps.objects.put(bytes),
      // Of a language model they are its engine's business.
      inputs: language === null ? inspected.inputs : [],
      outputs: language === null ? inspected.outputs : [],
      task: inspected.task,
      language,
      runId: null,
      card: importedCard(parameters, notes, {
        producer: inspected.producer,
        opset: String(inspected.opset),
      }),
    });
  }

  async #importGguf(
    projectId: ProjectId,
    model: string,
    content: Readable,
    { notes, signal }: { readonly notes: string | null; readonly signal: AbortSignal },
  ): Promise<ModelVersion> {
    let language: LanguageModel | undefined;
    const object = await this.#deps.objects.put(content, {
      limitBytes: ggufLimitBytes,
      signal,
      check: async (path) => {
        language = await inspectGguf({ path }, signal);
      },
    });
    if (language === undefined) throw new Error("the object was stored unchecked");
    return await this.register({
      projectId,
      model,
      format: "gguf",
      object,
      inputs: [],
      outputs: [],
      task: null,
      language,
      runId: null,
      card: importedCard(language.parameters, notes, {}),
    });
  }

  async #checkImport(projectId: ProjectId, model: string): Promise<void> {
    if (!resourceName.safeParse(model).success)
      throw new AppError(
        "request.invalid",
        `A model's name has 1 to 63 of a-z, 0-9, '.', '_', '-', received "${model}".`,
      );
    await this.#deps.checkPaid(projectId);
  }

  /** By name or id. @throws AppError `model.not_found` */
  async get(projectId: string, nameOrId: string): Promise<Model> {
    return modelToWire(await this.#model(projectId, nameOrId));
  }

  async list(projectId: string, query: ListQuery): Promise<Page<Model>> {
    return pageOf(await this.#store.listModels(projectId, query), query.limit, modelToWire);
  }

  async listVersions(projectId: string, nameOrId: string, query: ListQuery): Promise<Page<ModelVersion>> {
    const model = await this.#model(projectId, nameOrId);
    return pageOf(await this.#store.listVersions(projectId, model.id, query), query.limit, versionToWire);
  }

  /** Without a number: the latest. @throws AppError `model.not_found`, `model.version_not_found` */
  async version(projectId: string, nameOrId: string, version?: number): Promise<ModelVersion> {
    const model = await this.#model(projectId, nameOrId);
    const number = version ?? model.latest_version;
    const row = await this.#store.findVersion(projectId, model.id, number);
    if (row === undefined)
      throw new AppError(
        "model.version_not_found",
        `Model "${model.name}" has no version ${number}; its latest is ${model.latest_version}.`,
      );
    return versionToWire(row);
  }

  /** `name` is its latest version, `name@3` that one. @throws AppError `model.not_found`, `model.version_not_found` */
  async resolve(projectId: string, reference: string): Promise<ModelVersion> {
    const match = /^([^@]+)(?:@([1-9]\d{0,8}))?$/.exec(reference);
    if (match?.[1] === undefined)
      throw new AppError("model.not_found", `Expected a model as "name" or "name@3", received "${reference}".`);
    return await this.version(projectId, match[1], match[2] === undefined ? undefined : Number(match[2]));
  }

  /** By the version's own id; undefined when it was deleted. */
  async findVersionById(projectId: string, id: string): Promise<ModelVersion | undefined> {
    const row = await this.#store.findVersionById(projectId, id);
    return row && versionToWire(row);
  }

  /** A path that a child may read; its bytes were just compared with the version's hash. @throws AppError `artifact.corrupt` */
  async artifactPath(version: Pick<ModelVersion, "sha256">): Promise<string> {
    await this.#deps.objects.verify(version.sha256);
    return await this.#deps.objects.path(version.sha256);
  }

  /** The artifact's bytes, compared with its hash before the first and again before the last. @throws AppError `artifact.corrupt` */
  async openArtifact(version: ModelVersion, signal: AbortSignal): Promise<Readable> {
    const { objects } = this.#deps;
    await objects.verify(version.sha256); // here the client still gets an answer that says what is wrong
    const source = await objects.open(version.sha256);
    const checked = verifyingStream(`${version.model}@${version.version}`, version.sha256);
    const abort = (): void => void source.destroy(new AppError("request.cancelled", "The client went away."));
    signal.addEventListener("abort", abort, { once: true });
    source.once("error", (error) => checked.destroy(error));
    checked.once("close", () => {
      signal.removeEventListener("abort", abort);
      source.destroy();
    });
    return source.pipe(checked);
  }

  /** @throws AppError `model.not_found`, `model.in_use` */
  async delete(projectId: string, nameOrId: string): Promise<Model> {
    const { db, objects } = this.#deps;
    const model = await this.#model(projectId, nameOrId);
    const hashes = await db.transaction().execute(async (tx) => {
      const store = new ModelStore(tx);
      // Who wants to use the model locks its row too (a foreign key does), so the answer of the checks holds.
      await store.lockModel(projectId, model.id);
      const users = (await Promise.all(this.#useChecks.map((check) => check(projectId, model.id)))).flat();
      if (users.length > 0) throw inUse(model.name, users);
      return await store.deleteModel(projectId, model.id).catch((cause: unknown) => {
        throw isForeignKeyViolation(cause) ? inUse(model.name, [], cause) : cause;
      });
    });
    for (const sha256 of hashes)
      await releaseObject(db, objects, sha256, (tx) => new ModelStore(tx).namesObject(sha256));
    return modelToWire(model);
  }

  async #model(projectId: string, nameOrId: string): Promise<ModelRow> {
    const model = await this.#store.findModel(projectId, nameOrId);
    if (model === undefined) throw new AppError("model.not_found", `There is no model "${nameOrId}".`);
    return model;
  }
}

/** Of a file whose making is not known. */
const importedCard = (parameters: number, notes: string | null, environment: Record<string, string>): ModelCard => ({
  dataset: null,
  spec: {},
  compile: {},
  fit: {},
  metrics: {},
  training_seconds: 0,
  parameters,
  environment,
  preprocessing: null,
  notes,
});

const inUse = (model: string, users: readonly string[], cause?: unknown): AppError =>
  new AppError("model.in_use", `Model "${model}" is in use${users.length > 0 ? ` by ${users.join(", ")}` : ""}.`, {
    details: { used_by: users },
    cause,
  });

/** PostgreSQL's code for a row that another one still names. */
const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "23503";

function found(row: VersionRow | undefined, model: string): VersionRow {
  if (row === undefined) throw new Error(`the version of ${model} that was just written is not there`);
  return row;
}
