import type { CreateLimit, Limit, LimitMetric, LimitSubject, UpdateLimit } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** Whose limits, of what. */
export interface LimitListOptions extends ListOptions {
  readonly subjectType?: LimitSubject["type"];
  readonly subjectId?: string;
  readonly metric?: LimitMetric;
}

/** Limits: requests and tokens a minute, requests at once. A refused call is repeated when its limit has room again. */
export class Limits {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: LimitListOptions = {}): Listing<Limit> {
    const { subjectType, subjectId, metric } = options;
    const filter = { subject_type: subjectType, subject_id: subjectId, metric };
    return new Listing(this.#transport, "/api/limits", options, filter);
  }

  /** One of each metric for a subject. @throws GristmillError `limit.exists`. */
  create(body: CreateLimit, options?: PostOptions): Promise<Limit> {
    return this.#transport.post("/api/limits", body, options);
  }

  /** Holds for every request that is admitted after the answer. @throws GristmillError `limit.not_found`. */
  update(limit: string, body: UpdateLimit, options?: CallOptions): Promise<Limit> {
    return this.#transport.patch(path`/api/limits/${limit}`, body, options);
  }

  delete(limit: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/limits/${limit}`, options);
  }
}
