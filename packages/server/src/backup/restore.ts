/** @file From a backup file to an empty home. All of the file is checked first; the database then becomes visible in one commit. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { AppError } from "@gristmill/contract";
import { type CopySession, type DatabaseConnection, knownMigrations, quoteName, withCopySession } from "../db/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { type ArchiveEntry, findEntries, readEntry } from "./archive-reader.ts";
import { type BackupSummary, summaryOf } from "./backup.ts";
import { type CatalogTable, columnList, inForeignKeyOrder, isEmpty, listTables } from "./catalog.ts";
import {
  invalidBackup,
  type Manifest,
  manifestEntry,
  manifestHashEntry,
  objectEntry,
  parseManifest,
  tableEntry,
} from "./manifest.ts";

/** Where a backup is restored from and to. */
export interface RestoreOptions {
  /** A database without a single table: not even migrated. */
  readonly connection: DatabaseConnection;
  /** A store without objects, or with some of this backup's, as an interrupted restore leaves it. */
  readonly objects: ObjectStore;
  readonly file: string;
  readonly signal?: AbortSignal;
  /** Bytes done and all of them; each byte is read twice, to check and to restore. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** Advisory lock of the one restore into a database. */
const restoreLock = 7_070_005;
const manifestLimitBytes = 256 * 2 ** 20;

interface Contents {
  readonly manifest: Manifest;
  /** Every expected entry, with its hash. */
  readonly parts: ReadonlyMap<string, Part>;
}

interface Part {
  readonly name: string;
  readonly entry: ArchiveEntry;
  readonly sha256: string;
}

/**
 * Restores a backup of this version or an older one, and brings it to this version's schema.
 * A restore that is killed leaves an empty database and perhaps objects of the backup: the same restore can be run again.
 * @throws AppError `backup.invalid`; `home.not_empty`.
 */
export async function restore(options: RestoreOptions): Promise<BackupSummary> {
  const { connection, file, objects, signal = new AbortController().signal } = options;
  const contents = await readContents(file);
  const { manifest } = contents;
  const progress = countProgress(contents, options.onProgress);
  return await withCopySession(connection, signal, async (session) => {
    await session.query("begin");
    await session.query("select pg_advisory_xact_lock($1)", [restoreLock]);
    await refuseNonEmpty(session, objects, manifest);
    await checkAll(file, contents, signal, progress);
    const stored: string[] = [];
    try {
      for (const { sha256 } of manifest.objects) {
        stored.push(sha256);
        const { entry, name } = partOf(contents, objectEntry(sha256));
        await objects.put(readEntry(file, entry, name, sha256), { limitBytes: entry.sizeBytes, signal });
        progress(entry.sizeBytes);
      }
      await restoreRows(session, file, contents, progress);
    } catch (error) {
      for (const sha256 of stored) await objects.delete(sha256);
      throw error;
    }
    // A commit whose answer is lost may have been made: its objects stay, and a second try would be refused or succeed.
    await session.query("commit");
    return summaryOf(manifest, (await stat(file)).size);
  });
}

/** The manifest, and proof that the file holds exactly what it says. */
async function readContents(file: string): Promise<Contents> {
  const entries = await findEntries(file);
  const manifest = parseManifest(await readManifest(file, entries));
  refuseNewer(manifest);
  const expected = [
    ...manifest.tables.map((table) => ({ ...table, name: tableEntry(table.name) })),
    ...manifest.objects.map((object) => ({ ...object, name: objectEntry(object.sha256) })),
  ];
  const names = new Set([manifestEntry, manifestHashEntry, ...expected.map(({ name }) => name)]);
  for (const name of entries.keys())
    if (!names.has(name))
      throw invalidBackup(`it has an entry that its manifest does not name: ${JSON.stringify(name.slice(0, 200))}`);
  if (names.size !== expected.length + 2) throw invalidBackup("its manifest names something twice");
  const parts = expected.map(({ name, sha256, size_bytes }) => {
    const entry = entries.get(name);
    if (entry?.sizeBytes !== size_bytes)
      throw invalidBackup(`${name}: expected ${size_bytes} bytes, found ${entry?.sizeBytes ?? "no such entry"}`);
    return [name, { name, entry, sha256 }] as const;
  });
  return { manifest, parts: new Map(parts) };
}

async function readManifest(file: string, entries: ReadonlyMap<string, ArchiveEntry>): Promise<string> {
  const manifest = entries.get(manifestEntry);
  const hash = entries.get(manifestHashEntry);
  if (manifest === undefined || hash?.sizeBytes !== 64 || manifest.sizeBytes > manifestLimitBytes)
    throw invalidBackup("it has no manifest");
  const expected = await text(createReadStream(file, { start: hash.start, end: hash.start + hash.sizeBytes - 1 }));
  return await text(readEntry(file, manifest, manifestEntry, expected));
}

function refuseNewer({ migrations, version }: Manifest): void {
  for (const [i, migration] of migrations.entries())
    if (knownMigrations[i]?.name !== migration.name || knownMigrations[i]?.checksum !== migration.checksum)
      throw invalidBackup(
        `it was made by version ${version}, whose migration "${migration.name}" this version does not know: restore with that version or a newer one`,
      );
}

async function refuseNonEmpty(session: CopySession, objects: ObjectStore, manifest: Manifest): Promise<void> {
  if (!(await isEmpty(session))) throw new AppError("home.not_empty", "The database has tables already.");
  const ours = new Set(manifest.objects.map((object) => object.sha256));
  for await (const { sha256 } of objects.list())
    if (!ours.has(sha256)) throw new AppError("home.not_empty", "The home has objects that are not of this backup.");
}

/** Reads everything once before anything is kept. */
async function checkAll(
  file: string,
  { parts }: Contents,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  for (const { entry, name, sha256 } of parts.values()) {
    signal.throwIfAborted();
    const content = readEntry(file, entry, name, sha256);
    content.resume();
    await finished(content);
    progress(entry.sizeBytes);
  }
}

/** Schema as it was, rows, numbers; then the later migrations. Within the caller's transaction. */
async function restoreRows(
  session: CopySession,
  file: string,
  contents: Contents,
  progress: (bytes: number) => void,
): Promise<void> {
  const { manifest } = contents;
  await session.migrate(0, manifest.migrations.length);
  const tables = await listTables(session);
  refuseOtherTables(tables, manifest);
  // Migrations bring rows of their own, which are in the backup too; triggers that guard rows against change stand in the way.
  await switchTriggers(session, "disable");
  await session.query(`truncate ${tables.map((table) => quoteName(table.name)).join(", ")}`);
  for (const { table, from } of manifest.partitions) {
    if (!tables.some((known) => known.name === table && known.isPartitioned))
      throw invalidBackup(`it has a partition of "${table}", which has none`);
    await session.query(`select ${quoteName(`${table}_partition`)}($1::timestamptz)`, [from]);
  }
  for (const { name, columns, rows } of await inForeignKeyOrder(session, manifest.tables)) {
    const { entry, name: part, sha256 } = partOf(contents, tableEntry(name));
    const source = readEntry(file, entry, part, sha256);
    const copied = await session.copyFrom(`${quoteName(name)} (${columnList(columns)})`, source);
    if (copied !== rows) throw invalidBackup(`${part}: expected ${rows} rows, found ${copied}`);
    progress(entry.sizeBytes);
  }
  await switchTriggers(session, "enable");
  for (const { name, last } of manifest.sequences)
    await session.query("select setval($1::text::regclass, $2)", [quoteName(name), last]);
  await session.migrate(manifest.migrations.length);
}

/** Names and columns come from the file: they are used only when they are those of our own schema. */
function refuseOtherTables(tables: readonly CatalogTable[], manifest: Manifest): void {
  const describe = (list: readonly { name: string; columns: readonly string[] }[]): string =>
    JSON.stringify(list.map(({ name, columns }) => [name, [...columns].sort()]).sort());
  if (describe(tables) !== describe(manifest.tables)) throw invalidBackup("its tables are not those of its migrations");
}

/** Our own triggers; those that keep foreign keys stay on. */
async function switchTriggers(session: CopySession, to: "enable" | "disable"): Promise<void> {
  const relations = await session.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')`,
  );
  for (const { name } of relations) await session.query(`alter table ${quoteName(name)} ${to} trigger user`);
}

function partOf({ parts }: Contents, name: string): Part {
  const part = parts.get(name);
  if (part === undefined) throw invalidBackup(`it has no ${name}`);
  return part;
}

function countProgress({ parts }: Contents, onProgress: RestoreOptions["onProgress"]): (bytes: number) => void {
  const totalBytes = 2 * [...parts.values()].reduce((sum, { entry }) => sum + entry.sizeBytes, 0);
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    onProgress?.(doneBytes, totalBytes);
  };
}
