/** @file The work folder of one import: files arrive here, are unpacked, checked and hashed on the way, and made durable. */
import { createHash } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { AppError } from "@gristmill/contract";
import { type IdxKind, type IdxLimits, malformed } from "./idx.ts";
import { IdxCheck } from "./idx-check.ts";
import type { StagedFile } from "./manifest.ts";

/** One file on its way in. */
export interface IncomingFile {
  readonly split: string;
  readonly kind: IdxKind;
  /** Plain or gzip. Read to its end, or destroyed. */
  readonly content: Readable;
}

/** How files are checked. */
export interface StagingOptions {
  readonly limits: IdxLimits;
  /** How many class names the caller gave, if any. */
  readonly classes: number | undefined;
  readonly signal: AbortSignal;
  /** Share of the current file that came, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** "train.images": what a file is called in a form, on disk and in messages. Split names are safe as file names. */
export const titleOf = (split: string, kind: IdxKind): string => `${split}.${kind}`;

/** The work folder of one import. */
export class Staging {
  readonly #folder: string;

  /** @param folder absolute; of this import alone. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  path(split: string, kind: IdxKind): string {
    return join(this.#folder, titleOf(split, kind));
  }

  /** Begins anew: what an earlier attempt left is removed. */
  async open(): Promise<void> {
    await this.close();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** @throws AppError `data.malformed`, `data.mismatch`, `request.too_large`; the signal's reason when aborted. */
  async store(file: IncomingFile, options: StagingOptions): Promise<StagedFile> {
    const title = titleOf(file.split, file.kind);
    const check = new IdxCheck(file.kind, title, { limits: options.limits, classes: options.classes });
    const hash = createHash("sha256");
    const write = async (pieces: AsyncIterable<Buffer>): Promise<StagedFile> => {
      await using target = await open(this.path(file.split, file.kind), "w", 0o600);
      for await (const piece of pieces) {
        check.push(piece);
        hash.update(piece);
        await target.writeFile(piece);
        options.onProgress?.(check.progress);
      }
      const checked = check.end();
      await target.sync();
      return { ...checked, sha256: hash.digest("hex"), sizeBytes: checked.header.totalBytes };
    };
    const { signal } = options;
    const arriving = await peek(file.content, title, options.limits.fileBytes);
    try {
      if (!arriving.isGzip) return await pipeline(arriving.content, write, { signal });
      return await pipeline(arriving.content, createGunzip(), write, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw isGzipFault(error) ? malformed(title, `its gzip compression is damaged (${error.message})`) : error;
    }
  }
}

/** Looks at the first two bytes, which tell gzip from IDX, and bounds what is read. */
async function peek(
  source: Readable,
  title: string,
  limitBytes: number,
): Promise<{ content: Readable; isGzip: boolean }> {
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    let bytes = head.length;
    try {
      if (head.length > 0) yield head;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        bytes += next.value.length;
        if (bytes > limitBytes)
          throw new AppError("request.too_large", `${title}: more than ${limitBytes} bytes, the limit of one file.`, {
            details: { file: title, limit_bytes: limitBytes },
          });
        yield next.value;
      }
    } finally {
      source.destroy();
    }
  }
  return { content: Readable.from(all(), { objectMode: false }), isGzip: head[0] === 0x1f && head[1] === 0x8b };
}

const isGzipFault = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
