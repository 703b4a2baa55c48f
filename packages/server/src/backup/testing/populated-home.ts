/** @file A database and object store with something in every table: a real dataset and usage, and rows of all other features. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataset, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { createData } from "../../data/index.ts";
import type { Database, DatabaseConnection } from "../../db/index.ts";
import { newId } from "../../ids.ts";
import { createMetering } from "../../metering/index.ts";
import { fileObjectStore, type ObjectStore } from "../../objects/index.ts";
import { testCaller } from "../../testing/caller.ts";
import { insertTestProject, testDatabase } from "../../testing/database.ts";
import { insertGovernmentRows } from "./government-rows.ts";

/** A home to back up. */
export interface PopulatedHome {
  readonly db: Database;
  readonly connection: DatabaseConnection;
  readonly objects: ObjectStore;
  readonly folder: string;
  close(): Promise<void>;
}

type Filling = Pick<PopulatedHome, "db" | "objects" | "folder"> & { readonly projectId: ProjectId };

/** Imports a dataset, records usage, and writes rows of all other features. The caller closes what comes back. */
export async function openPopulatedHome(): Promise<PopulatedHome> {
  const { db, connection, close } = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), "gristmill-home-"));
  const objects = await fileObjectStore(join(folder, "objects"));
  const projectId = await insertTestProject(db);
  await recordAndImport({ db, objects, folder, projectId });
  await insertRows({ db, objects, folder, projectId });
  return {
    db,
    connection,
    objects,
    folder,
    close: async () => {
      await close();
      await rm(folder, { recursive: true });
    },
  };
}

async function recordAndImport({ db, objects, folder, projectId }: Filling): Promise<void> {
  const now = (): Date => new Date();
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const metering = createMetering({ db, log, now });
  await metering.start();
  const { ledger } = metering;
  const packageFolder = join(folder, "node_modules", "tiny");
  await mkdir(packageFolder, { recursive: true });
  await writeFile(join(packageFolder, "package.json"), '{"name":"tiny","version":"1.0.0"}');
  await writeFile(
    join(packageFolder, "images"),
    idx([40, 8, 8], (i) => i % 251),
  );
  await writeFile(
    join(packageFolder, "labels"),
    idx([40], (i) => i % 10),
  );
  const data = createData({ ground: { now, newId, log }, db, objects, ledger, home: folder, packagesFrom: folder });
  const ask = async (method: string, path: string, params: unknown, body: unknown): Promise<Dataset> => {
    const route = data.routes.find((candidate) => candidate.method === method && candidate.path === path);
    const answer = await route?.handler({
      caller: testCaller(projectId),
      params,
      query: {},
      body,
      requestId: newId("request"),
      admittedAt: now(),
      signal: new AbortController().signal,
      request: { headers: {} } as never,
      use: () => {},
    });
    return answer?.body as Dataset;
  };
  const source = { type: "package", package: "tiny", splits: { train: { images: "images", labels: "labels" } } };
  const notes = 'tab\t, line\n, \\N and "quotes" — ü';
  let dataset = await ask("POST", "/api/datasets", {}, { name: "tiny", format: "idx", source, notes });
  while (dataset.status === "importing") {
    await sleep(10);
    dataset = await ask("GET", "/api/datasets/:dataset", { dataset: "tiny" }, undefined);
  }
  if (dataset.status !== "ready") throw new Error(JSON.stringify(dataset.error));
  await data.stop();
  await ledger.record(
    projectId,
    // Of several months, so that there are several partitions.
    Array.from({ length: 200 }, (_, i) => ({
      id: `run_x:1:${i}`,
      meter: "training.seconds" as const,
      quantity: `${i + 1}.123456789`,
      time: new Date(Date.UTC(2025, i % 7, 1 + (i % 28))),
      admittedAt: new Date(Date.UTC(2025, i % 7, 1)),
      requestId: null,
      keyId: null,
      dimensions: { run: "run_x", hardware: "cpu-2" },
    })),
  );
  await metering.stop();
}

function idx(sizes: readonly number[], value: (i: number) => number): Buffer {
  const header = Buffer.from([0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])]);
  const bytes = sizes.reduce((product, size) => product * size, 1);
  return Buffer.concat([header, Buffer.from(Array.from({ length: bytes }, (_, i) => value(i)))]);
}

