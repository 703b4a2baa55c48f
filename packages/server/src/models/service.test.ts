import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { ModelCard, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../ids.ts";
import { fileObjectStore, type ObjectStore } from "../objects/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { createModels, type Models, type NewVersion } from "./index.ts";
import { affineModel } from "./testing/affine-model.ts";

const card: ModelCard = {
  dataset: null,
  spec: {},
  compile: {},
  fit: {},
  metrics: { accuracy: 0.5 },
  training_seconds: 1,
  parameters: 2,
  environment: {},
  preprocessing: null,
  notes: null,
};
const log = { info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;

const { signal } = new AbortController();
let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let models: Models;
let project: ProjectId;
let other: ProjectId;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "gristmill-models-"));
  objects = await fileObjectStore(folder);
  models = createModels({ ground: { now: () => new Date(), newId, log }, db: database.db, objects }).models;
  project = await insertTestProject(database.db, "mine");
  other = await insertTestProject(database.db, "other");
});

afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** A version of some bytes, stored. */
async function stored(model: string, bytes: Uint8Array, runId: string | null = null): Promise<NewVersion> {
  const object = await objects.put(bytes);
  const language = null;
  return {
    projectId: project,
    model,
    format: "onnx",
    object,
    inputs: [],
    outputs: [],
    task: null,
    language,
    runId,
    card,
  };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("registering", () => {
  it("[MOD1] gives out 1, 2, 3 … however many write at once", async () => {
    const inputs = await Promise.all(Array.from({ length: 8 }, (_, i) => stored("busy", bytesOf(`busy ${i}`))));
    const versions = await Promise.all(inputs.map((input) => models.register(input)));
    expect(versions.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await models.get(project, "busy")).latest_version).toBe(8);
  });

  it("[MOD2] makes no version of bytes that are not stored", async () => {
    const input = await stored("absent", bytesOf("soon gone"));
    await objects.delete(input.object.sha256);
    await expect(models.register(input)).rejects.toMatchObject({ code: "artifact.corrupt" });
    await expect(models.get(project, "absent")).rejects.toMatchObject({ code: "model.not_found" });
  });

  it("[MOD3] answers the same version to the same run, also when both ask at once", async () => {
    const run = newId("run");
    const [a, b] = await Promise.all([
      models.register(await stored("once", bytesOf("first try"), run)),
      models.register(await stored("once", bytesOf("second try"), run)),
    ]);
    expect(a).toEqual(b);
    expect(await models.register(await stored("once", bytesOf("third try"), run))).toEqual(a);
    expect((await models.get(project, "once")).latest_version).toBe(1);
  });

  it("[MOD4] lets nothing change a version, not even by SQL", async () => {
    const { id } = await models.register(await stored("fixed", bytesOf("fixed")));
    const change = sql`update model_version set sha256 = repeat('0', 64) where id = ${id}`.execute(database.db);
    await expect(change).rejects.toThrow("a model version never changes");
  });
});

describe("importing", () => {
  it("[MOD6] reads the signature from the graph, with -1 for sizes that vary", async () => {
    const version = await models.importOnnx(project, "affine", affineModel(), { notes: "from a test", signal });
    expect(version).toMatchObject({
      version: 1,
      inputs: [{ name: "x", dtype: "float32", shape: [-1, 2] }],
      outputs: [{ name: "y", dtype: "float32", shape: [-1, 3] }],
      task: null,
      run_id: null,
    });
    expect(version.card).toMatchObject({ parameters: 9, notes: "from a test" });
  });

  it("[MOD11] keeps the task of an artifact of ours", async () => {
    const task = {
      task: "image-classification",
      height: 1,
      width: 2,
      channels: 1,
      scale: 1,
      class_names: ["a", "b", "c"],
    };
    const bytes = affineModel({ metadata: { "gristmill.task": JSON.stringify(task) } });
    expect((await models.importOnnx(project, "with-task", bytes, { notes: null, signal })).task).toEqual(task);
    const damaged = affineModel({ metadata: { "gristmill.task": '{"task":' } });
    expect((await models.importOnnx(project, "with-task", damaged, { notes: null, signal })).task).toBeNull();
  });

  it("[MOD5] refuses what is no sound ONNX model, says where, and keeps nothing of it", async () => {
    const whole = affineModel();
    const cases: [string, Uint8Array, RegExp][] = [
      ["text", bytesOf("not a model at all"), /ONNX/],
      ["nothing but zeros", new Uint8Array(1000), /ONNX/],
      ["cut", whole.subarray(0, whole.length - 20), /ONNX|graph/],
      ["dangling", affineModel({ danglingInput: true }), /nowhere/],
    ];
    for (const [name, bytes, message] of cases) {
      const refused = await models
        .importOnnx(project, "hostile", bytes, { notes: null, signal })
        .catch((error: unknown) => error);
      expect(refused, name).toMatchObject({ code: "data.malformed", message: expect.stringMatching(message) });
    }
    await expect(models.get(project, "hostile")).rejects.toMatchObject({ code: "model.not_found" });
  });

  it("[MOD5] refuses names that are no names", async () => {
    for (const name of ["../up", "Upper", "", "a".repeat(64)])
      await expect(models.importOnnx(project, name, affineModel(), { notes: null, signal })).rejects.toMatchObject({
        code: "request.invalid",
      });
  });
});

