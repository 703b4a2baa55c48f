/** @file The serving half of a server as a process of its own, to be killed: deploys the model "double", tells its replica, and stays. */
import { join } from "node:path";
import { createDeployment, type ProjectId } from "@gristmill/contract";
import { createChildren } from "../../children/index.ts";
import { createDatabase, type DatabaseConnection } from "../../db/index.ts";
import type { Ground } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { createMetering } from "../../metering/index.ts";
import { createModels } from "../../models/index.ts";
import { createGuardedFetch } from "../../net/index.ts";
import { fileObjectStore } from "../../objects/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { createUpstreams } from "../../upstreams/index.ts";
import { Fleet } from "../fleet.ts";
import { ReplicaMeter } from "../replica-meter.ts";
import { ReplicaStore } from "../replica-store.ts";
import { ServingService } from "../service.ts";
import { ServingStore } from "../store.ts";

const [folder = "", project = "", connection = ""] = process.argv.slice(2);
const projectId = project as ProjectId;
const db = createDatabase(JSON.parse(connection) as DatabaseConnection);
const tell = (fields: object, message: string): void => console.error(message, fields);
const ground: Ground = { now: () => new Date(), newId, log: { info: () => undefined, warn: tell, error: tell } };
const children = createChildren({ folder: join(folder, "children"), now: ground.now, log: ground.log });
const { ledger } = createMetering({ db, now: ground.now, log: ground.log });
const { models } = createModels({ ground, db, objects: await fileObjectStore(join(folder, "objects")) });
const { upstreams } = createUpstreams({
  ground,
  db,
  secrets: createSecretBox("a test's"),
  fetch: createGuardedFetch({ allowedAddresses: [] }),
  allowedAddresses: [],
});
const store = new ServingStore(db);
const replicas = new ReplicaStore(db);
const meter = new ReplicaMeter({ store: replicas, ledger, log: ground.log });
const serving = new ServingService({
  ground,
  db,
  models,
  upstreams,
  fleet: new Fleet({ ground, store, replicas, models, meter, children, upstreams }),
});
await meter.start();
await serving.create(projectId, createDeployment.parse({ name: "double", model: "double", threads: 1 }));
const timer = setInterval(async () => {
  const { status, replicas } = await serving.get(projectId, "double");
  if (status !== "ready") return;
  clearInterval(timer);
  console.log(JSON.stringify({ pid: replicas[0]?.pid, replica: replicas[0]?.id }));
}, 20);
setInterval(() => undefined, 1000);