async function insertRows({ db, objects, projectId }: Filling): Promise<void> {
  const artifact = await objects.put(randomBytes(100_000));
  const checkpoint = await objects.put(randomBytes(50_000));
  await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
    values ('key_x', ${projectId}, 'laptop', 'gm_x', ${randomBytes(32)}, '{inference,"runs:read"}')`.execute(db);
  await sql`insert into reservation (request_id, project_id, estimates, admitted_at)
    values ('req_x', ${projectId}, '[]', now())`.execute(db);
  await sql`insert into price (id, meter, model, amount, currency, effective_from)
    values ('prc_x', 'service.images', 'mnist', 0.000000000012345678, 'EUR', '2026-01-01T00:00:00Z')`.execute(db);
  await sql`insert into model (id, project_id, name, latest_version) values ('mdl_x', ${projectId}, 'mnist', 1)`.execute(
    db,
  );
  await sql`insert into model_version
      (id, project_id, model_id, version, format, sha256, size_bytes, inputs, outputs, run_id, card)
    values ('mdv_x', ${projectId}, 'mdl_x', 1, 'onnx', ${artifact.sha256}, ${artifact.sizeBytes}, '[]', '[]', 'run_x', '{}')`.execute(
    db,
  );
  await sql`insert into run (id, project_id, name, status, dataset_id, dataset_version_id, dataset_sha256, request, plan, labels, checkpoint)
    values ('run_x', ${projectId}, 'first', 'succeeded', 'dst_x', 'dsv_x', 'abc', '{}', '{}', '{}',
      ${JSON.stringify({ epoch: 1, sha256: checkpoint.sha256 })})`.execute(db);
  await sql`insert into run_event (run_id, id, type, data) values ('run_x', 1, 'run.started', '{}')`.execute(db);
  await sql`insert into deployment (id, project_id, name, desired_replicas) values ('dep_x', ${projectId}, 'mnist', 1)`.execute(
    db,
  );
  await sql`insert into revision
      (id, project_id, deployment_id, revision, state, model_id, model, model_version, model_version_id, sha256, threads, batching)
    values ('rev_x', ${projectId}, 'dep_x', 1, 'active', 'mdl_x', 'mnist', 1, 'mdv_x', ${artifact.sha256}, 1, '{}')`.execute(
    db,
  );
  await sql`insert into upstream (id, project_id, name, base_url, model, sealed, query, settings)
    values ('ups_x', ${projectId}, 'elsewhere', 'https://models.example.com/v1', 'large', '\\x00ff', '{}', '{}')`.execute(
    db,
  );
  await sql`insert into response (id, project_id, model, status, is_background, sealed, size_bytes)
    values ('resp_x', ${projectId}, 'talker', 'completed', false, '\\x00ff', 2)`.execute(db);
  await sql`insert into replica (id, project_id, deployment_id, revision) values ('rpl_x', ${projectId}, 'dep_x', 1)`.execute(
    db,
  );
  await sql`insert into dataset_object_release (sha256) values (${"0".repeat(64)})`.execute(db);
  await insertGovernmentRows(db, projectId);
}

/** Everything that a restore must bring back, by name: rows of every table, partitions, sequences, triggers. */
export async function everything(db: Database): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')`.execute(
    db,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ all: string }>`
      select coalesce(string_agg(t::text, E'\n' order by t::text), '') as all from ${sql.table(name)} t`.execute(db);
    found[name] = rows[0]?.all ?? "";
  }
  const { rows: triggers } = await sql<{ all: string }>`
    select string_agg(tgrelid::regclass || '.' || tgname || ' ' || tgenabled::text, E'\n' order by tgrelid::regclass::text, tgname)
      as all from pg_trigger where not tgisinternal`.execute(db);
  const { rows: sequences } = await sql<{ all: string }>`
    select string_agg(sequencename || ' ' || coalesce(last_value::text, '-'), E'\n' order by 1) as all from pg_sequences
      where schemaname = current_schema()`.execute(db);
  return { ...found, "(triggers)": triggers[0]?.all ?? "", "(sequences)": sequences[0]?.all ?? "" };
}
