/** @file Ends of claims that wait for their database, bounded in bytes. */
import type { Ending, Held } from "./store.ts";

const mostBytes = 64 * 1024 * 1024;
/** What an end without an answer counts. */
const leastBytes = 1024;

/** In memory only: a server that ends meanwhile leaves its claims open, and they are worked on again under their request ids. */
export class LateEndings {
  readonly #waiting = new Map<Held, Ending>();
  #bytes = 0;

  /** False: there is no room. */
  add(held: Held, ending: Ending): boolean {
    const bytes = bytesOf(ending);
    if (this.#bytes + bytes > mostBytes) return false;
    this.#waiting.set(held, ending);
    this.#bytes += bytes;
    return true;
  }

  /** Until one fails, which is tried again next time. */
  async write(end: (held: Held, ending: Ending) => Promise<void>): Promise<void> {
    for (const [held, ending] of this.#waiting) {
      await end(held, ending);
      this.#waiting.delete(held);
      this.#bytes -= bytesOf(ending);
    }
  }
}

const bytesOf = (ending: Ending): number =>
  ending.kind === "keep" && "sealed" in ending.keeping ? leastBytes + ending.keeping.sealed.length : leastBytes;
