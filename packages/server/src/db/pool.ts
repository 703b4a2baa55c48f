/** @file The pool behind Kysely. A lost database is `database.unavailable` to every caller, and never an uncaught event. */
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import pg from "pg";
import { type DatabaseConnection, isConnectionLoss, unavailable } from "./connection.ts";

/** What features get; each store names its own tables: `db.withTables<{ dataset: DatasetTable }>()`. */
export type Database = Kysely<unknown>;

/** Limits of one pool. */
export interface PoolOptions {
  /** Sessions at most; default 10. */
  readonly max?: number;
}

/**
 * Opens a pool; sessions are made when first used. `numeric` and `bigint` arrive as text, `timestamptz` as Date.
 * The caller ends it with `db.destroy()`.
 */
export function createDatabase(connection: DatabaseConnection, options: PoolOptions = {}): Database {
  const pool = new pg.Pool({
    ...connection,
    max: options.max ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // A server that dies takes every idle session with it, and each tells so by this event: without a listener it ends the process.
  pool.on("error", () => {});
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool: translating(pool) }) });
}

/** The pool as Kysely sees it: connection failures carry our code, all else is as `pg` says it. */
function translating(pool: pg.Pool): PostgresPool {
  // Kysely knows a session by its object, so each client keeps one wrapper.
  const wrappers = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(rethrow);
      let wrapper = wrappers.get(client);
      if (wrapper === undefined) {
        // While it is lent, the pool's own listener is off.
        client.on("error", () => {});
        wrapper = wrap(client);
        wrappers.set(client, wrapper);
      }
      return wrapper;
    },
  };
}

function wrap(client: pg.PoolClient): PostgresPoolClient {
  let isLost = false;
  const query = (statement: never, parameters: never): unknown => {
    const answer: unknown = client.query(statement, parameters);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      isLost ||= isConnectionLoss(error);
      return rethrow(error);
    });
  };
  return {
    query: query as PostgresPoolClient["query"],
    // PostgreSQL says that it ends a session before the socket closes: whoever came between would get a session that is dead.
    release: (destroy) => client.release(destroy === true || isLost),
  };
}

function rethrow(error: unknown): never {
  throw isConnectionLoss(error) ? unavailable(error) : error;
}
