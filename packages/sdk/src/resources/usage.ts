import type { UsageEvent, UsageGroup, UsageReport } from "@gristmill/contract";
import { download } from "../http/download.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, Query, Transport } from "../http/transport.ts";

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

/** A report's query string. */
export const usageQueryOf = ({ from, to, window, groupBy, meter }: UsageOptions): Query => ({
  from,
  to,
  window,
  meter,
  group_by: groupBy?.join(","),
});

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

/** Forms of an export. */
export const usageFormats = ["csv", "jsonl", "parquet"] as const;
/** A form of an export. */
export type UsageFormat = (typeof usageFormats)[number];

/** Which events to export. */
export interface UsageExportOptions extends CallOptions {
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly to?: string;
}

/** The ledger: what was used, and what it cost. */
export class Usage {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sums with exact amounts, and their total. `Organizations.usage` has those of all projects. */
  report(options: UsageOptions = {}): Promise<UsageReport> {
    return this.#transport.get("/api/usage", { signal: options.signal }, usageQueryOf(options));
  }

  /** The events themselves. */
  events(options: UsageEventOptions = {}): Listing<UsageEvent> {
    const { from, to, meter, requestId, keyId, run, deployment, model, dataset } = options;
    const names = { from, to, meter, request_id: requestId, key_id: keyId, run, deployment, model, dataset };
    return new Listing(this.#transport, "/api/usage/events", options, names);
  }

  /** All events of a span as they come, however many. */
  export(format: UsageFormat, options: UsageExportOptions = {}): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { from, to, signal } = options;
    return this.#transport.stream({
      method: "GET",
      path: "/api/usage/export",
      query: { format, from, to },
      headers: { accept: "*/*" },
      signal,
    });
  }

  /** The same as a file, which appears only when it is whole. */
  download(format: UsageFormat, file: string, options: UsageExportOptions = {}): Promise<void> {
    return download(() => this.export(format, options), file, options);
  }
}