describe("reading", () => {
  it("[MOD8] takes `name` for the latest version and `name@1` for that one", async () => {
    await models.register(await stored("two", bytesOf("two 1")));
    await models.register(await stored("two", bytesOf("two 2")));
    expect((await models.resolve(project, "two")).version).toBe(2);
    expect((await models.resolve(project, "two@1")).version).toBe(1);
    await expect(models.resolve(project, "two@3")).rejects.toMatchObject({ code: "model.version_not_found" });
    for (const wrong of ["two@0", "two@", "two@x", "@1", "", "two@1@1"])
      await expect(models.resolve(project, wrong)).rejects.toMatchObject({ code: "model.not_found" });
  });

  it("[MOD10] finds no model of another project", async () => {
    const { id } = await models.register(await stored("private", bytesOf("private")));
    for (const name of ["private", (await models.get(project, "private")).id]) {
      await expect(models.get(other, name)).rejects.toMatchObject({ code: "model.not_found" });
      await expect(models.resolve(other, name)).rejects.toMatchObject({ code: "model.not_found" });
      await expect(models.delete(other, name)).rejects.toMatchObject({ code: "model.not_found" });
    }
    expect(await models.findVersionById(other, id)).toBeUndefined();
    expect((await models.list(other, { limit: 20, order: "desc" })).data).toEqual([]);
  });

  it("lists versions in their order, page by page", async () => {
    for (let i = 0; i < 5; i++) await models.register(await stored("paged", bytesOf(`page ${i}`)));
    const first = await models.listVersions(project, "paged", { limit: 2, order: "desc" });
    expect(first.data.map(({ version }) => version)).toEqual([5, 4]);
    const rest = await models.listVersions(project, "paged", { limit: 9, order: "desc", after: first.last_id ?? "" });
    expect(rest).toMatchObject({ has_more: false, data: [{ version: 3 }, { version: 2 }, { version: 1 }] });
  });

  it("[MOD7] hands out whole artifacts, and refuses a changed file with expected and found hash", async () => {
    const bytes = affineModel();
    const version = await models.importOnnx(project, "download", bytes, { notes: null, signal });
    expect(await buffer(await models.openArtifact(version, never))).toEqual(Buffer.from(bytes));
    const path = await models.artifactPath(version);
    await writeFile(path, "something else");
    const refused = { code: "artifact.corrupt", message: expect.stringContaining(version.sha256) };
    await expect(models.openArtifact(version, never)).rejects.toMatchObject(refused);
    await expect(models.artifactPath(version)).rejects.toMatchObject({
      ...refused,
      details: { expected_sha256: version.sha256, found_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    await writeFile(path, bytes);
  });
});

describe("deleting", () => {
  it("[MOD9] is refused while someone uses the model, and says who", async () => {
    const model = await models.register(await stored("used", bytesOf("used")));
    let users = ["deployment used-1"];
    models.protect(async (projectId, modelId) => (projectId === project && modelId === model.model_id ? users : []));
    await expect(models.delete(project, "used")).rejects.toMatchObject({
      code: "model.in_use",
      details: { used_by: ["deployment used-1"] },
    });
    users = [];
    await models.delete(project, "used");
    await expect(models.get(project, "used")).rejects.toMatchObject({ code: "model.not_found" });
    expect(await objects.has(model.sha256)).toBe(false);
  });

  it("[MOD9] keeps bytes that another version names", async () => {
    const shared = bytesOf("the same bytes twice");
    const { sha256 } = await models.register(await stored("twin-a", shared));
    await models.register(await stored("twin-b", shared));
    await models.delete(project, "twin-a");
    expect(await objects.has(sha256)).toBe(true);
    await models.delete(project, "twin-b");
    expect(await objects.has(sha256)).toBe(false);
  });
});
