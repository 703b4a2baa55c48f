import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sql } from "kysely";
import { Header } from "tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appliedMigrations, knownMigrations, migrate } from "../db/index.ts";
import { fileObjectStore } from "../objects/index.ts";
import { findEntries } from "./archive-reader.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { backup } from "./backup.ts";
import type { Manifest } from "./manifest.ts";
import { restore } from "./restore.ts";
import { emptyDatabase, temporaryFolder } from "./testing/empty-home.ts";
import { everything, openPopulatedHome, type PopulatedHome } from "./testing/populated-home.ts";
import type { RestoreChildTask } from "./testing/restore-child.ts";

let home: PopulatedHome;
let file: string;
let whole: Buffer;
beforeAll(async () => {
  home = await openPopulatedHome();
  file = join(home.folder, "whole.backup");
  await backup({
    connection: home.connection,
    objects: home.objects,
    file,
    version: "0.1.0",
    now: () => new Date(),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  whole = await readFile(file);
});
afterAll(() => home.close());

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The backup's entries by name. */
async function contentsOf(): Promise<Map<string, Buffer>> {
  const entries = await findEntries(file);
  return new Map([...entries].map(([name, { start, sizeBytes }]) => [name, whole.subarray(start, start + sizeBytes)]));
}

/** An empty home, and a restore of these bytes into it. */
async function emptyHome() {
  const folder = await temporaryFolder();
  const objects = await fileObjectStore(join(folder, "objects"));
  const { connection, db } = await emptyDatabase();
  const attempt = async (bytes: Uint8Array): Promise<unknown> => {
    const path = join(folder, "some.backup");
    await writeFile(path, bytes);
    return await restore({ connection, objects, file: path });
  };
  const isUntouched = async (): Promise<void> => {
    expect(await everything(db)).toEqual({ "(triggers)": "", "(sequences)": "" });
    for await (const object of objects.list()) throw new Error(`the object ${object.sha256} stayed`);
  };
  return { folder, objects, connection, db, attempt, isUntouched };
}

/** The backup with another manifest, whose own hash is right. */
async function withManifest(
  change: (manifest: Manifest) => unknown,
  extra: readonly [string, Buffer][] = [],
): Promise<Buffer> {
  const folder = await temporaryFolder();
  const entries = await findEntries(file);
  const content = (name: string): Buffer => {
    const entry = entries.get(name);
    if (entry === undefined) throw new Error(name);
    return whole.subarray(entry.start, entry.start + entry.sizeBytes);
  };
  const manifest = Buffer.from(JSON.stringify(change(JSON.parse(String(content("manifest.json"))))));
  const writer = await ArchiveWriter.create(join(folder, "changed"), new Date(0));
  const parts: [string, Buffer][] = [
    ["manifest.json", manifest],
    ["manifest.sha256", Buffer.from(sha256(manifest))],
    ...[...entries.keys()]
      .filter((name) => name.includes("/"))
      .map((name) => [name, content(name)] as [string, Buffer]),
    ...extra,
  ];
  for (const [name, bytes] of parts)
    await writer.add({ name, sizeBytes: bytes.length, sha256: sha256(bytes) }, [bytes], new AbortController().signal);
  await writer.finish();
  await writer.close();
  return await readFile(join(folder, "changed"));
}

describe("a backup that is not whole and ours", () => {
  it("[BAK5] is refused wherever a byte was changed, and nothing of it stays", async () => {
    const { attempt, isUntouched } = await emptyHome();
    for (const [name, entry] of await findEntries(file)) {
      if (entry.sizeBytes === 0) continue;
      const changed = Buffer.from(whole);
      const at = entry.start + Math.floor(entry.sizeBytes / 2);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(attempt(changed), name).rejects.toMatchObject({ code: "backup.invalid" });
    }
    const header = Buffer.from(whole);
    header[10] = (header[10] ?? 0) ^ 1;
    await expect(attempt(header)).rejects.toMatchObject({ code: "backup.invalid" });
    await isUntouched();
  });

  it("[BAK5] is refused when it is cut, anywhere, or is something else", async () => {
    const { attempt, isUntouched } = await emptyHome();
    for (let i = 0; i < 20; i++)
      await expect(attempt(whole.subarray(0, Math.floor((whole.length * i) / 20)))).rejects.toMatchObject({
        code: "backup.invalid",
      });
    for (const other of [whole.subarray(0, -512), Buffer.alloc(10_240), Buffer.from("not a backup at all".repeat(200))])
      await expect(attempt(other)).rejects.toMatchObject({ code: "backup.invalid" });
    await expect(attempt(Buffer.concat([whole.subarray(512), whole.subarray(0, 512)]))).rejects.toMatchObject({
      code: "backup.invalid",
    });
    await isUntouched();
  });

  it("[BAK6] is refused with names that are not expected, hostile or not, and with links", async () => {
    const { attempt, isUntouched, folder } = await emptyHome();
    const evil = Buffer.from("evil");
    for (const name of ["../../slipped", "/tmp/slipped", "objects/../../slipped", "tables/unknown.copy"])
      await expect(attempt(await withManifest((manifest) => manifest, [[name, evil]]))).rejects.toMatchObject({
        code: "backup.invalid",
        message: expect.stringContaining(name),
      });
    const link = Buffer.alloc(512);
    new Header({ path: "manifest.json", type: "SymbolicLink", linkpath: "/etc/passwd", size: 0 }).encode(link);
    await expect(attempt(Buffer.concat([link, whole]))).rejects.toMatchObject({
      code: "backup.invalid",
      message: expect.stringContaining("no plain file (SymbolicLink)"),
    });
    await expect(attempt(await withManifest((manifest) => manifest, [["manifest.json", evil]]))).rejects.toMatchObject({
      code: "backup.invalid",
      message: expect.stringContaining("twice"),
    });
    expect((await readdir(folder)).sort()).toEqual(["objects", "some.backup"]);
    await isUntouched();
  });

  it("[BAK6] is refused when its manifest names tables, columns or partitions that are not ours", async () => {
    const { attempt, isUntouched } = await emptyHome();
    const first = (manifest: Manifest) =>
      manifest.tables[0] ?? { name: "", columns: [], rows: 0, size_bytes: 0, sha256: "" };
    const changes: ((manifest: Manifest) => unknown)[] = [
      (manifest) => ({ ...manifest, tables: [{ ...first(manifest), columns: ['x") from program --'] }] }),
      (manifest) => ({
        ...manifest,
        tables: manifest.tables.map((table) => ({ ...table, columns: table.columns.slice(1) })),
      }),
      (manifest) => ({ ...manifest, partitions: [{ table: "project", from: "2025-01-01" }] }),
      (manifest) => ({ ...manifest, tables: [...manifest.tables, first(manifest)] }),
      (manifest) => ({ ...manifest, tables: manifest.tables.map((table) => ({ ...table, rows: table.rows + 1 })) }),
      (manifest) => ({ ...manifest, unknown: true }),
    ];
    for (const change of changes)
      await expect(attempt(await withManifest(change))).rejects.toMatchObject({ code: "backup.invalid" });
    await isUntouched();
  });

  it("[BAK7] of a newer version says which version made it", async () => {
    const { attempt, isUntouched } = await emptyHome();
    const later = { name: "9999-later", checksum: "0".repeat(64) };
    await expect(
      attempt(
        await withManifest((manifest) => ({
          ...manifest,
          version: "9.9.9",
          migrations: [...manifest.migrations, later],
        })),
      ),
    ).rejects.toMatchObject({ code: "backup.invalid", message: expect.stringContaining("version 9.9.9") });
    await expect(
      attempt(await withManifest((manifest) => ({ ...manifest, format: 2, somethingNew: [] }))),
    ).rejects.toMatchObject({ code: "backup.invalid", message: expect.stringContaining("its format is 2") });
    await isUntouched();
  });
});

describe("a home to restore into", () => {
  it("[BAK4] must have neither tables nor foreign objects", async () => {
    const { attempt, connection, objects, db } = await emptyHome();
    await objects.put(Buffer.from("somebody's object"));
    await expect(attempt(whole)).rejects.toMatchObject({ code: "home.not_empty" });
    await objects.delete(sha256(Buffer.from("somebody's object")));
    await migrate(connection);
    const before = await everything(db);
    await expect(attempt(whole)).rejects.toMatchObject({ code: "home.not_empty" });
    expect(await everything(db)).toEqual(before);
  });

  it("[BAK7] gets this version's schema from a backup of an older one", async () => {
    const { attempt, connection, db } = await emptyHome();
    // As the version before the last migration that adds any would have written it: without its tables and columns.
    const { migrations } = await import("../db/migrations/index.ts");
    const count = migrations.findLastIndex(({ up }) => /\b(create|add)\s+(table|column)\b/.test(up));
    const older = await emptyDatabase();
    await migrateOnly(older.connection, count);
    const { rows } = await sql<{ name: string; columns: string[] }>`
      select relname as name, array_agg(attname::text) as columns from pg_class join pg_attribute on attrelid = pg_class.oid
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
        and attnum > 0 and not attisdropped group by relname`.execute(older.db);
    const known = new Map(rows.map(({ name, columns }) => [name, new Set(columns)]));
    const manifest = JSON.parse(String((await contentsOf()).get("manifest.json"))) as Manifest;
    const dropped = manifest.tables.map(({ name }) => name).filter((name) => !known.has(name));
    const narrower = manifest.tables.filter(({ name, columns }) =>
      columns.some((one) => known.get(name)?.has(one) === false),
    );
    expect(dropped.length + narrower.length).toBeGreaterThan(0);
    const bytes = await olderBackup(count, known);
    await attempt(bytes);
    expect(await appliedMigrations(connection)).toEqual(knownMigrations.map(({ name }) => name));
    const [before, after] = [await everything(home.db), await everything(db)];
    for (const name of dropped) expect(after[name]).toBe("");
    for (const name of [...known.keys()].filter((table) => table !== "migration"))
      expect(after[name]).toBe(before[name]);
  });

  it.each([0.3, 0.7, 0.999])(
    "[BAK8] is as empty as before when the restore is killed at %f of its work; run again, it succeeds",
    async (until) => {
      const { folder, connection, db, attempt } = await emptyHome();
      const task: RestoreChildTask = { connection, objects: join(folder, "objects"), file, until };
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, "testing/restore-child.ts"), JSON.stringify(task)],
        {
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      const gone = new Promise((resolve) => child.once("exit", resolve));
      for await (const line of createInterface(child.stdout)) if (line === "there") break;
      child.kill("SIGKILL");
      await gone;
      expect(child.signalCode).toBe("SIGKILL");
      expect(await everything(db)).toEqual({ "(triggers)": "", "(sequences)": "" });
      await attempt(whole);
      expect(await everything(db)).toEqual(await everything(home.db));
    },
  );
});

async function migrateOnly(connection: Parameters<typeof migrate>[0], count: number): Promise<void> {
  const { migrations } = await import("../db/migrations/index.ts");
  await migrate(connection, migrations.slice(0, count));
}

/** The backup without the last migrations, their rows in `migration`, and the tables that they made. */
async function olderBackup(count: number, known: ReadonlyMap<string, ReadonlySet<string>>): Promise<Buffer> {
  const folder = await temporaryFolder();
  const contents = await contentsOf();
  const manifest = JSON.parse(String(contents.get("manifest.json"))) as Manifest;
  const tables = manifest.tables.flatMap((table) => {
    const columns = known.get(table.name);
    if (columns === undefined) return [];
    const at = table.columns.flatMap((column, i) => (columns.has(column) ? [i] : []));
    const all = String(contents.get(`tables/${table.name}.copy`))
      .split("\n")
      .slice(0, -1);
    const lines = table.name === "migration" ? all.slice(0, count) : all;
    // COPY's text form: a line a row, tabs between fields, none inside of them
    const bytes = Buffer.from(lines.map((line) => `${at.map((i) => line.split("\t")[i]).join("\t")}\n`).join(""));
    contents.set(`tables/${table.name}.copy`, bytes);
    const kept = table.columns.filter((column) => columns.has(column));
    return [{ ...table, columns: kept, rows: lines.length, size_bytes: bytes.length, sha256: sha256(bytes) }];
  });
  const text = Buffer.from(JSON.stringify({ ...manifest, tables, migrations: manifest.migrations.slice(0, count) }));
  contents.set("manifest.json", text);
  contents.set("manifest.sha256", Buffer.from(sha256(text)));
  const writer = await ArchiveWriter.create(join(folder, "older"), new Date(0));
  const names = new Set(["manifest.json", "manifest.sha256", ...tables.map(({ name }) => `tables/${name}.copy`)]);
  for (const [name, bytes] of contents)
    if (names.has(name) || name.startsWith("objects/"))
      await writer.add({ name, sizeBytes: bytes.length, sha256: sha256(bytes) }, [bytes], new AbortController().signal);
  await writer.finish();
  await writer.close();
  return await readFile(join(folder, "older"));
}
