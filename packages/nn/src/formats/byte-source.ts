/** @file Bytes that are read by position, so that a large file is never whole in memory. This package opens no file: callers pass one. */
import { FileFormatError } from "./format-error.ts";

/** Bytes of a known number, read in any order. */
export interface ByteSource {
  readonly sizeBytes: number;
  /**
   * Exactly `length` bytes from `position`; the result may be changed by nobody else.
   * @throws FileFormatError when the source ends before.
   */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** What is needed of Node's `FileHandle` to read from it. */
export interface ReadableHandle {
  stat(): Promise<{ readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Bytes in memory as a source; each read is a copy. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (position, length) => {
      expectInside(position, length, bytes.length);
      return Uint8Array.from(bytes.subarray(position, position + length));
    },
  };
}

/**
 * An open file as a source (`fileSource(await open(path))` of node:fs/promises). The caller closes the file.
 * A file that becomes shorter while it is read gives an error, never other bytes.
 */
export async function fileSource(handle: ReadableHandle): Promise<ByteSource> {
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    read: async (position, length) => {
      expectInside(position, length, size);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        // the system may give fewer bytes than asked for: Linux stops at 2 GiB
        const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), position + done);
        if (bytesRead === 0) throw outside(position, length, position + done);
        done += bytesRead;
      }
      return bytes;
    },
  };
}

function expectInside(position: number, length: number, size: number): void {
  const isRange = Number.isSafeInteger(position) && Number.isSafeInteger(length) && position >= 0 && length >= 0;
  if (!isRange || position + length > size) throw outside(position, length, size);
}

const outside = (position: number, length: number, size: number): FileFormatError =>
  new FileFormatError("file", `expected ${length} bytes from byte ${position}, but the file has ${size} bytes`);
