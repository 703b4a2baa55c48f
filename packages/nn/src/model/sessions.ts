/** @file A model's open sessions: few at a time, the one unused for longest is closed first. */
import { createSession, type Model, type Session } from "@gristmill/onnx";

/**
 * Training on full and on last batches, evaluation, prediction; and as much again for each of a few lengths of sequences.
 * Sessions that share their weights' sizes cost little beside their buffers; what is used no more is closed.
 */
const mostOpen = 12;

/** A session and what was made with its model. */
export interface Opened<P> {
  readonly session: Session;
  readonly program: P;
}

/** Opens sessions once and keeps them. */
export class Sessions {
  readonly #open = new Map<string, Promise<Opened<unknown>>>();

  /** The session of a key, opened by the first who asks. `P` goes with the key. */
  async get<P extends { readonly model: Model }>(
    key: string,
    threads: number | undefined,
    write: () => P,
  ): Promise<Opened<P>> {
    const full = `${key} threads=${threads ?? "all"}`;
    const found = this.#open.get(full);
    this.#open.delete(full);
    const opening = found ?? openSession(key, threads, write);
    this.#open.set(full, opening); // last in the map: used last
    try {
      const opened = await opening;
      await this.#closeOldest();
      return opened as Opened<P>;
    } catch (error) {
      this.#open.delete(full);
      throw error;
    }
  }

  /** Closes the sessions whose key begins so. */
  async drop(prefix: string): Promise<void> {
    const keys = [...this.#open.keys()].filter((key) => key.startsWith(prefix));
    await Promise.all(keys.map((key) => this.#close(key)));
  }

  /** Closes all. */
  async close(): Promise<void> {
    await this.drop("");
  }

  async #closeOldest(): Promise<void> {
    const [oldest] = this.#open.keys();
    if (this.#open.size > mostOpen && oldest !== undefined) await this.#close(oldest);
  }

  async #close(key: string): Promise<void> {
    const opening = this.#open.get(key);
    this.#open.delete(key);
    const opened = await opening?.catch(() => undefined); // who asked for it has the error
    await opened?.session.close();
  }
}

async function openSession<P extends { readonly model: Model }>(
  name: string,
  threads: number | undefined,
  write: () => P,
): Promise<Opened<P>> {
  const program = write();
  // the key has sizes and settings behind its first word, which nobody wants to read in front of an error
  const [title = name] = name.split(" ");
  const session = await createSession(program.model, { name: title, ...(threads === undefined ? {} : { threads }) });
  return { session, program };
}
