/** @file COPY, and the transactions around it, for backup and restore: a session that knows whole tables and no feature. */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from, to } from "pg-copy-streams";
import { type DatabaseConnection, withSession } from "./connection.ts";
import { migrations } from "./migrations/index.ts";
import { checksum, migrateWithin } from "./migrator.ts";

/** One session in which whole tables are read and written. */
export interface CopySession {
  query<Row extends object>(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Rows of a query, in COPY's text format. The session is busy until the stream's end. */
  copyTo(select: string): Readable;
  /** Writes rows in COPY's text format; resolves to their number. */
  copyFrom(target: string, rows: Readable): Promise<number>;
  /** This version's migrations from `first` up to, not including, `end`, within the transaction that the caller has begun. */
  migrate(first: number, end?: number): Promise<void>;
}

/** This version's migrations, with the checksums of their texts. */
export const knownMigrations: readonly { readonly name: string; readonly checksum: string }[] = migrations.map(
  (migration) => ({ name: migration.name, checksum: checksum(migration) }),
);

/** A name as SQL takes it. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Runs work in one session, and ends it; an abort closes the session, which undoes its open transaction. */
export function withCopySession<T>(
  connection: DatabaseConnection,
  signal: AbortSignal,
  work: (session: CopySession) => Promise<T>,
): Promise<T> {
  return withSession(connection, async (client) => {
    const cut = (): void => void client.end().catch(() => {});
    signal.throwIfAborted();
    signal.addEventListener("abort", cut, { once: true });
    try {
      return await work({
        async query<Row extends object>(statement: string, values: readonly unknown[] = []) {
          return (await client.query<Row>(statement, [...values])).rows;
        },
        copyTo: (select) => client.query(to(`copy (${select}) to stdout`)),
        async copyFrom(target, rows) {
          const sink = client.query(from(`copy ${target} from stdin`));
          await pipeline(rows, sink, { signal });
          return sink.rowCount;
        },
        migrate: (first, end) => migrateWithin(client, first, migrations.slice(0, end)),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", cut);
    }
  });
}
