/** @file Where bytes are appended, piece by piece. This package opens no file: callers pass one. */

/** Takes bytes in order. */
export interface ByteSink {
  /** Appends; the bytes may be reused as soon as the promise is kept. */
  write(bytes: Uint8Array): Promise<void>;
}

/** What is needed of Node's `FileHandle` to append to it. */
export interface WritableHandle {
  write(buffer: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
}

/** An open file as a sink (`fileSink(await open(path, "w"))` of node:fs/promises). The caller closes the file. */
export function fileSink(handle: WritableHandle): ByteSink {
  return {
    write: async (bytes) => {
      let done = 0;
      // the system may take fewer bytes than given
      while (done < bytes.length)
        done += (await handle.write(bytes, done, Math.min(bytes.length - done, 2 ** 30))).bytesWritten;
    },
  };
}

/** A sink in memory. */
export class MemorySink implements ByteSink {
  readonly #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(Uint8Array.from(bytes));
    this.#sizeBytes += bytes.length;
  }

  /** Everything written so far, as one array. */
  bytes(): Uint8Array<ArrayBuffer> {
    return joined(this.#pieces, this.#sizeBytes);
  }
}

/** Pieces one after the other; `sizeBytes` is the sum of their lengths. */
export function joined(
  pieces: readonly Uint8Array[],
  sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0),
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
