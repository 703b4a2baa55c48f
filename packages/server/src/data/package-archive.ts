/** @file A package's tarball: hostile until shown otherwise. Nothing of it is written under a name of its own. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { AppError } from "@gristmill/contract";
import { Parser, type ReadEntry } from "tar";
import { checkInsidePath, unsafePath } from "./safe-path.ts";

/** Bounds of an archive. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Of all entries together, unpacked. */
  readonly totalBytes: number;
}

/** Largest file that is kept in memory: package.json. */
const memoryBytes = 2 ** 20;

/** Called for each wanted file, in the archive's order; must read `content` to its end. */
export type TakeEntry = (path: string, content: Readable) => Promise<void>;

/**
 * Reads a package's tarball once and gives the wanted files, by their paths without the archive's top folder.
 * @returns package.json.
 * @throws AppError `data.unsafe_path` for any entry, wanted or not, that leaves the archive or is a link or device;
 * `request.too_large` above the limits; `data.malformed` when it is no tar.
 */
export async function readPackageArchive(
  file: string,
  wanted: ReadonlySet<string>,
  take: TakeEntry,
  options: { readonly where: string; readonly limits: ArchiveLimits; readonly signal: AbortSignal },
): Promise<unknown> {
  const { where, limits, signal } = options;
  let packageJson: unknown = {};
  let entries = 0;
  let totalBytes = 0;
  let failure: unknown;
  const work: Promise<void>[] = [];
  const contents: Readable[] = [];
  const parser = new Parser({ strict: true, maxMetaEntrySize: memoryBytes });

  const contentOf = (entry: ReadEntry): Readable => {
    const content = Readable.from(entry, { objectMode: false });
    content.on("error", () => {}); // its reader is told; without a reader there is nobody to tell
    contents.push(content);
    return content;
  };
  const accept = async (entry: ReadEntry): Promise<void> => {
    entries += 1;
    totalBytes += entry.size;
    const path = refuseUnsafe(entry, where);
    if (entries > limits.entries || totalBytes > limits.totalBytes)
      throw new AppError(
        "request.too_large",
        `${where}: more than ${limits.entries} entries or ${limits.totalBytes} bytes, the limits of an archive.`,
        { details: { limit_entries: limits.entries, limit_bytes: limits.totalBytes } },
      );
    if (path === "package.json" && entry.size <= memoryBytes)
      packageJson = parseJson(await text(contentOf(entry)), where);
    else if (wanted.has(path)) await take(path, contentOf(entry));
    else entry.resume();
  };
  parser.on("entry", (entry: ReadEntry) => {
    if (failure !== undefined) return void entry.resume();
    work.push(
      accept(entry).catch((error: unknown) => {
        failure ??= error;
        source.destroy();
      }),
    );
  });

  const source = createReadStream(file);
  try {
    await pipeline(source, parser as unknown as NodeJS.WritableStream, { signal });
    await Promise.all(work);
  } catch (error) {
    // The rest of an entry will never come: whoever reads it must not wait.
    const ended = new Error("the archive ended");
    for (const content of contents) content.destroy(ended);
    await Promise.all(work);
    signal.throwIfAborted();
    if (failure === undefined || failure === ended)
      throw new AppError("data.malformed", `${where}: its archive can't be read.`, { cause: error });
  }
  if (failure !== undefined) throw failure;
  return packageJson;
}

function refuseUnsafe(entry: ReadEntry, where: string): string {
  const path = checkInsidePath(entry.path, where);
  if (entry.type !== "File" && entry.type !== "OldFile" && entry.type !== "Directory")
    throw unsafePath(where, entry.path, `it is a ${entry.type}, not a plain file`);
  return path.slice(path.indexOf("/") + 1);
}

function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new AppError("data.malformed", `${where}: its package.json is no JSON.`, { cause });
  }
}
