/** @file How to reach a PostgreSQL: a socket folder of the embedded server, or the operator's DATABASE_URL. */
import { AppError } from "@gristmill/contract";
import pg from "pg";

/** Where a database is. `connectionString` excludes the other fields. */
export interface DatabaseConnection {
  /** A socket's folder, or a host name. */
  readonly host?: string;
  readonly user?: string;
  readonly database?: string;
  readonly connectionString?: string;
}

/** One session, for locks, migrations and COPY. The caller ends it. `pg` tells a lost session by an `error` event, which must have a listener. */
export async function connect(connection: DatabaseConnection): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000, keepAlive: true });
  client.on("error", () => {}); // the next query of this session fails and says so
  try {
    await client.connect();
  } catch (cause) {
    // A client that failed to connect may still hold a half-open socket.
    await client.end().catch(() => {});
    throw unavailable(cause);
  }
  return client;
}

/** Runs work in one session and ends it. */
export async function withSession<T>(
  connection: DatabaseConnection,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(connection);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The failure that every caller sees while the database is away. */
export const unavailable = (cause: unknown): AppError =>
  new AppError("database.unavailable", "The database can't be reached at the moment.", { cause });

/** Socket errors of Node, and PostgreSQL's own words for "not now" (classes 08, 57P and "too many connections"). */
const lostCodes =
  /^(ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|08\w{3}|57P0[1-5]|53300)$/;

/** What `pg` and `pg-pool` say without a code. */
const lostMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Cannot use a pool after)/;

/** True when a failure means that the database is away, not that the query was wrong. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return lostCodes.test(code) || lostMessages.test(error.message);
}
