import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProjectId } from "@gristmill/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { newId } from "../ids.ts";
import { fileObjectStore, type ObjectStore } from "../objects/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { createModels } from "./index.ts";
import { affineModel } from "./testing/affine-model.ts";

let database: TestDatabase;
let folder: string;
let objects: ObjectStore;
let http: Http;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "gristmill-models-"));
  objects = await fileObjectStore(folder);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const ground = { now: () => new Date(), newId, log };
  const mine: ProjectId = await insertTestProject(database.db, "mine");
  const other: ProjectId = await insertTestProject(database.db, "other");
  http = await testHttp(createModels({ ground, db: database.db, objects }).routes, {
    mine: { projectId: mine },
    reader: { projectId: mine, scopes: ["models:read"] },
    other: { projectId: other },
  });
});

afterAll(async () => {
  await http.stop(1000);
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

type Method = "GET" | "POST" | "DELETE";
const call = (method: Method, url: string, key = "mine", payload?: Uint8Array) =>
  http.app.inject({
    method,
    url,
    headers: {
      host: "localhost",
      ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
      ...(payload === undefined ? {} : { "content-type": "application/octet-stream" }),
    },
    ...(payload === undefined ? {} : { payload: Buffer.from(payload) }),
  });

it("imports a file, shows it, lists it, gives its bytes back, and deletes it", async () => {
  const bytes = affineModel();
  const made = await call("POST", "/api/models/affine/versions?notes=first", "mine", bytes);
  expect(made.statusCode).toBe(201);
  expect(made.json()).toMatchObject({ object: "model.version", model: "affine", version: 1, card: { notes: "first" } });
  expect((await call("GET", "/api/models")).json()).toMatchObject({ data: [{ name: "affine", latest_version: 1 }] });
  expect((await call("GET", "/api/models/affine/versions")).json()).toMatchObject({ data: [{ version: 1 }] });
  expect((await call("GET", "/api/models/affine/versions/1")).json()).toEqual(made.json());
  const artifact = await call("GET", "/api/models/affine/versions/1/artifact");
  expect(artifact.headers).toMatchObject({
    "content-type": "application/octet-stream",
    "content-length": String(bytes.length),
    "content-disposition": 'attachment; filename="affine-1.onnx"',
  });
  expect(artifact.rawPayload).toEqual(Buffer.from(bytes));
  expect((await call("DELETE", "/api/models/affine")).json()).toMatchObject({ object: "model", deleted: true });
  expect((await call("GET", "/api/models/affine")).statusCode).toBe(404);
});

it("[MOD10] every route refuses no key, a weak key and another project's key, with 401, 403 and 404", async () => {
  await call("POST", "/api/models/guarded/versions", "mine", affineModel());
  const routes: [Method, string][] = [
    ["GET", "/api/models/guarded"],
    ["GET", "/api/models/guarded/versions"],
    ["GET", "/api/models/guarded/versions/1"],
    ["GET", "/api/models/guarded/versions/1/artifact"],
    ["DELETE", "/api/models/guarded"],
  ];
  for (const [method, url] of routes) {
    expect((await call(method, url, "")).json(), url).toMatchObject({ error: { code: "auth.missing" } });
    expect((await call(method, url, "other")).json(), url).toMatchObject({ error: { code: "model.not_found" } });
  }
  expect((await call("DELETE", "/api/models/guarded", "reader")).statusCode).toBe(403);
  expect((await call("POST", "/api/models/guarded/versions", "reader", affineModel())).statusCode).toBe(403);
  expect((await call("GET", "/api/models", "other")).json()).toMatchObject({ data: [] });
});

it("[MOD5] answers 422 to a file that is no model, 400 to none, 415 to another type", async () => {
  const text = Buffer.from("hello");
  const malformed = await call("POST", "/api/models/bad/versions", "mine", text);
  expect(malformed.statusCode).toBe(422);
  expect(malformed.json()).toMatchObject({ error: { code: "data.malformed" } });
  expect((await call("POST", "/api/models/bad/versions")).json()).toMatchObject({ error: { code: "request.invalid" } });
  const json = await http.app.inject({
    method: "POST",
    url: "/api/models/bad/versions",
    headers: { host: "localhost", authorization: "Bearer mine" },
    payload: { a: 1 },
  });
  expect(json.statusCode).toBe(415);
});

it("[MOD5] answers 413 to a file over the limit", async () => {
  const large = await http.app.inject({
    method: "POST",
    url: "/api/models/large/versions",
    headers: {
      host: "localhost",
      authorization: "Bearer mine",
      "content-type": "application/octet-stream",
      "content-length": String(257 * 1024 * 1024),
    },
    payload: "x",
  });
  expect(large.statusCode).toBe(413);
  expect(large.json()).toMatchObject({ error: { code: "request.too_large" } });
});

it("[MOD7] answers 500 with both hashes when the file on disk is another", async () => {
  const made = await call("POST", "/api/models/rotten/versions", "mine", affineModel({ metadata: { some: "thing" } }));
  const { sha256 } = made.json<{ sha256: string }>();
  await writeFile(await objects.path(sha256), "rotten");
  const refused = await call("GET", "/api/models/rotten/versions/1/artifact");
  expect(refused.statusCode).toBe(500);
  expect(refused.json()).toMatchObject({ error: { code: "artifact.corrupt", details: { expected_sha256: sha256 } } });
});
