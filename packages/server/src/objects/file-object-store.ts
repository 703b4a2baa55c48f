/** @file The objects of one machine: a folder, sharded by the first two characters of the hash. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, lstat, mkdir, open, opendir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@gristmill/contract";
import type { ObjectStore, StoredObject } from "./object-store.ts";

/** Limits of a store. */
export interface FileObjectStoreOptions {
  /** Bytes of one object at most, unless a call says otherwise; default 128 GiB. */
  readonly limitBytes?: number;
}

const gibibyte = 2 ** 30;
const hashForm = /^[0-9a-f]{64}$/;
const temporaryForm = /^(\d+)-[0-9a-f]{16}$/;

/**
 * Opens a store, making its folder when it is absent, and removes the temporary files of processes that are gone.
 * @param folder an absolute path on one file system: `<folder>/ab/ab12…` are objects, `<folder>/temporary` is being written.
 */
export async function fileObjectStore(folder: string, options: FileObjectStoreOptions = {}): Promise<ObjectStore> {
  const temporary = join(folder, "temporary");
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await removeLeftovers(temporary);
  const limitOfStore = options.limitBytes ?? 128 * gibibyte;

  const place = (sha256: string): string => {
    // Keys come from rows, never from requests; this keeps a mistake elsewhere from becoming a path.
    if (!hashForm.test(sha256)) throw new RangeError(`object store: expected 64 hex digits, received "${sha256}"`);
    return join(folder, sha256.slice(0, 2), sha256);
  };
  const temporaryPath = (): string => join(temporary, `${process.pid}-${randomBytes(8).toString("hex")}`);

  /** One step: the object is there, whole and durable, or not at all. Renaming over the same bytes also mends a damaged file. */
  async function publish(from: string, sha256: string): Promise<void> {
    const shard = join(folder, sha256.slice(0, 2));
    if ((await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(folder);
    await rename(from, place(sha256));
    await syncFolder(shard);
  }

  async function existing(sha256: string): Promise<{ path: string; sizeBytes: number }> {
    const path = place(sha256);
    try {
      return { path, sizeBytes: (await stat(path)).size };
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      throw new AppError("artifact.corrupt", `The object ${sha256} is missing.`, { details: { sha256 }, cause });
    }
  }

  return {
    async put(source, { limitBytes = limitOfStore, signal, check } = {}) {
      const path = temporaryPath();
      try {
        const stored = await writeThrough(source, path, Math.min(limitBytes, limitOfStore), signal);
        await check?.(path);
        await publish(path, stored.sha256);
        return stored;
      } finally {
        await rm(path, { force: true });
      }
    },

    async adopt(path) {
      const found = await lstat(path);
      if (!found.isFile()) throw new RangeError(`object store: expected a plain file, received "${path}"`);
      const stored = await hashOf(createReadStream(path));
      await syncFile(path);
      try {
        await publish(path, stored.sha256);
      } catch (error) {
        if (!hasCode(error, "EXDEV")) throw error;
        const copy = temporaryPath();
        await copyFile(path, copy);
        await syncFile(copy);
        await publish(copy, stored.sha256);
        await rm(path, { force: true });
      }
      return stored;
    },

    async has(sha256) {
      return await stat(place(sha256)).then(
        () => true,
        (error: unknown) => {
          if (isMissing(error)) return false;
          throw error;
        },
      );
    },

    async open(sha256, range) {
      const { path } = await existing(sha256);
      return createReadStream(path, range ?? {});
    },

    async path(sha256) {
      return (await existing(sha256)).path;
    },

    async verify(sha256) {
      const { path } = await existing(sha256);
      const found = await hashOf(createReadStream(path));
      if (found.sha256 === sha256) return;
      throw new AppError(
        "artifact.corrupt",
        `The object on disk is damaged: expected sha256 ${sha256}, found ${found.sha256} (${found.sizeBytes} bytes).`,
        { details: { expected_sha256: sha256, found_sha256: found.sha256, size_bytes: found.sizeBytes } },
      );
    },

    async delete(sha256) {
      await rm(place(sha256), { force: true });
    },

    async *list() {
      const shards = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort();
      for (const shard of shards) {
        for await (const entry of await opendir(join(folder, shard))) {
          if (!entry.isFile() || !hashForm.test(entry.name)) continue;
          const size = await stat(join(folder, shard, entry.name)).catch(() => undefined);
          if (size !== undefined) yield { sha256: entry.name, sizeBytes: size.size };
        }
      }
    },
  };
}

/** Writes to a new file, durably, hashing on the way. */
async function writeThrough(
  source: Readable | Uint8Array,
  path: string,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<StoredObject> {
  signal?.throwIfAborted();
  const stream = source instanceof Uint8Array ? Readable.from([source]) : source;
  // A failure before the first read would otherwise be an uncaught event; the iteration below tells it again.
  stream.on("error", () => {});
  const stop = (): void => void stream.destroy(abortReason(signal));
  signal?.addEventListener("abort", stop, { once: true });
  const file = await open(path, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
      hash.update(piece);
      await file.writeFile(piece);
    }
    // A destroyed stream may end its iteration without an error.
    signal?.throwIfAborted();
    await file.sync();
    return { sha256: hash.digest("hex"), sizeBytes };
  } finally {
    signal?.removeEventListener("abort", stop);
    stream.destroy();
    await file.close();
  }
}

const abortReason = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new Error("aborted");

const tooLarge = (limitBytes: number): AppError =>
  new AppError("request.too_large", `The content has more than ${limitBytes} bytes, the limit here.`, {
    details: { limit_bytes: limitBytes },
  });

async function hashOf(stream: Readable): Promise<StoredObject> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    sizeBytes += piece.byteLength;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.sync();
}

/** A rename is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** Temporary files carry their writer's pid: those of the living stay, for another process may be backing up beside us. */
async function removeLeftovers(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const writer = Number(temporaryForm.exec(name)?.[1]);
    if (writer !== process.pid && isAlive(writer)) continue;
    if (writer === process.pid && (await isYoungerThanProcess(join(temporary, name)))) continue;
    await rm(join(temporary, name), { force: true, recursive: true });
  }
}

/** A pid is used again after a restart, always so in a container; the file is then older than the process. */
async function isYoungerThanProcess(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs >= performance.timeOrigin;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
const isMissing = (error: unknown): boolean => hasCode(error, "ENOENT");
