/** @file Language models in the registry: GGUF files of any size and any intent. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ModelVersion, ProjectId } from "@gristmill/contract";
import { frontKey, frontToText, writeGgufHeader } from "@gristmill/gguf";
import { type GgufTensor, type GgufValue, MemorySink, writeGguf } from "@gristmill/nn";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../ids.ts";
import { fileObjectStore, type ObjectStore } from "../objects/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { createModels, type Models } from "./index.ts";
import { modelRoutes } from "./routes.ts";
import { affineModel } from "./testing/affine-model.ts";
import { plainTemplate, smallLanguageModel } from "./testing/small-language-model.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let models: Models;
let project: ProjectId;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "gristmill-models-"));
  objects = await fileObjectStore(folder);
  models = createModels({ ground: { now: () => new Date(), newId, log }, db: database.db, objects }).models;
  project = await insertTestProject(database.db, "mine");
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

async function stored(): Promise<string[]> {
  const hashes: string[] = [];
  for await (const { sha256 } of objects.list()) hashes.push(sha256);
  return hashes;
}

const text = (value: string): GgufValue => ({ type: "string", value });
const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
const take = (bytes: Uint8Array, signal = new AbortController().signal): Promise<ModelVersion> =>
  models.importFile(project, "words", Readable.from([Buffer.from(bytes)]), { notes: null, signal });

/** A file whose front is right and says nothing much. */
async function madeOf(...changes: [string, GgufValue | undefined][]): Promise<Uint8Array> {
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", text("llama")],
    ["llama.context_length", uint32(64)],
    ["llama.embedding_length", uint32(2)],
    ["tokenizer.ggml.model", text("gpt2")],
    ["tokenizer.ggml.tokens", { type: "array", value: { of: "string", values: ["a", "b"] } }],
    ["tokenizer.ggml.merges", { type: "array", value: { of: "string", values: [] } }],
  ]);
  for (const [key, value] of changes)
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  const tensor: GgufTensor = { name: "w", shape: [2, 2], type: "F32", load: () => new Float32Array(4) };
  const sink = new MemorySink();
  await writeGguf(sink, { metadata: [...metadata], tensors: [tensor] });
  return sink.bytes();
}

