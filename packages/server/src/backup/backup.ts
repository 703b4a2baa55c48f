/** @file One file with everything: all tables in one snapshot, and all objects that they name, each with its hash. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@gristmill/contract";
import { type CopySession, type DatabaseConnection, knownMigrations, quoteName, withCopySession } from "../db/index.ts";
import type { Log } from "../feature.ts";
import type { ObjectStore } from "../objects/index.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { columnList, listPartitions, listSequences, listTables } from "./catalog.ts";
import {
  backupFormat,
  type Manifest,
  type ManifestTable,
  manifestEntry,
  manifestHashEntry,
  objectEntry,
  tableEntry,
} from "./manifest.ts";
import { findHashes, namedObjects } from "./named-objects.ts";

/** What a backup is made of, and where. */
export interface BackupOptions {
  readonly connection: DatabaseConnection;
  readonly objects: ObjectStore;
  /** Made new; written beside and renamed when it is whole. */
  readonly file: string;
  /** Of this program. */
  readonly version: string;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** Bytes of objects and tables written so far, and all of them. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** What was written, or restored. */
export interface BackupSummary {
  readonly tables: number;
  readonly rows: number;
  readonly objects: number;
  readonly sizeBytes: number;
}

/** An object was deleted after the snapshot, with its rows: the next snapshot does not name it. */
class ObjectsChanged extends Error {
  override readonly name = "ObjectsChanged";
}

const mostAttempts = 3;
const never = new AbortController().signal;

/**
 * Writes a backup while the server works on.
 * @throws AppError `request.invalid` when the file exists; `artifact.corrupt` when an object is damaged or missing.
 */
export async function backup(options: BackupOptions): Promise<BackupSummary> {
  const { file, log } = options;
  if (await exists(file)) throw new AppError("request.invalid", `The file ${file} exists; choose another name.`);
  await removeLeftovers(file);
  for (let attempt = 1; ; attempt++) {
    const partial = `${file}.partial-${randomBytes(6).toString("hex")}`;
    try {
      return await writeBackup(options, partial);
    } catch (error) {
      if (!(error instanceof ObjectsChanged) || attempt === mostAttempts) throw error;
      log.info({ attempt }, "Something was deleted during the backup; it begins again.");
    } finally {
      await rm(partial, { force: true });
      await rm(tablesFolder(partial), { recursive: true, force: true });
    }
  }
}

async function writeBackup(options: BackupOptions, partial: string): Promise<BackupSummary> {
  const { connection, file, onProgress, objects, signal = never } = options;
  await mkdir(tablesFolder(partial), { mode: 0o700 });
  const manifest = await withCopySession(connection, signal, (session) => takeSnapshot(session, options, partial));
  const totalBytes = [...manifest.tables, ...manifest.objects].reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const writer = await ArchiveWriter.create(partial, new Date(manifest.created_at));
  try {
    const text = Buffer.from(JSON.stringify(manifest));
    const hash = Buffer.from(sha256(text));
    await writer.add({ name: manifestEntry, sizeBytes: text.length, sha256: sha256(text) }, [text], signal);
    await writer.add({ name: manifestHashEntry, sizeBytes: hash.length, sha256: sha256(hash) }, [hash], signal);
    let doneBytes = 0;
    const done = (bytes: number): void => {
      doneBytes += bytes;
      onProgress?.(doneBytes, totalBytes);
    };
    for (const { name, size_bytes: sizeBytes, sha256 } of manifest.tables) {
      const rows = createReadStream(dumpPath(partial, name));
      await writer.add({ name: tableEntry(name), sizeBytes, sha256 }, rows, signal);
      done(sizeBytes);
    }
    for (const { sha256, size_bytes: sizeBytes } of manifest.objects) {
      const content = await objects.open(sha256).catch((error: unknown) => explainMissing(options, sha256, error));
      await writer.add({ name: objectEntry(sha256), sizeBytes, sha256 }, content, signal);
      done(sizeBytes);
    }
    await writer.finish();
  } finally {
    await writer.close();
  }
  const { size } = await stat(partial);
  await rename(partial, file);
  await syncFolder(dirname(file));
  return summaryOf(manifest, size);
}

/** Counts of a manifest. */
export function summaryOf(manifest: Manifest, sizeBytes: number): BackupSummary {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  return { tables: manifest.tables.length, rows, objects: manifest.objects.length, sizeBytes };
}

/** All tables as they were at one moment, into files; and which objects belong to them. */
async function takeSnapshot(session: CopySession, options: BackupOptions, partial: string): Promise<Manifest> {
  await session.query("begin transaction isolation level repeatable read read only");
  // The first query takes the snapshot. Objects are stored before the rows that name them: the list holds all of these.
  const migrations = await session.query<{ name: string; checksum: string }>(
    "select name, checksum from migration order by position",
  );
  refuseOtherSchema(migrations);
  const named = await namedObjects(session);
  const stored = new Map<string, number>();
  for await (const object of options.objects.list()) stored.set(object.sha256, object.sizeBytes);
  const kept = new Set(named);
  const tables: ManifestTable[] = [];
  for (const { name, columns } of await listTables(session))
    tables.push({
      name,
      columns: [...columns],
      ...(await dump(session, name, columns, partial, (hash) => {
        if (stored.has(hash)) kept.add(hash);
      })),
    });
  const partitions = await listPartitions(session);
  const sequences = await listSequences(session);
  await session.query("commit");
  const objects: Manifest["objects"] = [];
  for (const sha256 of [...kept].sort()) {
    const size = stored.get(sha256);
    if (size === undefined) await explainMissing(options, sha256, undefined);
    objects.push({ sha256, size_bytes: size ?? 0 });
  }
  return {
    product: "gristmill",
    format: backupFormat,
    version: options.version,
    created_at: options.now().toISOString(),
    migrations: [...migrations],
    tables,
    partitions: [...partitions],
    sequences: [...sequences],
    objects,
  };
}

async function dump(
  session: CopySession,
  table: string,
  columns: readonly string[],
  partial: string,
  onHash: (hash: string) => void,
): Promise<Pick<ManifestTable, "rows" | "size_bytes" | "sha256">> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let rows = 0;
  const measure = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      sizeBytes += piece.length;
      // COPY writes a line for each row, and line ends inside values as "\n" in two characters.
      for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) rows += 1;
      done(null, piece);
    },
  });
  const source = session.copyTo(`select ${columnList(columns)} from ${quoteName(table)}`);
  await pipeline(source, findHashes(onHash), measure, createWriteStream(dumpPath(partial, table), { mode: 0o600 }));
  return { rows, size_bytes: sizeBytes, sha256: hash.digest("hex") };
}

