/** @file Usage and prices: what was used, what it cost. */
import { z } from "zod";
import { currency, decimal, listQuery, timestamp } from "./common.ts";

/** Every meter, its unit, and what it counts. One table: events of any other name are refused. */
export const meters = {
  "data.bytes_processed": { unit: "byte", title: "Data processing", counts: "bytes read and validated by an import" },
  "training.seconds": {
    unit: "second",
    title: "Training",
    counts: "seconds that a training worker ran, by hardware class",
  },
  "deployment.replica_seconds": {
    unit: "second",
    title: "Deployment",
    counts: "seconds that a replica was ready, by hardware class",
  },
  "service.requests": { unit: "request", title: "Service access", counts: "answered inference requests" },
  "service.images": { unit: "image", title: "Images", counts: "images or rows that a model worked on" },
} as const;

/** A thing that is counted. */
export type Meter = keyof typeof meters;

export const meterNames = Object.keys(meters) as [Meter, ...Meter[]];

export const usageGroups = ["meter", "model", "deployment", "key", "run", "dataset", "hardware"] as const;
export type UsageGroup = (typeof usageGroups)[number];

export const usageQuery = z.strictObject({
  /** Inclusive; default: 30 days before `to`. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive; default: now. */
  to: z.iso.datetime({ offset: true }).optional(),
  /** Size of each row's window; without it one window, from `from` to `to`. */
  window: z.enum(["minute", "hour", "day", "month"]).optional(),
  /** Comma-separated. */
  group_by: z
    .string()
    .default("meter")
    .transform((text) => text.split(",").filter((part) => part !== ""))
    .pipe(z.array(z.enum(usageGroups)).max(usageGroups.length)),
  meter: z.enum(meterNames).optional(),
});
export type UsageQuery = z.infer<typeof usageQuery>;

export const usageRow = z.object({
  window_start: timestamp,
  window_end: timestamp,
  meter: z.string(),
  unit: z.string(),
  group: z.record(z.string(), z.string().nullable()),
  events: z.number().int(),
  quantity: decimal,
  /** Exact, unrounded; null when any of the row's events has no price in force. */
  amount: decimal.nullable(),
  unpriced_events: z.number().int(),
});
export type UsageRow = z.infer<typeof usageRow>;

export const usageReport = z.object({
  object: z.literal("usage"),
  from: timestamp,
  to: timestamp,
  currency,
  data: z.array(usageRow),
  /** Sum over all events that have a price, rounded half-even to the currency's minor unit once. */
  total: decimal,
  /** The same sum before rounding. */
  exact_total: decimal,
  unpriced_events: z.number().int(),
});
export type UsageReport = z.infer<typeof usageReport>;

export const usageEvent = z.object({
  id: z.string(),
  object: z.literal("usage.event"),
  project_id: z.string(),
  source: z.string(),
  meter: z.string(),
  quantity: decimal,
  /** When it happened; `admitted_at` decides the price. */
  time: timestamp,
  admitted_at: timestamp,
  request_id: z.string().nullable(),
  key_id: z.string().nullable(),
  dimensions: z.record(z.string(), z.string()),
});
export type UsageEvent = z.infer<typeof usageEvent>;

/** `?` of the list of events: a page, and what its events have in common. */
export const usageEventsQuery = listQuery.extend({
  after: z.string().max(200).optional(),
  /** Inclusive. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive. */
  to: z.iso.datetime({ offset: true }).optional(),
  meter: z.enum(meterNames).optional(),
  request_id: z.string().max(64).optional(),
  key_id: z.string().max(64).optional(),
  run: z.string().max(512).optional(),
  deployment: z.string().max(512).optional(),
  model: z.string().max(512).optional(),
  dataset: z.string().max(512).optional(),
});
export type UsageEventsQuery = z.infer<typeof usageEventsQuery>;

export const price = z.object({
  id: z.string(),
  object: z.literal("price"),
  meter: z.enum(meterNames),
  /** null: every model without a price of its own. */
  model: z.string().nullable(),
  /** null: every hardware class without a price of its own. */
  hardware: z.string().nullable(),
  /** For one unit of the meter. */
  amount: decimal,
  currency,
  effective_from: timestamp,
  effective_to: timestamp.nullable(),
});
export type Price = z.infer<typeof price>;

export const createPrice = z.strictObject({
  meter: z.enum(meterNames),
  model: z.string().max(80).nullable().default(null),
  hardware: z.string().max(80).nullable().default(null),
  amount: z
    .string()
    .regex(
      /^\d{1,9}(\.\d{1,11})?$/,
      'expected an amount of at most 9 digits before and 11 after the point, such as "0.25"',
    ),
  /** Default: now. Neither in the past nor at or before the start of the last price of the same meter, model and hardware. */
  effective_from: z.iso.datetime({ offset: true }).optional(),
});
export type CreatePrice = z.infer<typeof createPrice>;
