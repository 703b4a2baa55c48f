/** @file A database for a test: empty, migrated, on a real PostgreSQL with fsync on, as in production. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import type pg from "pg";
import { expect, inject } from "vitest";
import { type DatabaseConnection, withSession } from "../db/connection.ts";
import { ensureCluster } from "../db/embedded/cluster.ts";
import { connectionOf, launch } from "../db/embedded/launch.ts";
import { sharedFolder } from "../db/embedded/location.ts";
import { makePlaces, serverUser } from "../db/embedded/places.ts";
import { installProgram } from "../db/embedded/program.ts";
import { migrate } from "../db/migrator.ts";
import { createDatabase, type Database } from "../db/pool.ts";
import { newId } from "../ids.ts";
import type {} from "./global-setup.ts";

/** One test's database. */
export interface TestDatabase {
  readonly db: Database;
  /** For pools, sessions and processes of the test's own; each must be closed before `close`. */
  readonly connection: DatabaseConnection;
  /** Drops the database. @throws when a session is still open: something was not closed. */
  close(): Promise<void>;
}

const template = "template_gristmill";

/** Advisory lock of the one worker that makes the template. */
const templateLock = 7_070_099;

/** An empty database with this version's schema. Call `close` in `afterEach`, `afterAll` or at the end of the test. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await testServer();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await withSession(server, async (client) => {
    await ensureTemplate(server, client);
    await client.query(`create database ${name} template ${template}`);
    const file = expect.getState().testPath ?? "a test";
    await client.query(`comment on database ${name} is ${client.escapeLiteral(file)}`);
  });
  const connection = { ...server, database: name };
  const db = createDatabase(connection);
  return {
    db,
    connection,
    close: async () => {
      await db.destroy();
      await withSession(server, (client) => drop(client, name));
    },
  };
}

/** A project of the organization `default`. */
export async function insertTestProject(db: Database, name = "test"): Promise<ProjectId> {
  const id = newId("project");
  await sql`insert into organization (id, name) values ('org_default', 'default') on conflict do nothing`.execute(db);
  await sql`insert into project (id, organization_id, name)
            select ${id}, id, ${name} from organization where name = 'default'`.execute(db);
  return id;
}

/** The run's server; whichever worker comes first starts it, and global-setup.ts stops it. */
async function testServer(): Promise<DatabaseConnection> {
  const user = await serverUser();
  const folder = inject("testDatabaseFolder");
  const places = await makePlaces(folder, user);
  const program = await installProgram(user === undefined ? folder : sharedFolder);
  await ensureCluster(program, places);
  const { session } = await launch({ program, places, name: "gristmill:tests" });
  await session.end();
  return connectionOf(places);
}

async function ensureTemplate(server: DatabaseConnection, client: pg.Client): Promise<void> {
  await client.query("select pg_advisory_lock($1)", [templateLock]);
  try {
    const found = await client.query("select from pg_database where datname = $1 and datistemplate", [template]);
    if (found.rowCount === 1) return;
    await client.query(`drop database if exists ${template}`);
    await client.query(`create database ${template}`);
    await migrate({ ...server, database: template });
    await client.query(`alter database ${template} is_template true`);
  } finally {
    await client.query("select pg_advisory_unlock($1)", [templateLock]);
  }
}

async function drop(client: pg.Client, name: string): Promise<void> {
  // PostgreSQL notices a closed session a little after its client.
  for (let tries = 0; (await sessions(client, name)).length > 0 && tries < 50; tries++) await sleep(20);
  const open = await sessions(client, name);
  await client.query(`drop database ${name} with (force)`);
  if (open.length > 0)
    throw new Error(`The test did not close ${open.length} session(s); their last query: ${open.join(" | ")}`);
}

async function sessions(client: pg.Client, name: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ query: string }>("select query from pg_stat_activity where datname = $1", [
    name,
  ]);
  return rows.map((row) => row.query);
}