describe("importing a language model", () => {
  it("[MOD12] tells what the file says of its model, and keeps its bytes", async () => {
    const bytes = await smallLanguageModel({ chatTemplate: plainTemplate });
    const version = await take(bytes);
    expect(version).toMatchObject({ format: "gguf", inputs: [], outputs: [], task: null, size_bytes: bytes.length });
    expect(version.language).toEqual({
      name: "small",
      architecture: "llama",
      parameters: 32 * 275 * 2 + 4 * 32 * 32 + 3 * 64 * 32 + 3 * 32,
      quantization: "F32",
      context_length: 4096,
      embedding_length: 32,
      vocabulary_size: 275,
      tokenizer: "llama",
      chat_template: true,
    });
    expect(version.card.parameters).toBe(version.language?.parameters);
    expect((await models.resolve(project, "words")).language).toEqual(version.language);
    await objects.verify(version.sha256);
  });

  it("[MOD12] takes ONNX files by the same way, whatever pieces they come in", async () => {
    const bytes = Buffer.from(affineModel());
    const pieces = Readable.from([bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3)]);
    const signal = new AbortController().signal;
    const version = await models.importFile(project, "affine", pieces, { notes: "n", signal });
    expect(version).toMatchObject({ format: "onnx", language: null, card: { notes: "n", parameters: 9 } });
  });

  const onnxWith = (front: string): Uint8Array => affineModel({ metadata: { [frontKey]: front } });
  const frontOf = (metadata: readonly [string, GgufValue][]): string =>
    frontToText(writeGgufHeader({ metadata, tensors: [] }).bytes);
  const card: readonly [string, GgufValue][] = [
    ["general.architecture", text("llama")],
    ["llama.context_length", uint32(64)],
    ["llama.embedding_length", uint32(2)],
    ["tokenizer.ggml.model", text("gpt2")],
    ["tokenizer.ggml.merges", { type: "array", value: { of: "string", values: [] } }],
  ];
  const vocabularyOf = (...values: string[]): [string, GgufValue] => [
    "tokenizer.ggml.tokens",
    { type: "array", value: { of: "string", values } },
  ];

  it("[MOD14] takes an ONNX file with a front for a language model, and counts its weights in the graph", async () => {
    const version = await take(onnxWith(frontOf([...card, vocabularyOf("a", "b")])));
    expect(version).toMatchObject({ format: "onnx", inputs: [], outputs: [], task: null, card: { parameters: 9 } });
    expect(version.language).toMatchObject({ vocabulary_size: 2, parameters: 9, quantization: "F32" });
  });

  it.each<[string, string, RegExp]>([
    ["no base64", "a,b!", /metadata is wrong at gristmill\.vocabulary: expected base64/],
    ["nothing", "", /GGUF/],
    ["another format", Buffer.from("PK\u0003\u0004 a zip file").toString("base64"), /GGUF/],
    ["half of one", frontOf(card).slice(0, 40), /GGUF/],
    ["no vocabulary", frontOf(card), /tokenizer\.ggml\.tokens: expected/],
    ["a token said twice", frontOf([...card, vocabularyOf("a", "b", "a")]), /tokens\[2\]: expected each token once/],
  ])("[MOD14] refuses an ONNX file whose front is %s, and keeps nothing", async (_, front, message) => {
    const before = await stored();
    await expect(take(onnxWith(front))).rejects.toMatchObject({
      code: "data.malformed",
      message: expect.stringMatching(message),
    });
    expect(await stored()).toEqual(before);
  });

  const tooMany: GgufValue = { type: "array", value: { of: "string", values: ["a", "b", "a"] } };
  it.each<[string, [string, GgufValue | undefined][], RegExp]>([
    ["a token said twice", [["tokenizer.ggml.tokens", tooMany]], /tokens\[2\]: expected each token once, received "a"/],
    [
      "no vocabulary",
      [
        ["tokenizer.ggml.tokens", undefined],
        ["tokenizer.ggml.model", undefined],
      ],
      /tokens.*found none/,
    ],
    ["no architecture", [["general.architecture", undefined]], /general\.architecture: expected the name/],
    ["a path as architecture", [["general.architecture", text("../x")]], /general\.architecture: expected the name/],
    ["no context length", [["llama.context_length", undefined]], /llama\.context_length: expected a whole number/],
    ["a context of NaN", [["llama.context_length", { type: "float32", value: Number.NaN }]], /context_length/],
    ["a context of nothing", [["llama.context_length", uint32(0)]], /context_length/],
    ["an adapter", [["general.type", text("adapter")]], /general\.type: expected a whole model, received "adapter"/],
    ["a part of several files", [["split.count", { type: "uint16", value: 3 }]], /split\.count: .*one of 3/],
    ["a name with U+0000", [["general.name", text("a\0b")]], /general\.name: expected a text without U\+0000/],
  ])("[MOD5] refuses %s, says where, and keeps nothing", async (_what, changes, message) => {
    const before = await stored();
    await expect(take(await madeOf(...changes))).rejects.toMatchObject({
      code: "data.malformed",
      message: expect.stringMatching(message),
    });
    expect(await stored()).toEqual(before);
    expect(await readdir(join(folder, "temporary"))).toEqual([]);
  });

  it("[MOD5] refuses a file that is cut off anywhere", async () => {
    const bytes = await madeOf();
    expect((await take(bytes)).format).toBe("gguf");
    for (const length of [4, 7, 8, 23, 60, 200, bytes.length - 17])
      await expect(take(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        code: "data.malformed",
      });
  });

  it("[MOD5] refuses sizes that no file has before it makes room for them", async () => {
    const bytes = Buffer.from(await madeOf());
    for (const offset of [8, 16]) {
      const hostile = Buffer.from(bytes);
      hostile.writeBigUInt64LE(2n ** 62n, offset);
      await expect(take(hostile)).rejects.toMatchObject({ code: "data.malformed" });
    }
  });

  it("[MOD5] keeps nothing of a file whose sender goes", async () => {
    const gone = new AbortController();
    async function* slowly(): AsyncGenerator<Buffer> {
      yield Buffer.from("GGUF");
      yield Buffer.alloc(1000);
      gone.abort(new Error("gone"));
      await new Promise(() => {});
    }
    const importing = models.importFile(project, "words", Readable.from(slowly()), {
      notes: null,
      signal: gone.signal,
    });
    await expect(importing).rejects.toThrow("gone");
    expect(await readdir(join(folder, "temporary"))).toEqual([]);
  });

  it("[MOD12] never holds a large file in memory", async () => {
    const front = Buffer.from(await madeOf());
    const piece = Buffer.alloc(1024 * 1024);
    let most = 0;
    async function* large(): AsyncGenerator<Buffer> {
      yield front;
      for (let i = 0; i < 600; i++) {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        yield piece;
      }
    }
    const before = process.memoryUsage().arrayBuffers;
    const signal = new AbortController().signal;
    const version = await models.importFile(project, "large", Readable.from(large()), { notes: null, signal });
    expect(version.size_bytes).toBe(front.length + 600 * 1024 * 1024);
    expect(most - before).toBeLessThan(100 * 1024 * 1024);
    await models.delete(project, "large");
  });

  it("[MOD4] the database takes no format but these, and no GGUF without a card", async () => {
    const copy = (format: string, language: string | null) =>
      sql`insert into model_version select 'x', project_id, model_id, 99, ${format}, sha256, size_bytes, inputs, outputs, task, run_id, card, created_at, ${language}::json
        from model_version limit 1`.execute(database.db);
    await expect(copy("pickle", null)).rejects.toThrow("model_version_format_check");
    await expect(copy("gguf", null)).rejects.toThrow("model_version_language_check");
  });
});

