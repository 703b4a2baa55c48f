/**
 * @file The servers of the pipeline benchmark, each a process of its own. Arguments: "platform" and a home, for all of the platform with one
 * more route that does nothing, reserved and metered as an inference request is; or "bare", for the same route on Fastify alone.
 * Prints its URL, and the admin key, as JSON. Ends at SIGTERM.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import Fastify from "fastify";
import { z } from "zod";
import { createChildren } from "../packages/server/src/children/index.ts";
import { readConfig } from "../packages/server/src/config.ts";
import { createDatabase, openDatabase } from "../packages/server/src/db/index.ts";
import { createFeatures } from "../packages/server/src/features.ts";
import { prepareHome } from "../packages/server/src/home.ts";
import { createHttp, route } from "../packages/server/src/http/index.ts";
import { homeAdminKey } from "../packages/server/src/identity/index.ts";
import { newId } from "../packages/server/src/ids.ts";
import { createSecretBox, homeSecretKey } from "../packages/server/src/secrets/index.ts";
import { createLog, LogFile } from "../packages/server/src/telemetry/index.ts";

const [kind, home = ""] = process.argv.slice(2);
const stopped = once(process, "SIGTERM");
const body = z.strictObject({ input: z.string() });
const answer = { object: "nothing" };

/** Reserves and uses what an inference request of one row does. */
const dimensions = { service: "inference", deployment: "nothing", model: "nothing" };
const use = [
  { meter: "service.requests", quantity: 1n, dimensions },
  { meter: "service.images", quantity: 1n, dimensions },
] as const;
const nothing = route({
  method: "POST",
  path: "/nothing",
  summary: "Do nothing",
  tag: "Benchmark",
  access: { scope: "inference" },
  audit: { none: "use, which the ledger records" },
  model: () => "nothing",
  charge: { reserve: () => use },
  body,
  handler: async (context) => {
    for (const quantity of use) context.use(quantity);
    return { body: answer };
  },
});

if (kind === "bare") {
  const app = Fastify({ logger: false });
  app.post("/nothing", async () => answer);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
  await stopped;
  await app.close();
} else await serve();

async function serve(): Promise<void> {
  await prepareHome(home);
  const { config } = readConfig([], { GRISTMILL_HOME: home });
  const now = () => new Date();
  const file = new LogFile(join(home, "log", "server.log"));
  const log = createLog({ level: "info", now, write: (line) => file.write(line) });
  const ground = { now, newId, log };
  const adminKey = await homeAdminKey(home, randomBytes);
  const database = await openDatabase({ home, databaseUrl: undefined, log, onLost: console.error });
  const writer = createDatabase(database.connection, { max: 3, isPrepared: true });
  const children = createChildren({ folder: join(home, "children"), now, log });
  const secrets = createSecretBox(await homeSecretKey(home, randomBytes));
  const check = async () => {};
  const parts = { config, ground, adminKey, db: database.db, writer, children, secrets, version: "0", check };
  const features = await createFeatures(parts);
  for (const feature of features.inOrder) await feature.start?.();
  const http = await createHttp({
    routes: [...features.inOrder.flatMap((feature) => feature.routes), nothing],
    ...features.steps,
    allowedHosts: [],
    ...ground,
  });
  const port = await http.listen("127.0.0.1", 0);
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}`, adminKey })}\n`);
  await stopped;
  await http.stop(1000);
  for (const feature of features.inOrder.toReversed()) await feature.stop?.();
  await writer.destroy();
  await database.close();
  await file.close();
}
