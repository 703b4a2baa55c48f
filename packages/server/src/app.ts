/** @file The one composition root: config -> database -> features -> HTTP. */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AppError } from "@gristmill/contract";
import { sql } from "kysely";
import { createChildren } from "./children/index.ts";
import type { Config } from "./config.ts";
import { createDatabase, openDatabase } from "./db/index.ts";
import type { Ground, Log } from "./feature.ts";
import { createFeatures } from "./features.ts";
import { prepareHome } from "./home.ts";
import { createHttp, documentRoutes, type Http, healthRoutes } from "./http/index.ts";
import { homeAdminKey } from "./identity/index.ts";
import { newId } from "./ids.ts";
import { createSecretBox, homeSecretKey } from "./secrets/index.ts";

/** The running platform. */
export interface App {
  /** Where it listens: "http://127.0.0.1:7070". */
  readonly url: string;
  readonly adminKey: string;
  readonly http: Http;
  /** No new work, drain, stop features, stop PostgreSQL. Calling it again waits for the same stop. */
  stop(): Promise<void>;
  /** The embedded PostgreSQL's pid, for a hard stop. */
  databasePid(): Promise<number | undefined>;
}

/** What comes from outside. */
export interface AppOptions {
  readonly config: Config;
  readonly log: Log;
  /** Called once when another process has taken over the database: the process must stop. */
  readonly onLost: (error: AppError) => void;
}

/**
 * Starts everything; what was started is stopped again when a later part fails.
 * @throws AppError `home.not_writable`, `home.in_use`, `home.newer`, `config.invalid`, `port.in_use`, `database.unavailable`.
 */
export async function startApp({ config, log, onLost }: AppOptions): Promise<App> {
  await using started = new AsyncDisposableStack();
  const { home } = config;
  const ground: Ground = { now: () => new Date(), newId, log };

  await prepareHome(home);
  const adminKey = config.adminKey ?? (await homeAdminKey(home, randomBytes));
  const database = await openDatabase({ home, databaseUrl: config.databaseUrl, log, onLost });
  started.defer(() => database.close());
  const { db } = database;

  const children = createChildren({ folder: join(home, "children"), now: ground.now, log });
  started.defer(() => children.stop());
  await children.endLeftovers();

  const writer = createDatabase(database.connection, { max: 3, isPrepared: true });
  started.defer(() => writer.destroy());
  const title = documentTitle();
  const check = () => answers(db);
  const { version } = title;
  const secrets = createSecretBox(config.secretKey ?? (await homeSecretKey(home, randomBytes)));
  const features = await createFeatures({ config, ground, adminKey, db, writer, children, secrets, version, check });
  for (const feature of features.inOrder) {
    await feature.start?.();
    started.defer(async () => feature.stop?.());
  }

  const routes = [...features.inOrder.flatMap((feature) => feature.routes), ...healthRoutes(check)];
  const http = await createHttp({
    routes: [...routes, ...documentRoutes(routes, title)],
    ...features.steps,
    allowedHosts: [config.host.toLowerCase(), ...config.allowedHosts],
    ...ground,
  });
  started.defer(() => http.stop(config.stopSeconds * 1000));
  const port = await http.listen(config.host, config.port);

  const running = started.move();
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${reachable(config.host)}:${port}`,
    adminKey,
    http,
    stop: () => {
      stopped ??= running.disposeAsync();
      return stopped;
    },
    databasePid: () => database.serverPid(),
  };
}

async function answers(db: Awaited<ReturnType<typeof openDatabase>>["db"]): Promise<void> {
  await sql`select 1`.execute(db);
}

/** An address that a client on this machine can call. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function documentTitle(): { title: string; version: string; description: string } {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  return { title: "Gristmill", version, description: "Train, deploy and serve models; meter and price their use." };
}
