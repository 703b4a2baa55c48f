/** @file When keys were used: written beside the requests, at most once a minute and key. */
import type { KeyId } from "@gristmill/contract";
import type { Log } from "../../feature.ts";
import type { KeyRow } from "../tables.ts";
import type { KeyStore } from "./store.ts";

const everyMs = 60_000;

/** Remembers what was written, so that most uses write nothing. */
export class LastUsed {
  readonly #parts: { readonly store: KeyStore; readonly now: () => Date; readonly log: Log };
  readonly #written = new Map<KeyId, number>();
  readonly #writing = new Set<Promise<void>>();

  constructor(parts: { readonly store: KeyStore; readonly now: () => Date; readonly log: Log }) {
    this.#parts = parts;
  }

  /** Notes a use; returns at once. A failure to write is logged: the key's requests must not fail for it. */
  note(key: Pick<KeyRow, "id" | "project_id" | "last_used_at">): void {
    const { store, now, log } = this.#parts;
    const at = now();
    const last = this.#written.get(key.id) ?? key.last_used_at?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (at.getTime() - last < everyMs) return;
    this.#written.set(key.id, at.getTime());
    const write = store
      .touch(key.project_id, key.id, at)
      .catch((err) => log.warn({ err, key_id: key.id }, "A key's last use was not written."))
      .finally(() => this.#writing.delete(write));
    this.#writing.add(write);
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }
}
