/** @file What answers are held to, in llama.cpp's notation of grammars (GBNF). */
import type { Constraint } from "../language/request.ts";
import { GrammarBuilder } from "./grammar-builder.ts";
import { SchemaGrammar } from "./schema-grammar.ts";

/**
 * The grammar of a constraint.
 * @param field what errors call it.
 * @throws EngineRequestError for a schema beyond what README.md lists, by the place of what is refused.
 */
export function grammarOf(constraint: Constraint, field = "constraint"): string {
  if (constraint.type === "grammar") return constraint.grammar;
  const builder = new GrammarBuilder(`${field}.schema`);
  const schema = constraint.type === "json" ? undefined : constraint.schema;
  const grammar = new SchemaGrammar(builder, schema);
  return builder.print(constraint.type === "json" ? grammar.anyObject() : grammar.values(schema, `${field}.schema`));
}
