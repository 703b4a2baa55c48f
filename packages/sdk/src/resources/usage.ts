import type { CreatePrice, Price, UsageEvent, UsageGroup, UsageReport } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, Transport } from "../http/transport.ts";

/** Which usage, in which windows, by what. */
export interface UsageOptions extends CallOptions {
  /** RFC 3339, inclusive; default: 30 days before `to`. */
  readonly from?: string;
  /** RFC 3339, exclusive; default: now. */
  readonly to?: string;
  readonly window?: "minute" | "hour" | "day" | "month";
  /** Default: by meter. */
  readonly groupBy?: readonly UsageGroup[];
  readonly meter?: string;
}

/** What the events wanted have in common. */
export interface UsageEventOptions extends ListOptions {
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly to?: string;
  readonly meter?: string;
  readonly requestId?: string;
  readonly keyId?: string;
  readonly run?: string;
  readonly deployment?: string;
  readonly model?: string;
  readonly dataset?: string;
}

/** The ledger: what was used, and what it cost. */
export class Usage {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sums with exact amounts, and their total. */
  report(options: UsageOptions = {}): Promise<UsageReport> {
    const { signal, groupBy, ...query } = options;
    const path = "/api/usage";
    return this.#transport.json({ method: "GET", path, query: { ...query, group_by: groupBy?.join(",") }, signal });
  }

  /** The events themselves. */
  events(options: UsageEventOptions = {}): Listing<UsageEvent> {
    const { from, to, meter, requestId, keyId, run, deployment, model, dataset } = options;
    const names = { from, to, meter, request_id: requestId, key_id: keyId, run, deployment, model, dataset };
    return new Listing(this.#transport, "/api/usage/events", options, names);
  }
}

/** The price book. */
export class Prices {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Price> {
    return new Listing(this.#transport, "/api/prices", options);
  }

  /** Ends the price in force for the same meter, model and hardware, and begins a new one. */
  create(body: Pick<CreatePrice, "meter" | "amount"> & Partial<CreatePrice>, options?: CallOptions): Promise<Price> {
    return this.#transport.json({ method: "POST", path: "/api/prices", json: body, ...options });
  }
}
