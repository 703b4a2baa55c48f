/** @file Events that others send: CloudEvents 1.0 in and out, what was wrong with those set aside, corrections, export. */
import { z } from "zod";
import { listQuery, timestamp } from "./common.ts";
import { meterName } from "./custom-meters.ts";

/** Bounds of what is sent. */
export const eventLimits = {
  /** Events of one batch. */
  batch: 1000,
  /** Bytes of one request. */
  bodyBytes: 4 * 1024 * 1024,
  /** Characters of one event's JSON. */
  eventLength: 65_536,
  /** Levels of objects and lists in one event. */
  depth: 32,
  /** Characters of id, source and type. */
  attributeLength: 255,
  /** How far ahead of ours the sender's clock may be. */
  aheadMs: 5 * 60_000,
} as const;

/** Content types of the structured and of the batched mode; any other JSON with `ce-` headers is the binary mode. */
export const cloudEventTypes = {
  structured: "application/cloudevents+json",
  batch: "application/cloudevents-batch+json",
} as const;

/** A CloudEvent 1.0 in its JSON format; further attributes are extensions. */
export const cloudEvent = z.looseObject({
  specversion: z.literal("1.0"),
  /** Unique within its source. */
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  time: timestamp.optional(),
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  data: z.unknown().optional(),
});
export type CloudEvent = z.infer<typeof cloudEvent>;

/** Why an event was set aside. */
export const quarantineReasons = [
  "event.malformed",
  "source.reserved",
  "time.ahead",
  "time.too_old",
  "meter.unknown",
  "value.invalid",
  "dimension.invalid",
] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** What became of the events of one request. */
export const eventsTaken = z.object({
  object: z.literal("events.taken"),
  /** New, and on the ledger. */
  accepted: z.number().int(),
  /** On the ledger before, by source and id: nothing was changed. */
  duplicates: z.number().int(),
  /** Set aside: see `GET /api/quarantine`. */
  quarantined: z.array(
    z.object({
      /** Place in the batch, from 0. */
      index: z.number().int(),
      id: z.string(),
      code: z.enum(quarantineReasons),
      reason: z.string(),
    }),
  ),
});
export type EventsTaken = z.infer<typeof eventsTaken>;

/** `?` of the list of events; `after` is the `last_id` of the page before. */
export const eventsQuery = listQuery.extend({
  after: z.string().max(1200).optional(),
  /** Inclusive. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive. */
  to: z.iso.datetime({ offset: true }).optional(),
  source: z.string().max(255).optional(),
  type: z.string().max(255).optional(),
  subject: z.string().max(512).optional(),
  meter: meterName.optional(),
  id: z.string().max(255).optional(),
});
export type EventsQuery = z.infer<typeof eventsQuery>;

export const quarantineStates = ["waiting", "replayed", "discarded"] as const;

/** An event that was set aside. */
export const quarantinedEvent = z.object({
  id: z.string(),
  object: z.literal("quarantined_event"),
  status: z.enum(quarantineStates),
  code: z.enum(quarantineReasons),
  reason: z.string(),
  /** As it was sent. */
  event: z.unknown(),
  key_id: z.string().nullable(),
  received_at: timestamp,
  /** How often it was sent while it waited. */
  received: z.number().int(),
  resolved_at: timestamp.nullable(),
  /** Why it was discarded. */
  discard_reason: z.string().nullable(),
});
export type QuarantinedEvent = z.infer<typeof quarantinedEvent>;

export const quarantineQuery = listQuery.extend({
  status: z.enum(quarantineStates).default("waiting"),
  code: z.enum(quarantineReasons).optional(),
});
export type QuarantineQuery = z.infer<typeof quarantineQuery>;

/** `?` of a discard. */
export const discardQuery = z.strictObject({ reason: z.string().trim().min(1).max(500) });

/** Takes back what an event counted, or sets it right. */
export const createCorrection = z.strictObject({
  source: z.string().min(1).max(255),
  /** Of the event, as it was sent; of our own events, as `GET /api/usage/events` shows it. */
  id: z.string().min(1).max(320),
  /** Only what it counted for this meter; left out: for every meter. */
  meter: meterName.optional(),
  reason: z.string().trim().min(1).max(500),
  /** What is right; left out: nothing. Only where one meter counted the event. */
  quantity: z
    .string()
    .regex(/^\d{1,18}(\.\d{1,9})?$/, "expected a decimal number of at most 18 digits before and 9 after the point")
    .optional(),
});
export type CreateCorrection = z.infer<typeof createCorrection>;

export const correction = z.object({
  object: z.literal("correction"),
  corrects: z.object({ source: z.string(), id: z.string() }),
  reason: z.string(),
  /** What was added to the ledger. */
  entries: z.array(z.object({ id: z.string(), source: z.string(), meter: z.string(), quantity: z.string() })),
});
export type Correction = z.infer<typeof correction>;

export const exportFormats = ["csv", "jsonl", "parquet"] as const;

/** `?` of an export of the project's ledger. */
export const exportQuery = z.strictObject({
  format: z.enum(exportFormats).default("csv"),
  /** Inclusive; default: 30 days before `to`. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive; default: now. */
  to: z.iso.datetime({ offset: true }).optional(),
  meter: meterName.optional(),
});
export type ExportQuery = z.infer<typeof exportQuery>;
