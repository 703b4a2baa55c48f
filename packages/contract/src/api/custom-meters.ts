/** @file Meters: what counts which events, and how; and the answer to "how much". */
import { z } from "zod";
import { decimal, listQuery, timestamp } from "./common.ts";

/** How a meter makes one number of many events. */
export const aggregations = ["sum", "count", "unique_count", "max", "latest", "time_weighted"] as const;
export type Aggregation = (typeof aggregations)[number];

/** Sizes of windows; they begin at whole units of UTC. */
export const windowUnits = ["minute", "hour", "day", "month"] as const;

/** A meter's name, built in or a project's own. */
export const meterName = z
  .string()
  .max(64)
  .regex(
    /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/,
    'expected words of a-z, 0-9 and "_" joined by ".", such as "storage.gigabytes"',
  );

/** A dimension's name. */
export const dimensionName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, "expected 1 to 63 of a-z, 0-9 and '_', beginning with a letter");

/** Where in an event a value stands: `$.a.b` in its data, or `subject`. */
export const eventPointer = z
  .string()
  .regex(
    /^(subject|\$(\.[A-Za-z0-9_-]{1,64}){1,8})$/,
    'expected "$.name" or "$.outer.inner" (at most 8 deep) of the event\'s data, or "subject"',
  );

export const meterDefinition = z.object({
  /** "mtr_…"; of a built-in meter, its name. */
  id: z.string(),
  object: z.literal("meter"),
  name: z.string(),
  /** Our own work is counted by built-in meters; a project's own count the events that it sends. */
  built_in: z.boolean(),
  /** The CloudEvents type that it counts; null: built in. */
  event_type: z.string().nullable(),
  aggregation: z.enum(aggregations),
  /** Where the value stands; null: built in, or a count. */
  value_property: z.string().nullable(),
  unit: z.string(),
  /** Name to pointer; of a built-in meter, the name alone. */
  dimensions: z.record(z.string(), z.string()),
  created_at: timestamp.nullable(),
});
export type MeterDefinition = z.infer<typeof meterDefinition>;

export const createMeter = z
  .strictObject({
    name: meterName,
    event_type: z.string().min(1).max(255),
    aggregation: z.enum(aggregations),
    value_property: eventPointer.nullable().default(null),
    unit: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 _./%-]{0,31}$/, "expected 1 to 32 letters, digits or . / _ % - and spaces")
      .default("unit"),
    dimensions: z
      .record(dimensionName, eventPointer)
      .refine((all) => Object.keys(all).length <= 8, "expected at most 8 dimensions")
      .default({}),
  })
  .refine(({ aggregation, value_property }) => (aggregation === "count") === (value_property === null), {
    path: ["value_property"],
    message: 'expected a pointer such as "$.tokens", and none for a count',
  });
export type CreateMeter = z.infer<typeof createMeter>;

/** `?` of a meter's query, and `filter.<dimension>=value` for each dimension to narrow it to. */
export const meterQuery = z
  .object({
    /** Inclusive; default: 30 days before `to`. */
    from: z.iso.datetime({ offset: true }).optional(),
    /** Exclusive; default: now. */
    to: z.iso.datetime({ offset: true }).optional(),
    /** Size of each row's window; without it one window, from `from` to `to`. */
    window: z.enum(windowUnits).optional(),
    /** Comma-separated: dimensions of the meter, and `key`. */
    group_by: z
      .string()
      .max(600)
      .default("")
      .transform((text) => text.split(",").filter((part) => part !== "")),
  })
  .catchall(z.string().max(512));
export type MeterQuery = z.infer<typeof meterQuery>;

export const meterRow = z.object({
  window_start: timestamp,
  window_end: timestamp,
  group: z.record(z.string(), z.string().nullable()),
  /** How many entries of the ledger stand behind it, corrections included. */
  events: z.number().int(),
  value: decimal,
});
export type MeterRow = z.infer<typeof meterRow>;

export const meterReport = z.object({
  object: z.literal("meter.report"),
  meter: z.string(),
  aggregation: z.enum(aggregations),
  unit: z.string(),
  from: timestamp,
  to: timestamp,
  data: z.array(meterRow),
});
export type MeterReport = z.infer<typeof meterReport>;

/** `?` of the list of meters. */
export const metersQuery = listQuery;