it("[MOD12] over HTTP the file is streamed, and comes back under its own ending", async () => {
  const http = await testHttp(modelRoutes(models), { mine: { projectId: project } });
  const headers = { host: "localhost", authorization: "Bearer mine" };
  const bytes = Buffer.from(await smallLanguageModel());
  const made = await http.app.inject({
    method: "POST",
    url: "/api/models/streamed/versions?notes=tiny",
    headers: { ...headers, "content-type": "application/octet-stream" },
    payload: Readable.from([bytes.subarray(0, 2), bytes.subarray(2, 5000), bytes.subarray(5000)]),
  });
  expect(made.json()).toMatchObject({ format: "gguf", language: { chat_template: false }, card: { notes: "tiny" } });
  const artifact = await http.app.inject({ method: "GET", url: "/api/models/streamed/versions/1/artifact", headers });
  expect(artifact.headers["content-disposition"]).toBe('attachment; filename="streamed-1.gguf"');
  expect(artifact.rawPayload.equals(bytes)).toBe(true);
  await http.stop(1000);
});

it("[MOD13] other requests are answered while a file with a large vocabulary is looked at", async () => {
  const http = await testHttp(modelRoutes(models), { mine: { projectId: project } });
  const headers = { host: "localhost", authorization: "Bearer mine" };
  const values = Array.from({ length: 256_000 }, (_, i) => `token ${i}`);
  const bytes = Buffer.from(
    await madeOf(["tokenizer.ggml.tokens", { type: "array", value: { of: "string", values } }]),
  );
  let made: number | undefined;
  const importing = http.app
    .inject({
      method: "POST",
      url: "/api/models/wordy/versions",
      headers: { ...headers, "content-type": "application/octet-stream" },
      payload: Readable.from([bytes]),
    })
    .then(({ statusCode }) => {
      made = statusCode;
    });
  let answered = 0;
  while (made === undefined) {
    const { statusCode } = await http.app.inject({ method: "GET", url: "/api/models", headers });
    expect(statusCode).toBe(200);
    if (made === undefined) answered++;
  }
  await importing;
  expect(made).toBe(201);
  expect(answered).toBeGreaterThan(5);
  await http.stop(1000);
});
