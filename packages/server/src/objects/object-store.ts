/** @file Where bytes live that are too large for the database: datasets, checkpoints, artifacts. */
import type { Readable } from "node:stream";

/** What was stored. */
export interface StoredObject {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Bytes by their sha256: written once, never changed, the same bytes stored once. Keys are hashes, so no name from outside reaches the disk. */
export interface ObjectStore {
  /**
   * Reads to the end, then makes the object visible in one step (temporary file, fsync, rename). `limitBytes` ends a longer
   * stream with `request.too_large`; `check` may look at the whole file before, and what it throws leaves nothing behind.
   */
  put(
    source: Readable | Uint8Array,
    options?: { limitBytes?: number; signal?: AbortSignal; check?: (path: string) => Promise<void> },
  ): Promise<StoredObject>;
  /** Moves a finished file of this machine into the store. */
  adopt(path: string): Promise<StoredObject>;
  has(sha256: string): Promise<boolean>;
  /** @throws AppError `artifact.corrupt` when it is missing. */
  open(sha256: string, range?: { start: number; end: number }): Promise<Readable>;
  /** A path that children may read. @throws AppError `artifact.corrupt` when missing. */
  path(sha256: string): Promise<string>;
  /** Reads all of it and compares. @throws AppError `artifact.corrupt` naming expected and found hash. */
  verify(sha256: string): Promise<void>;
  /** Removes what no row names any more; the caller knows that none does. */
  delete(sha256: string): Promise<void>;
  /** Every object, for backup. */
  list(): AsyncIterable<StoredObject>;
}
