import type { CreatePrice, Price } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { PostOptions, Transport } from "../http/transport.ts";

/** A price to be: of one unit by `amount`, or by any other `charge`. */
export type NewPrice = Pick<CreatePrice, "meter"> & Partial<CreatePrice>;

/** The price book. */
export class Prices {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Price> {
    return new Listing(this.#transport, "/api/prices", options);
  }

  /** Ends the price in force for the same meter, model and hardware, and begins a new one. @throws GristmillError `price.conflict`. */
  create(body: NewPrice, options?: PostOptions): Promise<Price> {
    return this.#transport.post("/api/prices", body, options);
  }
}
