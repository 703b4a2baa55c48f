/** @file Usage: what was used, what it cost. */
import { z } from "zod";
import { currency, decimal, listQuery, timestamp } from "./common.ts";
import { meterName } from "./custom-meters.ts";
import { pricedMeter } from "./prices.ts";

export const usageGroups = [
  "meter",
  "model",
  "deployment",
  "key",
  "run",
  "dataset",
  "hardware",
  "user",
  "project",
  "service",
] as const;
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
  meter: pricedMeter.optional(),
});
export type UsageQuery = z.infer<typeof usageQuery>;

/** `?` of an organization's report. */
export const organizationUsageQuery = usageQuery.extend({
  /** The id of one project; default: all of the organization, those archived too. */
  project: z.string().max(64).optional(),
});
export type OrganizationUsageQuery = z.infer<typeof organizationUsageQuery>;

export const usageRow = z.object({
  window_start: timestamp,
  window_end: timestamp,
  meter: z.string(),
  unit: z.string(),
  group: z.record(z.string(), z.string().nullable()),
  events: z.number().int(),
  quantity: decimal,
  /**
   * Exact, unrounded; null when any of the row's events has no price in force. Of a charge that depends on the month's sum
   * (tiers, packages, free use, minimum, maximum): what the window added to it, shared by quantity.
   */
  amount: decimal.nullable(),
  /** The prices that made the amount. */
  price_ids: z.array(z.string()),
  unpriced_events: z.number().int(),
});
export type UsageRow = z.infer<typeof usageRow>;

/** What one project's use came to by one price in one calendar month, or in the part of it that the report spans. */
export const usageLine = z.object({
  project_id: z.string(),
  meter: z.string(),
  unit: z.string(),
  /** null: these events have no price in force. */
  price_id: z.string().nullable(),
  period_start: timestamp,
  period_end: timestamp,
  events: z.number().int(),
  quantity: decimal,
  /** Exact; null: unknown. */
  amount: decimal.nullable(),
  /** The amount rounded half-even to the currency's minor unit, once: as an invoice says it. */
  rounded_amount: decimal.nullable(),
});
export type UsageLine = z.infer<typeof usageLine>;

export const usageReport = z.object({
  object: z.literal("usage"),
  from: timestamp,
  to: timestamp,
  currency,
  data: z.array(usageRow),
  /** By project, month, meter and price, whatever the windows and groups: line -> `/api/usage/events` -> price. */
  lines: z.array(usageLine),
  /** Sum over all events that have a price, rounded half-even to the currency's minor unit once. */
  total: decimal,
  /** The same sum before rounding. */
  exact_total: decimal,
  /** Sum of the lines' rounded amounts: what an invoice with these lines comes to. */
  lines_total: decimal,
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
  /** By which price it is rated; null: none was in force. */
  price_id: z.string().nullable(),
  dimensions: z.record(z.string(), z.string()),
});
export type UsageEvent = z.infer<typeof usageEvent>;

/** `?` of the list of events: a page, and what its events have in common. `after` is the `last_id` of the page before. */
export const usageEventsQuery = listQuery.extend({
  after: z.string().max(600).optional(),
  /** Inclusive. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive. */
  to: z.iso.datetime({ offset: true }).optional(),
  meter: meterName.optional(),
  source: z.string().max(255).optional(),
  request_id: z.string().max(64).optional(),
  key_id: z.string().max(64).optional(),
  price_id: z.string().max(64).optional(),
  run: z.string().max(512).optional(),
  deployment: z.string().max(512).optional(),
  model: z.string().max(512).optional(),
  dataset: z.string().max(512).optional(),
});
export type UsageEventsQuery = z.infer<typeof usageEventsQuery>;
