/** @file The feature as it runs in production, on a test's database and folder, behind the real pipeline. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dataset, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database, DatabaseConnection } from "../../db/index.ts";
import type { Ground, Log } from "../../feature.ts";
import { createHttp, type Http } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { createMetering, type Ledger } from "../../metering/index.ts";
import { fileObjectStore, type ObjectStore } from "../../objects/index.ts";
import { testCaller } from "../../testing/caller.ts";
import { insertTestProject, testDatabase } from "../../testing/database.ts";
import { createData, type DataParts } from "../index.ts";

/** Everything that a test of datasets looks at. */
export interface OpenData {
  readonly db: Database;
  readonly connection: DatabaseConnection;
  /** The real one, whatever the feature was given. */
  readonly ledger: Ledger;
  readonly home: string;
  readonly objects: ObjectStore;
  readonly projectId: ProjectId;
  readonly data: ReturnType<typeof createData>;
  readonly http: Http;
  /** Warnings and errors. */
  readonly complaints: string[];
  /** A second server on the same home and database, as after a restart. */
  again(parts?: Partial<DataParts>): ReturnType<typeof createData>;
  /** Answers JSON; `project` is "own" or "other". */
  call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown, project?: string): Promise<Called>;
  waitFor(name: string, status: Dataset["status"]): Promise<Dataset>;
  usage(): Promise<{ id: string; quantity: string; dimensions: Record<string, string> }[]>;
  /** Hashes of all stored objects, sorted. */
  stored(): Promise<string[]>;
  close(): Promise<void>;
}

/** What came back. */
export interface Called {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes and compare them
  readonly body: any;
}

/** Opens all; nothing is imported yet. */
export async function openData(parts: Partial<DataParts> = {}): Promise<OpenData> {
  const { db, connection, close } = await testDatabase();
  const home = await mkdtemp(join(tmpdir(), "gristmill-data-"));
  const projects = { own: await insertTestProject(db, "own"), other: await insertTestProject(db, "other") };
  const complaints: string[] = [];
  const complain: Log["warn"] = (fields, message) => void complaints.push(`${message} ${String(fields["err"] ?? "")}`);
  const ground: Ground = { now: () => new Date(), newId, log: { info: () => {}, warn: complain, error: complain } };
  const metering = createMetering({ db, log: ground.log, now: ground.now });
  await metering.start();
  const objects = await fileObjectStore(join(home, "objects"));
  const started: ReturnType<typeof createData>[] = [];
  const again = (more: Partial<DataParts> = {}): ReturnType<typeof createData> => {
    const made = createData({ ground, db, objects, ledger: metering.ledger, home, heartbeatMs: 50, ...parts, ...more });
    started.push(made);
    return made;
  };
  const data = again();
  await data.start();
  const http = await createHttp({
    routes: data.routes,
    authenticator: {
      authenticate: async ({ key }) =>
        testCaller(key === "other" ? projects.other : projects.own, { scopes: ["datasets:read", "datasets:write"] }),
    },
    ledger: metering.ledger,
    allowedHosts: [],
    now: ground.now,
    newId,
    log: ground.log,
  });

  const call: OpenData["call"] = async (method, path, body, project = "own") => {
    const answer = await http.app.inject({
      method,
      url: path,
      headers: { authorization: `Bearer ${project}`, host: "localhost" },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };

  return {
    db,
    connection,
    ledger: metering.ledger,
    home,
    objects,
    projectId: projects.own,
    data,
    http,
    complaints,
    again,
    call,
    async waitFor(name, status) {
      for (;;) {
        const { body } = await call("GET", `/api/datasets/${name}`);
        if (body.status === status) return body;
        if (body.status !== "importing") throw new Error(`expected ${status}, received ${JSON.stringify(body)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async usage() {
      const { rows } = await sql<{ id: string; quantity: string; dimensions: Record<string, string> }>`
        select id, quantity, dimensions from usage_event where meter = 'data.bytes_processed' order by id`.execute(db);
      return rows;
    },
    async stored() {
      const found: string[] = [];
      for await (const { sha256 } of objects.list()) found.push(sha256);
      return found.sort();
    },
    async close() {
      for (const feature of started) await feature.stop();
      await http.stop(1000);
      await metering.stop();
      await close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
