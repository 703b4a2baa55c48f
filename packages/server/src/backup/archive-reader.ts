/** @file Reads a tar file that may be damaged or hostile: finds its entries first, then gives the content of those that were expected. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { Header } from "tar";
import { blockBytes } from "./archive-writer.ts";
import { invalidBackup } from "./manifest.ts";

/** Where an entry's content is. */
export interface ArchiveEntry {
  readonly start: number;
  readonly sizeBytes: number;
}

const mostEntries = 10_000_000;

/**
 * Reads all headers, and no content. Only plain files are taken, each name once; names are compared with what is expected
 * and never become paths.
 * @throws AppError `backup.invalid`, also when the file is cut.
 */
export async function findEntries(path: string): Promise<ReadonlyMap<string, ArchiveEntry>> {
  await using file = await open(path, "r").catch((cause: unknown) => {
    throw invalidBackup("the file can't be opened", cause);
  });
  const { size } = await file.stat();
  const entries = new Map<string, ArchiveEntry>();
  for (let position = 0; ; ) {
    const header = await readHeader(file, position, size);
    if (header === undefined) return entries;
    const { path: name = "", size: sizeBytes = -1, type } = header;
    if (type !== "File" || sizeBytes < 0) throw invalidBackup(`it has an entry that is no plain file (${type})`);
    if (entries.has(name)) throw invalidBackup(`it has the entry ${JSON.stringify(name)} twice`);
    if (entries.size >= mostEntries) throw invalidBackup("it has too many entries");
    entries.set(name, { start: position + blockBytes, sizeBytes });
    position += blockBytes + Math.ceil(sizeBytes / blockBytes) * blockBytes;
    if (position > size) throw invalidBackup(`the file is cut within the entry ${JSON.stringify(name)}`);
  }
}

/** The entry's bytes. The stream fails with `backup.invalid` at its end when they are not the expected ones. */
export function readEntry(path: string, entry: ArchiveEntry, name: string, sha256: string): Readable {
  const content =
    entry.sizeBytes === 0
      ? Readable.from([])
      : createReadStream(path, { start: entry.start, end: entry.start + entry.sizeBytes - 1 });
  const hash = createHash("sha256");
  const checked = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
    flush(done) {
      const found = hash.digest("hex");
      done(found === sha256 ? null : invalidBackup(`${name} is damaged: expected sha256 ${sha256}, found ${found}`));
    },
  });
  content.once("error", (error: Error) => checked.destroy(error));
  checked.once("close", () => content.destroy());
  return content.pipe(checked);
}

/** undefined at the archive's end: two blocks of zeros. */
async function readHeader(file: FileHandle, position: number, size: number): Promise<Header | undefined> {
  if (position + 2 * blockBytes > size) throw invalidBackup("the file is cut, or is no backup");
  const block = Buffer.alloc(2 * blockBytes);
  await file.read(block, 0, block.length, position);
  const header = new Header(block, 0);
  if (header.nullBlock && block.every((byte) => byte === 0)) return undefined;
  if (!header.cksumValid) throw invalidBackup(`it is no tar file, or is damaged at byte ${position}`);
  return header;
}
