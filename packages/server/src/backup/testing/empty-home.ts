/** @file Where tests restore to. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createDatabase, type Database, type DatabaseConnection, withSession } from "../../db/index.ts";
import { testDatabase } from "../../testing/database.ts";

/** A database without a table, dropped at the test's end. */
export async function emptyDatabase(): Promise<{ db: Database; connection: DatabaseConnection }> {
  const server = await testDatabase();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await withSession(server.connection, (client) => client.query(`create database ${name} template template0`));
  const connection = { ...server.connection, database: name };
  const db = createDatabase(connection);
  onTestFinished(async () => {
    await db.destroy();
    await withSession(server.connection, (client) => client.query(`drop database ${name} with (force)`));
    await server.close();
  });
  return { db, connection };
}

/** Removed at the test's end. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-backup-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
