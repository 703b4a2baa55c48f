/** @file Brings a database to this version's schema: forward only, one migrator at a time. */
import { createHash } from "node:crypto";
import { AppError } from "@gristmill/contract";
import type pg from "pg";
import { type DatabaseConnection, withSession } from "./connection.ts";
import { migrations as all } from "./migrations/index.ts";
import type { Migration } from "./migrations/migration.ts";

/** Advisory lock of the one process that migrates; any fixed number that no other program on this database uses. */
const migratorLock = 7_070_002;

const migrationTable = `create table if not exists migration (
  position integer primary key, name text not null unique, checksum text not null,
  applied_at timestamptz not null default now())`;

/**
 * Applies what is missing, each migration in its own transaction, and returns the names applied.
 * @throws AppError `home.newer` when the database has a migration that this version does not know, or knows with another text.
 */
export function migrate(
  connection: DatabaseConnection,
  migrations: readonly Migration[] = all,
): Promise<readonly string[]> {
  return withSession(connection, async (client) => {
    await client.query("select pg_advisory_lock($1)", [migratorLock]);
    await client.query(migrationTable);
    const done = await client.query<{ name: string; checksum: string }>(
      "select name, checksum from migration order by position",
    );
    refuseForeign(done.rows, migrations);
    const applied: string[] = [];
    for (const [position, migration] of migrations.entries()) {
      if (position < done.rows.length) continue;
      await apply(client, position, migration);
      applied.push(migration.name);
    }
    return applied;
  });
}

/** The names of the migrations that a database has; none when it was never migrated. */
export function appliedMigrations(connection: DatabaseConnection): Promise<readonly string[]> {
  return withSession(connection, async (client) => {
    const table = await client.query<{ there: boolean }>("select to_regclass('migration') is not null as there");
    if (table.rows[0]?.there !== true) return [];
    const done = await client.query<{ name: string }>("select name from migration order by position");
    return done.rows.map((row) => row.name);
  });
}

/**
 * Applies the migrations from `first` on within a transaction that the caller has begun: for a restore, all of which becomes
 * visible at once.
 */
export async function migrateWithin(
  client: Pick<pg.Client, "query">,
  first = 0,
  migrations: readonly Migration[] = all,
): Promise<void> {
  await client.query(migrationTable);
  for (const [position, migration] of migrations.entries())
    if (position >= first) await applyStatements(client, position, migration);
}

/** What identifies a migration: its text. */
export const checksum = (migration: Migration): string => createHash("sha256").update(migration.up).digest("hex");

function refuseForeign(done: readonly { name: string; checksum: string }[], known: readonly Migration[]): void {
  for (const [position, row] of done.entries()) {
    const mine = known[position];
    if (mine?.name === row.name && checksum(mine) === row.checksum) continue;
    throw new AppError(
      "home.newer",
      `The database has the migration "${row.name}", which this version of Gristmill ${mine?.name === row.name ? "knows with another text" : "does not know"}.`,
      { details: { migration: row.name } },
    );
  }
}

async function apply(client: pg.Client, position: number, migration: Migration): Promise<void> {
  await client.query("begin");
  try {
    await applyStatements(client, position, migration);
    await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => {});
    throw new Error(`migration ${migration.name} failed: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function applyStatements(
  client: Pick<pg.Client, "query">,
  position: number,
  migration: Migration,
): Promise<void> {
  await client.query(migration.up);
  await client.query("insert into migration (position, name, checksum) values ($1, $2, $3)", [
    position,
    migration.name,
    checksum(migration),
  ]);
}
