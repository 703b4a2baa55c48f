/** @file Running time that is paid for before it runs: each slice is claimed while the one before it runs. */
import { AppError, type KeyId, type ProjectId } from "@gristmill/contract";
import type { Ledger } from "./ledger.ts";
import type { MeteredQuantity } from "./policy.ts";
import { beginMs, secondsText } from "./slices.ts";

/** What runs, and how its time is named and counted. */
export interface PaidTimeParts {
  readonly ledger: Pick<Ledger, "claim" | "release">;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  /** The id of a slice's claim, which is that of its usage event: "run_…:1:0". */
  readonly idOf: (slice: number) => string;
  /** So much of the meter, for so many seconds. */
  readonly use: (seconds: string) => MeteredQuantity;
}

/** So many slices are claimed at once at most, counted from the last one recorded: the one that runs, and the next. */
const aheadSlices = 2;

/** The claims of one start of something that runs. Usage is recorded by its owner, which ends the claim of the same id. */
export class PaidTime {
  readonly #parts: PaidTimeParts;
  #claimed = 0;

  constructor(parts: PaidTimeParts) {
    this.#parts = parts;
  }

  /** Milliseconds after the start up to which the time is paid. */
  get untilMs(): number {
    return beginMs(this.#claimed);
  }

  /**
   * Claims the slice that runs at that moment and the next one. Before the start, with 0: both or none.
   * @throws AppError `budget.exceeded`, `price.unknown`: no room for the next slice; `database.unavailable`.
   */
  async cover(elapsedMs: number): Promise<void> {
    const before = this.#claimed;
    try {
      while (this.#claimed < aheadSlices || beginMs(this.#claimed - 1) <= elapsedMs) {
        await this.#claim(this.#claimed);
        this.#claimed++;
      }
    } catch (error) {
      if (before === 0) await this.end(0);
      throw error;
    }
  }

  /** Gives back what was claimed and not recorded. */
  async end(recorded: number): Promise<void> {
    const { ledger, idOf } = this.#parts;
    for (let slice = recorded; slice < this.#claimed; slice++)
      await ledger.release({ id: idOf(slice), ...this.#owner });
    this.#claimed = 0;
  }

  /** Gives back what a killed server had claimed for a start of which so many slices are recorded. */
  static async endLeft(parts: PaidTimeParts, recorded: number): Promise<void> {
    const left = new PaidTime(parts);
    left.#claimed = recorded + aheadSlices;
    await left.end(recorded);
  }

  get #owner(): { readonly projectId: ProjectId; readonly keyId: KeyId | null } {
    const { projectId, keyId } = this.#parts;
    return { projectId, keyId };
  }

  async #claim(slice: number): Promise<void> {
    const { ledger, idOf, use } = this.#parts;
    const estimates = [use(secondsText(beginMs(slice + 1) - beginMs(slice)))];
    await ledger.claim({ id: idOf(slice), ...this.#owner, estimates, outlives: true });
  }
}

/** True when nobody pays: trying again at once won't help, and time after what is paid must not be used. */
export const isRefusal = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === "budget.exceeded" || error.code === "price.unknown");
