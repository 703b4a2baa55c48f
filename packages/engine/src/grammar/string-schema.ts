/** @file What a schema says of strings. */
import { EngineRequestError } from "../errors.ts";
import { countOf } from "./counts.ts";
import { type Expression, sequence, text } from "./expression.ts";
import type { GrammarBuilder } from "./grammar-builder.ts";
import type { PlainSchema } from "./plain-schema.ts";

/** Strings of a schema; undefined where there are none. @throws EngineRequestError for what isn't supported. */
export function stringExpression(
  schema: PlainSchema,
  field: string,
  builder: GrammarBuilder,
  character: Expression,
): Expression | undefined {
  const least = countOf(schema, "minLength", field) ?? 0;
  const most = countOf(schema, "maxLength", field) ?? Number.POSITIVE_INFINITY;
  if (least > most) return undefined;
  for (const key of ["pattern", "format"])
    if (key in schema)
      throw new EngineRequestError(`${field}.${key}`, "this keyword of JSON Schema isn't supported: leave it out");
  return sequence(text('"'), builder.repeated(character, least, most), text('"'));
}
