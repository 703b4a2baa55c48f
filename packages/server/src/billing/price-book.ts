/** @file Which price holds: pure, over the whole history of prices. */
import { createTariff, type PriceTerms, type Tariff } from "./tariff.ts";

/** One entry of the book: it holds from its start until the next of the same meter, model and hardware. */
export interface PriceEntry extends PriceTerms {
  readonly id: string;
  readonly meter: string;
  /** null: every model without a price of its own. */
  readonly model: string | null;
  /** null: every hardware class without a price of its own. */
  readonly hardware: string | null;
  readonly effectiveFrom: Date;
}

/** What decides a price. */
export interface Priced {
  readonly meter: string;
  readonly model: string | null;
  readonly hardware: string | null;
}

/** A price of the book, ready for arithmetic. */
export interface BookedPrice {
  readonly id: string;
  readonly effectiveFrom: Date;
  readonly tariff: Tariff;
}

/** Prices by what they are for, each list in order of time. */
export class PriceBook {
  readonly #entries = new Map<string, BookedPrice[]>();
  readonly #tariffs = new Map<string, Tariff>();
  readonly #models = new Map<string, Set<string>>();
  /** Every time at which any price begins, ascending, each once. */
  readonly changes: readonly Date[];

  constructor(entries: readonly PriceEntry[]) {
    const inOrder = entries.toSorted((a, b) => a.effectiveFrom.getTime() - b.effectiveFrom.getTime());
    for (const entry of inOrder) {
      const { id, effectiveFrom } = entry;
      const price = { id, effectiveFrom, tariff: createTariff(entry) };
      this.#tariffs.set(id, price.tariff);
      const models = this.#models.get(entry.meter) ?? new Set<string>();
      this.#models.set(entry.meter, models);
      if (entry.model !== null) models.add(entry.model);
      const key = keyOf(entry.meter, entry.model, entry.hardware);
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, [price]);
      else known.push(price);
    }
    this.changes = [...new Set(inOrder.map((entry) => entry.effectiveFrom.getTime()))].map((time) => new Date(time));
  }

  /**
   * The most specific price in force: of model and hardware, of the model, of the hardware, of the meter.
   * A specific price that has not begun yet leaves the field to the next.
   */
  find({ meter, model, hardware }: Priced, at: Date): BookedPrice | undefined {
    return (
      this.#inForce(at, meter, model, hardware) ??
      this.#inForce(at, meter, model, null) ??
      this.#inForce(at, meter, null, hardware) ??
      this.#inForce(at, meter, null, null)
    );
  }

  /** Every price that may be in force for a model that is not known yet. */
  findForAnyModel({ meter, hardware }: Omit<Priced, "model">, at: Date): readonly BookedPrice[] {
    const models = [null, ...(this.#models.get(meter) ?? [])];
    const found = models.map((model) => this.find({ meter, model, hardware }, at));
    return [...new Set(found.filter((price) => price !== undefined))];
  }

  /** The price in force after so many of `changes`; none before the first. */
  findAfterChanges(priced: Priced, count: number): BookedPrice | undefined {
    const at = this.changes[count - 1];
    return at === undefined ? undefined : this.find(priced, at);
  }

  /** @throws Error when the book has no such price: prices are never deleted. */
  tariffOf(priceId: string): Tariff {
    const tariff = this.#tariffs.get(priceId);
    if (tariff === undefined) throw new Error(`the price book: expected the price ${priceId}, received none`);
    return tariff;
  }

  #inForce(at: Date, meter: string, model: string | null, hardware: string | null): BookedPrice | undefined {
    return this.#entries
      .get(keyOf(meter, model, hardware))
      ?.findLast((entry) => entry.effectiveFrom.getTime() <= at.getTime());
  }
}

const keyOf = (...parts: readonly (string | null)[]): string => JSON.stringify(parts);
