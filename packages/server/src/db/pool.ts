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
  /**
   * Each statement with parameters is parsed once a session, not once a call, which costs as much as a small statement itself
   * (measured: 0.10 of 0.44 ms of a claim). For pools with few different statements.
   */
  readonly isPrepared?: boolean;
}

/** Statements that one session keeps; others are parsed each time. */
const maxPrepared = 100;

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
  const names = options.isPrepared === true ? new StatementNames() : undefined;
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool: translating(pool, names) }) });
}

/** The pool as Kysely sees it: connection failures carry our code, all else is as `pg` says it. */
function translating(pool: pg.Pool, names: StatementNames | undefined): PostgresPool {
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
        wrapper = wrap(client, names);
        wrappers.set(client, wrapper);
      }
      return wrapper;
    },
  };
}

function wrap(client: pg.PoolClient, names: StatementNames | undefined): PostgresPoolClient {
  let isLost = false;
  const query = (statement: never, parameters: never): unknown => {
    const name = names?.of(statement, parameters);
    const answer: unknown =
      name === undefined
        ? client.query(statement, parameters)
        : client.query({ name, text: statement, values: parameters });
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

/** The names under which sessions of one pool keep statements. */
class StatementNames {
  readonly #names = new Map<string, string>();

  /** undefined: not to be kept. */
  of(statement: unknown, parameters: unknown): string | undefined {
    if (typeof statement !== "string" || !Array.isArray(parameters) || parameters.length === 0) return undefined;
    const known = this.#names.get(statement);
    if (known !== undefined || this.#names.size >= maxPrepared) return known;
    const name = `statement_${this.#names.size + 1}`;
    this.#names.set(statement, name);
    return name;
  }
}

function rethrow(error: unknown): never {
  throw isConnectionLoss(error) ? unavailable(error) : error;
}
