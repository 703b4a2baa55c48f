/** @file Shapes that every resource shares. */
import { z } from "zod";
import { errorTable } from "../errors.ts";

/** Names of models, datasets and deployments; safe in URLs and file names. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    "expected 1 to 63 of a-z, 0-9, '.', '_', '-', beginning with a letter or digit",
  );

/** RFC 3339, UTC. */
export const timestamp = z.string().meta({ format: "date-time" });

/** An exact decimal as text: "0.000125". */
export const decimal = z
  .string()
  .regex(/^-?\d{1,20}(\.\d{1,20})?$/, 'expected a decimal number as text, such as "0.25"');

/** ISO 4217. */
export const currency = z.string().regex(/^[A-Z]{3}$/, "expected a currency code such as EUR");

/** Facts a user attaches to a resource. */
export const labels = z.record(z.string().max(64), z.string().max(512));

/** `?limit=&after=&order=` of every list. */
export const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().max(64).optional(),
  order: z.enum(["asc", "desc"]).default("desc"),
});
export type ListQuery = z.infer<typeof listQuery>;

/** A page of a list. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    object: z.literal("list"),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

/** A page of items. */
export interface Page<T> {
  readonly object: "list";
  readonly data: readonly T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** The body of every failure of `/api`. */
export const errorBody = z.object({
  error: z.object({
    code: z.enum(Object.keys(errorTable) as [string, ...string[]]),
    message: z.string(),
    help: z.string(),
    retryable: z.boolean(),
    request_id: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
});
export type ErrorBody = z.infer<typeof errorBody>;

/** `?` of a deletion's answer. */
export const deleted = z.object({ id: z.string(), object: z.string(), deleted: z.literal(true) });
export type Deleted = z.infer<typeof deleted>;
