import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import {
  type AuditAction,
  type AuditEntry,
  type AuditOutcome,
  type AuditVerification,
  type ChainPosition,
  type ChainReport,
  type DeniedAccess,
  verifyAuditLog,
} from "@gristmill/contract";
import { download } from "../http/download.ts";
import { readLines } from "../http/lines.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, Transport } from "../http/transport.ts";

/** What the entries wanted have in common. */
export interface AuditLogOptions extends ListOptions {
  readonly action?: AuditAction;
  readonly outcome?: AuditOutcome;
  readonly projectId?: string;
  readonly actorId?: string;
  readonly targetId?: string;
  readonly requestId?: string;
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly to?: string;
}

/** Which entries to export. */
export interface AuditExportOptions extends CallOptions {
  /** Number of the last entry that is there already; default 0: all. */
  readonly afterNumber?: number;
}

/** The audit log: every change, who made it and how it ended. */
export class AuditLog {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: AuditLogOptions = {}): Listing<AuditEntry> {
    const { action, outcome, projectId, actorId, targetId, requestId, from, to } = options;
    const names = { project_id: projectId, actor_id: actorId, target_id: targetId, request_id: requestId };
    return new Listing(this.#transport, "/api/audit-log", options, { action, outcome, ...names, from, to });
  }

  /** The whole log as lines of JSON, in the order of its numbers. */
  export(options: AuditExportOptions = {}): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { afterNumber, signal } = options;
    return this.#transport.stream({
      method: "GET",
      path: "/api/audit-log/export",
      query: { after_number: afterNumber },
      headers: { accept: "*/*" },
      signal,
    });
  }

  /** The same as a file, which appears only when it is whole. */
  download(file: string, options: AuditExportOptions = {}): Promise<void> {
    return download(() => this.export(options), file, options);
  }

  /** Has the server recompute the chain. @param kept an entry that was kept outside, which must be in it. */
  verify(kept?: ChainPosition, options?: CallOptions): Promise<AuditVerification> {
    const query = kept === undefined ? {} : { number: kept.number, hash: kept.hash };
    return this.#transport.get("/api/audit-log/verification", options, query);
  }
}

/** Where an export's chain must begin and end; what is left out is not checked. */
export interface ExportBounds {
  readonly from?: ChainPosition;
  readonly until?: ChainPosition;
}

/**
 * Recomputes the chain of an export on this machine: needs no server, and trusts none.
 * @param source a file's path, or the stream that `AuditLog.export` gives.
 */
export function verifyAuditExport(
  source: string | ReadableStream<Uint8Array<ArrayBuffer>>,
  bounds: ExportBounds = {},
): Promise<ChainReport> {
  const stream = typeof source === "string" ? createReadStream(source) : Readable.fromWeb(source);
  return verifyAuditLog(parsed(readLines(stream)), bounds);
}

async function* parsed(lines: AsyncIterable<string>): AsyncIterable<unknown> {
  for await (const line of lines) {
    try {
      yield JSON.parse(line);
    } catch {
      // What is no JSON is no entry: the check says at which number.
      yield undefined;
    }
  }
}

/** What the denied accesses wanted have in common. */
export interface DeniedAccessOptions extends ListOptions {
  readonly code?: string;
  readonly actorId?: string;
  readonly address?: string;
  /** RFC 3339, inclusive. */
  readonly from?: string;
  /** RFC 3339, exclusive. */
  readonly to?: string;
}

/** Accesses that were denied, counted by caller, route, reason and minute. */
export class DeniedAccesses {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: DeniedAccessOptions = {}): Listing<DeniedAccess> {
    const { code, actorId, address, from, to } = options;
    return new Listing(this.#transport, "/api/denied-accesses", options, {
      code,
      actor_id: actorId,
      address,
      from,
      to,
    });
  }
}
