/** @file How a request of OpenAI's says what becomes of each of its fields: one source for the check, the document and the table. */
import { z } from "zod";

/** What becomes of a field: it works; it is taken and changes nothing; it is refused by its name. */
export type FieldSupport = "supported" | "accepted" | "refused";

/** The keys that a field's `meta` has, as the OpenAPI document shows them. */
export interface FieldMeta {
  readonly "x-support": FieldSupport;
  readonly description: string;
}

const described = <T extends z.ZodType>(schema: T, support: FieldSupport, description: string) =>
  schema.meta({ "x-support": support, description });

/** A field that works; null is the same as leaving it out, as in all of OpenAI's API. */
export const supported = <T extends z.ZodType>(schema: T, description: string) =>
  described(schema.nullish(), "supported", description);

/** A field that must be there. */
export const required = <T extends z.ZodType>(schema: T, description: string) =>
  described(schema, "supported", description);

/** A field that changes nothing here and harms nobody who sends it. */
export const accepted = <T extends z.ZodType>(schema: T, description: string) =>
  described(schema.nullish(), "accepted", description);

/**
 * A field that is refused by name, because an answer without it would not be what was asked for. Values that ask for
 * nothing are taken.
 * @param harmless null is always among them.
 */
export const refused = (reason: string, harmless: readonly unknown[] = []) =>
  described(
    z.unknown().superRefine((value, { addIssue }) => {
      if (value === undefined || value === null || harmless.some((one) => isSame(one, value))) return;
      addIssue({ code: "custom", message: `not supported: ${reason}`, params: { code: "unsupported_parameter" } });
    }),
    "refused",
    reason,
  ).optional();

const isSame = (one: unknown, other: unknown): boolean =>
  one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));

/** One line of the table of fields. */
export interface FieldLine {
  readonly name: string;
  readonly support: FieldSupport;
  readonly description: string;
}

/** The fields of a request, in their order. A field that says nothing of itself is a fault of ours. */
export function fieldLines(schema: z.ZodObject): readonly FieldLine[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const meta = metaOf(field as z.ZodType);
    if (meta === undefined) throw new Error(`the field ${name} does not say what becomes of it`);
    return { name, support: meta["x-support"], description: meta.description };
  });
}

function metaOf(field: z.ZodType): FieldMeta | undefined {
  const own = z.globalRegistry.get(field);
  if (own?.["x-support"] !== undefined) return own as unknown as FieldMeta;
  return field instanceof z.ZodOptional ? metaOf(field.unwrap() as z.ZodType) : undefined;
}
