/** @file Weights beside a model, read from one folder and nowhere else, whatever the model says. */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { OnnxFormatError } from "../errors.ts";
import type { ExternalData, ExternalPlace } from "./external-data.ts";

/** What external weights may ask for. */
export interface ExternalLimits {
  /** Bytes of all external weights of a model; what the files hold, and as much again for shared ranges, when not said. */
  readonly bytes?: number;
}

/** Most bytes of one call to the system. */
const chunkBytes = 2 ** 30;

interface UsedFile {
  readonly size: number;
  /** Bytes that tensors have asked for together. */
  claimed: number;
}

/**
 * Reads external weights from the files of a folder. Refused: paths that are absolute or lead out of it (also by a symbolic
 * link), what is no regular file, ranges beyond the end of their file, ranges that together are more than twice their file
 * (tied weights share a range; a thousand tensors that do are an attack), and more bytes than the limit. Files are opened
 * for each tensor, and closed.
 */
export class ExternalFolder implements ExternalData {
  readonly #root: string;
  readonly #limit: number;
  readonly #files = new Map<string, UsedFile>();
  #claimed = 0;

  /** @throws Error when there is no such folder. */
  constructor(folder: string, limits: ExternalLimits = {}) {
    this.#root = realpathSync(folder);
    this.#limit = limits.bytes ?? Number.POSITIVE_INFINITY;
  }

  claim(where: string, place: ExternalPlace, bytes: number): void {
    if (place.length !== undefined && place.length !== bytes)
      throw new OnnxFormatError(where, `expected ${bytes} bytes of external data, the model says ${place.length}`);
    this.#claimed += bytes;
    if (this.#claimed > this.#limit)
      throw new OnnxFormatError(where, `the external data of the model needs more than ${this.#limit} bytes of memory`);
    const file = this.#file(where, place.location);
    const end = place.offset + bytes;
    if (end > file.size || (place.length === undefined && end !== file.size))
      throw new OnnxFormatError(
        where,
        `expected bytes ${place.offset} to ${end} of "${place.location}", which has ${file.size} bytes`,
      );
    file.claimed += bytes;
    if (file.claimed > 2 * file.size)
      throw new OnnxFormatError(
        where,
        `"${place.location}" has ${file.size} bytes, and tensors ask for more than twice as many: their ranges overlap`,
      );
  }

  read(where: string, place: ExternalPlace, into: Uint8Array): void {
    const { handle } = this.#open(where, place.location);
    try {
      for (let done = 0; done < into.length; ) {
        const wanted = Math.min(chunkBytes, into.length - done);
        const count = readSync(handle, into, done, wanted, place.offset + done);
        if (count === 0) throw new OnnxFormatError(where, `"${place.location}" became shorter while it was read`);
        done += count;
      }
    } finally {
      closeSync(handle);
    }
  }

  #file(where: string, location: string): UsedFile {
    const known = this.#files.get(location);
    if (known !== undefined) return known;
    const { handle, size } = this.#open(where, location);
    closeSync(handle);
    const file = { size, claimed: 0 };
    this.#files.set(location, file);
    return file;
  }

  /** Opens a file, and makes sure of what was opened: the name may have come to mean another file in between. */
  #open(where: string, location: string): { readonly handle: number; readonly size: number } {
    const path = join(this.#root, insidePath(where, location));
    let handle: number | undefined;
    try {
      // without waiting: opening a pipe would wait for its writer
      handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const opened = fstatSync(handle, { bigint: true });
      if (!opened.isFile()) throw new OnnxFormatError(where, `external data "${location}" is no regular file`);
      const real = realpathSync(path);
      const named = statSync(real, { bigint: true });
      if (!real.startsWith(`${this.#root}${sep}`) || named.dev !== opened.dev || named.ino !== opened.ino)
        throw new OnnxFormatError(
          where,
          `external data "${location}" leads out of the model's folder; copy the file into it`,
        );
      return { handle, size: Number(opened.size) };
    } catch (cause) {
      if (handle !== undefined) closeSync(handle);
      if (cause instanceof OnnxFormatError) throw cause;
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      throw new OnnxFormatError(where, `external data "${location}" cannot be read: ${code}`, { cause });
    }
  }
}

/** A location that, as written, stays in its folder. @throws OnnxFormatError */
function insidePath(where: string, location: string): string {
  const steps = location.split("/");
  const isPlain =
    location.length <= 4096 && steps.every((step) => step !== "" && step !== ".." && !/[\\:\0]/.test(step));
  if (!isPlain)
    throw new OnnxFormatError(
      where,
      `expected a path inside the model's folder for external data, received ${JSON.stringify(location.slice(0, 100))}`,
    );
  return steps.join(sep);
}
