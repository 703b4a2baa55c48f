/** @file `backup FILE` and `restore FILE`: a whole home in one file, and back. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";
import { type BackupSummary, backup, restore } from "./backup/index.ts";
import type { Config } from "./config.ts";
import { ownDatabase, shareDatabase } from "./db/index.ts";
import type { Log } from "./feature.ts";
import { prepareHome } from "./home.ts";
import { fileObjectStore } from "./objects/index.ts";

/** What a command needs beside its file. */
export interface HomeCommandOptions {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/** Also while a server runs on the home. @throws AppError `config.invalid` when there is no home to back up. */
export async function backupHome(file: string, options: HomeCommandOptions): Promise<BackupSummary> {
  const { config, log, signal, onProgress } = options;
  const { home, databaseUrl } = config;
  const objectsFolder = join(home, "objects");
  if (!existsSync(objectsFolder)) throw new AppError("config.invalid", `GRISTMILL_HOME: there is no home at ${home}.`);
  const database = await shareDatabase({ home, databaseUrl, log, onLost: () => {} });
  try {
    const { connection } = database;
    const objects = await fileObjectStore(objectsFolder);
    const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
    return await backup({ connection, objects, file, version, now: () => new Date(), log, signal, onProgress });
  } finally {
    await database.close();
  }
}

/** Into a home without data, on which no server runs. @throws AppError `home.in_use`, `home.not_empty`, `backup.invalid`. */
export async function restoreHome(file: string, options: HomeCommandOptions): Promise<BackupSummary> {
  const { config, log, signal, onProgress } = options;
  const { home, databaseUrl } = config;
  await prepareHome(home);
  const database = await ownDatabase({ home, databaseUrl, log, onLost: () => {} });
  try {
    const objects = await fileObjectStore(join(home, "objects"));
    return await restore({ connection: database.connection, objects, file, signal, onProgress });
  } finally {
    await database.stop();
  }
}
