/** @file The front of a file, of which only parsing tells how long it is. */
import { open } from "node:fs/promises";
import { NeedsMore } from "./cursor.ts";
import { GgufError } from "./errors.ts";
import { type GgufHeader, type GgufLimits, parseHeader } from "./header.ts";

/** A file's bytes, by position. */
export interface GgufSource {
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `position`, which lie inside; the result may be changed by nobody else. */
  read(position: number, length: number): Promise<Uint8Array>;
}

const firstBytes = 2 ** 16;

/** Reads and checks the front: with a few bytes first, then with more. @throws GgufError; what the source throws. */
export async function readGgufHeader(source: GgufSource, limits: GgufLimits = {}): Promise<GgufHeader> {
  const most = Math.min(source.sizeBytes, limits.headerBytes ?? 2 ** 28);
  let size = Math.min(most, firstBytes);
  for (;;) {
    const front = await source.read(0, size);
    try {
      return parseHeader(front, source.sizeBytes, limits);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (error.sizeBytes > most)
        throw new GgufError(
          "gguf.limit",
          "GGUF",
          `expected at most ${most} bytes before the tensors, received more; raise headerBytes if the file is trusted`,
        );
      size = Math.min(most, Math.max(4 * size, error.sizeBytes));
    }
  }
}

/** The same of a file on the disk. @throws GgufError; the system's error when it cannot be read. */
export async function openGgufHeader(path: string, limits: GgufLimits = {}): Promise<GgufHeader> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) throw new GgufError("gguf.cut_off", "GGUF", "the file became shorter while it was read");
      done += bytesRead;
    }
    return bytes;
  };
  return await readGgufHeader({ sizeBytes: size, read }, limits);
}
