import {
  type CloudEvent,
  type Correction,
  type CreateCorrection,
  cloudEventTypes,
  type EventsTaken,
  eventLimits,
  type QuarantinedEvent,
  type QuarantineReason,
} from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** An event to be: `specversion` is filled in. Its source and id are yours, and name it for ever. */
export type NewEvent = Pick<CloudEvent, "id" | "source" | "type"> &
  Partial<Pick<CloudEvent, "subject" | "time" | "datacontenttype" | "dataschema" | "data">>;

/** What the events wanted have in common. */
export interface EventListOptions extends ListOptions {
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly to?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly meter?: string;
  readonly id?: string;
}

/** Events that others send: CloudEvents in and out. */
export class Events {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The project's events as CloudEvents, ours too. */
  list(options: EventListOptions = {}): Listing<CloudEvent> {
    const { from, to, source, type, subject, meter, id } = options;
    return new Listing(this.#transport, "/api/events", options, { from, to, source, type, subject, meter, id });
  }

  /** Sends one event; sent again, by whomever, it counts once. */
  async send(event: NewEvent, options?: PostOptions): Promise<EventsTaken> {
    return this.#post(cloudEventTypes.structured, { specversion: "1.0", ...event }, options);
  }

  /**
   * Sends many, in batches as large as the server takes; batches that were taken stay so when a later one fails, and all
   * may be sent again. `index` in the answer counts over all events.
   */
  async sendBatch(
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options: CallOptions & { readonly onBatch?: (taken: EventsTaken) => void } = {},
  ): Promise<EventsTaken> {
    const { signal, onBatch } = options;
    let sent = 0;
    const sum = { accepted: 0, duplicates: 0, quarantined: [] as EventsTaken["quarantined"][number][] };
    for await (const batch of batchesOf(events)) {
      const taken = await this.#post(cloudEventTypes.batch, batch, { signal });
      const start = sent;
      sent += batch.length;
      sum.accepted += taken.accepted;
      sum.duplicates += taken.duplicates;
      sum.quarantined.push(...taken.quarantined.map((one) => ({ ...one, index: one.index + start })));
      onBatch?.({ object: "events.taken", ...sum });
    }
    return { object: "events.taken", ...sum };
  }

  #post(type: string, body: unknown, options?: PostOptions): Promise<EventsTaken> {
    const headers = { "content-type": type };
    return this.#transport.json({ method: "POST", path: "/api/events", json: body, headers, ...options });
  }
}

/** Cuts by number and by size: the server bounds both. */
async function* batchesOf(events: Iterable<NewEvent> | AsyncIterable<NewEvent>): AsyncGenerator<readonly object[]> {
  const encoder = new TextEncoder();
  let batch: object[] = [];
  let bytes = 0;
  for await (const event of events) {
    const whole = { specversion: "1.0", ...event };
    const size = encoder.encode(JSON.stringify(whole)).length + 1;
    if (batch.length === eventLimits.batch || (batch.length > 0 && bytes + size > eventLimits.bodyBytes - 2)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(whole);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Events that were set aside, with the reason. */
export class Quarantine {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Those that wait, unless another status is asked for. */
  list(
    options: ListOptions & { readonly status?: QuarantinedEvent["status"]; readonly code?: QuarantineReason } = {},
  ): Listing<QuarantinedEvent> {
    const { status, code } = options;
    return new Listing(this.#transport, "/api/quarantine", options, { status, code });
  }

  get(event: string, options?: CallOptions): Promise<QuarantinedEvent> {
    return this.#transport.get(path`/api/quarantine/${event}`, options);
  }

  /** Tries it again, when its meter has been mended. */
  replay(event: string, options?: PostOptions): Promise<QuarantinedEvent> {
    return this.#transport.post(path`/api/quarantine/${event}/replay`, undefined, options);
  }

  /** Gives it up. @param reason kept with it, for whoever asks why. */
  async discard(event: string, reason: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({
      method: "DELETE",
      path: path`/api/quarantine/${event}`,
      query: { reason },
      ...options,
    });
  }
}

/** Corrections: opposite entries of the ledger; the original stays. */
export class Corrections {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Takes back what an event counted, or sets its quantity right; once. */
  create(body: CreateCorrection, options?: PostOptions): Promise<Correction> {
    return this.#transport.post("/api/corrections", body, options);
  }
}
