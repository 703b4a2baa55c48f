/** @file db: PostgreSQL, embedded or the operator's; the pool; the schema. It knows no feature. */
export { connect, type DatabaseConnection, isConnectionLoss, withSession } from "./connection.ts";
export { type CopySession, knownMigrations, quoteName, withCopySession } from "./copy.ts";
export {
  type OpenDatabase,
  type OpenOptions,
  type OwnedDatabase,
  openDatabase,
  ownDatabase,
  shareDatabase,
} from "./database.ts";
export { appliedMigrations, migrate } from "./migrator.ts";
export { createDatabase, type Database, type PoolOptions } from "./pool.ts";
