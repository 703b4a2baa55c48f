import type { CreateMeter, MeterDefinition, MeterReport } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** A meter to be. */
export type NewMeter = Pick<CreateMeter, "name" | "event_type" | "aggregation"> & Partial<CreateMeter>;

/** Which values of a meter. */
export interface MeterQueryOptions extends CallOptions {
  /** RFC 3339, inclusive; default: 30 days before `to`. */
  readonly from?: string;
  /** RFC 3339, exclusive; default: now. */
  readonly to?: string;
  readonly window?: "minute" | "hour" | "day" | "month";
  /** Dimensions of the meter, and "key". */
  readonly groupBy?: readonly string[];
  /** Values of dimensions to narrow it to. */
  readonly filter?: Readonly<Record<string, string>>;
}

/** Meters: what counts which events, and how. */
export class Meters {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The project's own and those built in. */
  list(options?: ListOptions): Listing<MeterDefinition> {
    return new Listing(this.#transport, "/api/meters", options);
  }

  /** @param meter name or id. @throws GristmillError `meter.not_found`. */
  get(meter: string, options?: CallOptions): Promise<MeterDefinition> {
    return this.#transport.get(path`/api/meters/${meter}`, options);
  }

  /** @throws GristmillError `meter.name_taken`. */
  create(body: NewMeter, options?: PostOptions): Promise<MeterDefinition> {
    return this.#transport.post("/api/meters", body, options);
  }

  /** What it counted stays on the ledger. */
  delete(meter: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/meters/${meter}`, options);
  }

  /** What it measured, in windows and groups. */
  query(meter: string, options: MeterQueryOptions = {}): Promise<MeterReport> {
    const { from, to, window, groupBy, filter = {}, signal } = options;
    const filters = Object.fromEntries(Object.entries(filter).map(([name, value]) => [`filter.${name}`, value]));
    const query = { from, to, window, group_by: groupBy?.join(","), ...filters };
    return this.#transport.get(path`/api/meters/${meter}/query`, { signal }, query);
  }
}
