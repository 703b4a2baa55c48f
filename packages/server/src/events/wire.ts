/** @file The ledger's records as CloudEvents, and places in their list. Pure. */
import { AppError, type CloudEvent } from "@gristmill/contract";
import { ownSource } from "../metering/index.ts";
import { eventIdOf } from "./counting.ts";
import type { EventPlace, LedgerRow } from "./event-store.ts";

/** An event of others as it was sent; one of ours as a CloudEvent of the type `gristmill.<meter>`. */
export function toCloudEvent(row: LedgerRow): CloudEvent {
  if (row.original !== null) return JSON.parse(row.original) as CloudEvent;
  return {
    specversion: "1.0",
    id: eventIdOf(row.id),
    source: row.source,
    type: `${ownSource}.${row.meter}`,
    time: row.time.toISOString(),
    datacontenttype: "application/json",
    data: {
      meter: row.meter,
      quantity: row.quantity,
      admitted_at: row.admitted_at.toISOString(),
      request_id: row.request_id,
      key_id: row.key_id,
      dimensions: { ...row.dimensions },
    },
  };
}

/** A place as text: opaque to callers. */
export const toCursor = ({ time, id, source }: EventPlace): string =>
  Buffer.from(JSON.stringify([time.getTime(), id, source])).toString("base64url");

/** @throws AppError `request.invalid` when it is no place. */
export function fromCursor(text: string): EventPlace {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(place)) {
      const [time, id, source]: unknown[] = place;
      const at = new Date(typeof time === "number" ? time : Number.NaN);
      const isPlain = (part: unknown): part is string =>
        typeof part === "string" && part.isWellFormed() && !part.includes("\0");
      if (!Number.isNaN(at.getTime()) && at.getUTCFullYear() < 10_000 && isPlain(id) && isPlain(source))
        return { time: at, id, source };
    }
  } catch {
    // Told below: it is no JSON.
  }
  throw new AppError("request.invalid", "after: expected the last_id of a page of events.");
}
