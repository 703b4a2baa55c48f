/** @file What one request used so far. */

import type { Quantity } from "./route.ts";
import type { OpenReservation, RequestUsage } from "./usage-ledger.ts";

/** Collects quantities; turned into events once, when the request ends. */
export class Tally {
  readonly #quantities: Quantity[] = [];
  readonly #user: Readonly<Record<string, string>>;

  /** @param userId whose session it is; null: a key's request. */
  constructor(userId: string | null) {
    this.#user = userId === null ? {} : { user: userId };
  }

  add({ dimensions, ...quantity }: Quantity): void {
    this.#quantities.push({ ...quantity, dimensions: { ...dimensions, ...this.#user } });
  }

  /**
   * The events of a request: `<request id>:requests`, `<request id>:images`; a second use of the same meter gets a number.
   * They derive from the request's id, so that settling twice writes them once.
   */
  events(reservation: OpenReservation, time: Date): readonly RequestUsage[] {
    const counts = new Map<string, number>();
    return this.#quantities.map(({ meter, quantity, dimensions }) => {
      const count = (counts.get(meter) ?? 0) + 1;
      counts.set(meter, count);
      const what = meter.slice(meter.indexOf(".") + 1);
      return {
        id: `${reservation.requestId}:${what}${count === 1 ? "" : `:${count}`}`,
        meter,
        quantity,
        time,
        admittedAt: reservation.admittedAt,
        requestId: reservation.requestId,
        keyId: reservation.keyId,
        dimensions,
      };
    });
  }
}
