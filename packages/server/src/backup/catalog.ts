/** @file What a database's own catalogue says of its tables: all that backup and restore need to know of the schema. */
import { type CopySession, quoteName } from "../db/index.ts";

/** A table with its columns in order, without generated ones. */
export interface CatalogTable {
  readonly name: string;
  readonly isPartitioned: boolean;
  readonly columns: readonly string[];
}

/** All tables of the schema but partitions, whose rows are read and written by their table. */
export function listTables(session: CopySession): Promise<readonly CatalogTable[]> {
  return session.query<CatalogTable>(
    `select c.relname as name, c.relkind = 'p' as "isPartitioned",
            array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     group by c.oid, c.relname, c.relkind order by c.relname`,
  );
}

/** Tables in an order in which each comes after those that its foreign keys name. */
export async function inForeignKeyOrder<T extends { readonly name: string }>(
  session: CopySession,
  tables: readonly T[],
): Promise<readonly T[]> {
  const keys = await session.query<{ table: string; names: string }>(
    `select distinct c.relname as table, f.relname as names
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
     where k.contype = 'f' and k.conrelid <> k.confrelid and k.conparentid = 0
       and k.connamespace = current_schema()::regnamespace`,
  );
  const ordered: T[] = [];
  const waiting = [...tables];
  const isReady = (table: T): boolean =>
    keys.every((key) => key.table !== table.name || ordered.some((done) => done.name === key.names));
  while (waiting.length > 0) {
    const at = waiting.findIndex(isReady);
    if (at === -1) throw new Error(`foreign keys in a circle: ${waiting.map((table) => table.name).join(", ")}`);
    ordered.push(...waiting.splice(at, 1));
  }
  return ordered;
}

/** The lower ends of all partitions' ranges, as PostgreSQL writes them. */
export async function listPartitions(session: CopySession): Promise<readonly { table: string; from: string }[]> {
  const rows = await session.query<{ table: string; bound: string }>(
    `select parent.relname as table, pg_get_expr(child.relpartbound, child.oid) as bound
     from pg_class child join pg_inherits on inhrelid = child.oid join pg_class parent on parent.oid = inhparent
     where child.relispartition and child.relkind = 'r' and child.relnamespace = current_schema()::regnamespace
     order by 1, 2`,
  );
  return rows.map(({ table, bound }) => {
    const from = /^FOR VALUES FROM \('([^']+)'\) TO \('[^']+'\)$/.exec(bound)?.[1];
    if (from === undefined) throw new Error(`a partition of ${table} has a bound that backups don't know: ${bound}`);
    return { table, from };
  });
}

/** Sequences that were used, and their last numbers. */
export function listSequences(session: CopySession): Promise<readonly { name: string; last: string }[]> {
  return session.query<{ name: string; last: string }>(
    `select sequencename as name, last_value::text as last from pg_sequences
     where schemaname = current_schema() and last_value is not null order by 1`,
  );
}

/** True when the schema has no table, view or sequence at all. */
export async function isEmpty(session: CopySession): Promise<boolean> {
  const found = await session.query(
    "select from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') limit 1",
  );
  return found.length === 0;
}

/** `"one", "two"`, as COPY wants columns. */
export const columnList = (columns: readonly string[]): string => columns.map(quoteName).join(", ");
