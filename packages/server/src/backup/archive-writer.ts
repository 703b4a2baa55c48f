/** @file Writes a tar file, entry by entry, whose sizes and hashes are known before. */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { AppError } from "@gristmill/contract";
import { Header } from "tar";

/** What an entry must turn out to be. */
export interface ExpectedEntry {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Size of tar's unit: headers are one, contents are filled up to whole ones. */
export const blockBytes = 512;

/** A tar file that is being written. */
export class ArchiveWriter {
  readonly #file: FileHandle;
  readonly #madeAt: Date;

  private constructor(file: FileHandle, madeAt: Date) {
    this.#file = file;
    this.#madeAt = madeAt;
  }

  /** Makes a new file, readable by its owner only. */
  static async create(path: string, madeAt: Date): Promise<ArchiveWriter> {
    return new ArchiveWriter(await open(path, "wx", 0o600), madeAt);
  }

  /** @throws AppError `artifact.corrupt` when the content is not what was expected. */
  async add(
    entry: ExpectedEntry,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const header = new Header({
      path: entry.name,
      type: "File",
      size: entry.sizeBytes,
      mode: 0o600,
      mtime: this.#madeAt,
    });
    const block = Buffer.alloc(blockBytes);
    if (header.encode(block)) throw new Error(`the entry ${entry.name} does not fit into a plain tar header`);
    await this.#file.writeFile(block);
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of content) {
      signal.throwIfAborted();
      bytes += piece.length;
      hash.update(piece);
      await this.#file.writeFile(piece);
    }
    const found = hash.digest("hex");
    if (found !== entry.sha256 || bytes !== entry.sizeBytes)
      throw new AppError(
        "artifact.corrupt",
        `${entry.name}: expected ${entry.sizeBytes} bytes with sha256 ${entry.sha256}, found ${bytes} with ${found}.`,
        { details: { expected_sha256: entry.sha256, found_sha256: found } },
      );
    await this.#file.writeFile(Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes));
  }

  /** Ends the archive and makes it durable. */
  async finish(): Promise<void> {
    await this.#file.writeFile(Buffer.alloc(2 * blockBytes));
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
