/** @file A log file that can't fill the disk: bounded in memory and on disk, and never in the way of a request. */
import { type FileHandle, open, rename } from "node:fs/promises";

/** Limits of one log file. */
export interface LogFileOptions {
  /** Bytes after which a new file is begun; default 10 MiB. */
  readonly fileBytes?: number;
  /** Old files kept beside the current one: `path.1` is the newest; default 4. */
  readonly keep?: number;
}

/** Lines that may wait for the disk; more are dropped and counted. */
const longestQueue = 10_000;

/** Lines of this long go to the disk together: an append for each request's line took 9 % of a busy server's time. */
const gatherMs = 50;

/** Appends lines, in order, in the background. */
export class LogFile {
  readonly #path: string;
  readonly #fileBytes: number;
  readonly #keep: number;
  #queue: string[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #bytes = 0;
  #isClosing = false;
  #hurry: () => void = () => {};

  constructor(path: string, options: LogFileOptions = {}) {
    this.#path = path;
    this.#fileBytes = options.fileBytes ?? 10 * 1024 * 1024;
    this.#keep = options.keep ?? 4;
  }

  /** Takes a line; returns at once. */
  write(line: string): void {
    if (this.#queue.length >= longestQueue) this.#dropped++;
    else this.#queue.push(line);
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#hurry();
    while (this.#writing !== undefined) await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
    this.#isClosing = false;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      const lines = this.#queue.join("");
      const dropped = this.#dropped;
      this.#queue = [];
      this.#dropped = 0;
      try {
        await this.#append(dropped === 0 ? lines : `${lines}{"message":"${dropped} lines were dropped"}\n`);
      } catch {
        // A full or lost disk: there is nowhere left to say so, and the platform's work must go on.
        this.#dropped = dropped;
      }
    }
  }

  async #gather(): Promise<void> {
    if (this.#isClosing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hurry = resolve;
    const timer = setTimeout(resolve, gatherMs);
    await promise;
    clearTimeout(timer);
  }

  async #append(text: string): Promise<void> {
    const file = await this.#current();
    await file.appendFile(text);
    this.#bytes += Buffer.byteLength(text);
  }

  async #current(): Promise<FileHandle> {
    if (this.#file !== undefined && this.#bytes < this.#fileBytes) return this.#file;
    await this.#file?.close();
    this.#file = undefined;
    let file = await open(this.#path, "a", 0o600);
    this.#bytes = (await file.stat()).size;
    if (this.#bytes >= this.#fileBytes) {
      await file.close();
      await this.#shift();
      file = await open(this.#path, "a", 0o600);
      this.#bytes = 0;
    }
    this.#file = file;
    return file;
  }

  async #shift(): Promise<void> {
    for (let number = this.#keep; number > 0; number--) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      await rename(from, `${this.#path}.${number}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }
}
