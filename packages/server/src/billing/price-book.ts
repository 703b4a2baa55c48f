/** @file Which price holds: pure, over the whole history of prices. */

/** One entry of the book: it holds from its start until the next of the same meter, model and hardware. */
export interface PriceEntry {
  readonly id: string;
  readonly meter: string;
  /** null: every model without a price of its own. */
  readonly model: string | null;
  /** null: every hardware class without a price of its own. */
  readonly hardware: string | null;
  /** Exact decimal, for one unit of the meter. */
  readonly amount: string;
  readonly effectiveFrom: Date;
}

/** What decides a price. */
export interface Priced {
  readonly meter: string;
  readonly model: string | null;
  readonly hardware: string | null;
}

/** Prices by what they are for, each list in order of time. */
export class PriceBook {
  readonly #entries = new Map<string, PriceEntry[]>();
  /** Every time at which any price begins, ascending, each once. */
  readonly changes: readonly Date[];

  constructor(entries: readonly PriceEntry[]) {
    const inOrder = entries.toSorted((a, b) => a.effectiveFrom.getTime() - b.effectiveFrom.getTime());
    for (const entry of inOrder) {
      const key = keyOf(entry.meter, entry.model, entry.hardware);
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, [entry]);
      else known.push(entry);
    }
    this.changes = [...new Set(inOrder.map((entry) => entry.effectiveFrom.getTime()))].map((time) => new Date(time));
  }

  /**
   * The most specific price in force: of model and hardware, of the model, of the hardware, of the meter.
   * A specific price that has not begun yet leaves the field to the next.
   */
  find({ meter, model, hardware }: Priced, at: Date): PriceEntry | undefined {
    return (
      this.#inForce(at, meter, model, hardware) ??
      this.#inForce(at, meter, model, null) ??
      this.#inForce(at, meter, null, hardware) ??
      this.#inForce(at, meter, null, null)
    );
  }

  /** The price in force after so many of `changes`; none before the first. */
  findAfterChanges(priced: Priced, count: number): PriceEntry | undefined {
    const at = this.changes[count - 1];
    return at === undefined ? undefined : this.find(priced, at);
  }

  #inForce(at: Date, meter: string, model: string | null, hardware: string | null): PriceEntry | undefined {
    return this.#entries
      .get(keyOf(meter, model, hardware))
      ?.findLast((entry) => entry.effectiveFrom.getTime() <= at.getTime());
  }
}

const keyOf = (...parts: readonly (string | null)[]): string => JSON.stringify(parts);
