/** @file What a schema says of strings. */
import { EngineRequestError } from "../errors.ts";
import { countOf } from "./counts.ts";
import { type Expression, sequence, text } from "./expression.ts";
import { formatPatterns } from "./formats.ts";
import type { GrammarBuilder } from "./grammar-builder.ts";
import { type Pattern, readPattern } from "./pattern.ts";
import { patternExpression } from "./pattern-grammar.ts";
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
  // Formats come again and again within a schema, and their automata have thousands of states.
  const key = JSON.stringify({ pattern: schema["pattern"], format: schema["format"], least, most });
  return builder.once(`string ${key}`, () => {
    const patterns = [...patternOf(schema, field), ...formatOf(schema, field)];
    if (patterns.length === 0) return sequence(text('"'), builder.repeated(character, least, most), text('"'));
    const rest = patternExpression(patterns, { least, most }, field, builder);
    return rest && sequence(text('"'), rest);
  });
}

function patternOf({ pattern }: PlainSchema, field: string): readonly Pattern[] {
  if (pattern === undefined) return [];
  if (typeof pattern === "string") return [readPattern(pattern, `${field}.pattern`)];
  throw new EngineRequestError(
    `${field}.pattern`,
    `expected a regular expression, received ${JSON.stringify(pattern)}`,
  );
}

function formatOf({ format }: PlainSchema, field: string): readonly Pattern[] {
  if (format === undefined) return [];
  const pattern =
    typeof format === "string" && Object.hasOwn(formatPatterns, format) ? formatPatterns[format] : undefined;
  if (pattern !== undefined) return [readPattern(`^(?:${pattern})$`, `${field}.format`)];
  const known = Object.keys(formatPatterns).join(", ");
  throw new EngineRequestError(`${field}.format`, `expected one of ${known}, received ${JSON.stringify(format)}`);
}
