/** @file The whole platform in this process, on a test's database, for tests of what only the whole can show. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, startApp } from "../app.ts";
import { readConfig } from "../config.ts";
import type { DatabaseConnection } from "../db/index.ts";
import type { Log } from "../feature.ts";
import { testDatabase } from "./database.ts";

/** A log that nobody reads. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** The admin key of platforms in tests. */
export const testAdminKey = "gm_admin_0000000000000000000000000000000000000000000";

/** DATABASE_URL of a test's database. */
export const databaseUrl = ({ host, user, database }: DatabaseConnection): string =>
  `postgres://${user}@/${database}?host=${encodeURIComponent(host ?? "")}`;

/**
 * A platform that listens on a free port. `close` stops it and removes its home and database.
 * @param environment settings beside a test's own.
 */
export async function testApp(environment: Readonly<Record<string, string>> = {}): Promise<{
  readonly app: App;
  readonly home: string;
  readonly connection: DatabaseConnection;
  close(): Promise<void>;
}> {
  const database = await testDatabase();
  const home = await mkdtemp(join(tmpdir(), "gm-"));
  const { config } = readConfig([], {
    GRISTMILL_HOME: home,
    GRISTMILL_PORT: "0",
    GRISTMILL_ADMIN_KEY: testAdminKey,
    DATABASE_URL: databaseUrl(database.connection),
    GRISTMILL_STOP_SECONDS: "1",
    ...environment,
  });
  const app = await startApp({ config, log: silentLog, onLost: () => {} });
  return {
    app,
    home,
    connection: database.connection,
    close: async () => {
      await app.stop();
      await rm(home, { recursive: true, force: true });
      await database.close();
    },
  };
}