/** @throws ObjectsChanged when no row names the object any more, else `artifact.corrupt`. */
async function explainMissing({ connection }: BackupOptions, hash: string, cause: unknown): Promise<never> {
  const isNamed = await withCopySession(connection, never, async (session) => (await namedObjects(session)).has(hash));
  if (!isNamed) throw new ObjectsChanged(`the object ${hash} was deleted during the backup`);
  throw new AppError("artifact.corrupt", `The object ${hash}, which rows name, is missing.`, {
    details: { sha256: hash },
    cause,
  });
}

/** What the queries of this version ask is true of its own schema only. */
function refuseOtherSchema(migrations: readonly { name: string; checksum: string }[]): void {
  const isOurs =
    migrations.length === knownMigrations.length &&
    knownMigrations.every((known, i) => known.checksum === migrations[i]?.checksum);
  if (!isOurs)
    throw new AppError(
      "home.newer",
      "The database's schema is not this version's: start this version once, or back up with the other one.",
    );
}

const tablesFolder = (partial: string): string => `${partial}.tables`;
const dumpPath = (partial: string, table: string): string => join(tablesFolder(partial), `${table}.copy`);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** What a killed backup of this very file left. */
async function removeLeftovers(file: string): Promise<void> {
  for (const name of await readdir(dirname(file)))
    if (name.startsWith(`${basename(file)}.partial-`))
      await rm(join(dirname(file), name), { recursive: true, force: true });
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
