/** @file JSON Schema as a grammar. README.md says which part of it; the rest is refused by name, never passed over. */
import { EngineRequestError } from "../errors.ts";
import { countOf } from "./counts.ts";
import { choice, type Expression, empty, optional, repeat, sequence, text } from "./expression.ts";
import { type GrammarBuilder, jsonText } from "./grammar-builder.ts";
import { anyNumber, type Bound, integersBetween, numbersBetween } from "./numbers.ts";
import {
  alternatives,
  checkDisjoint,
  constants,
  keywords,
  keywordsOf,
  type PlainSchema,
  resolve,
  typeOf,
  typesOf,
} from "./plain-schema.ts";
import { stringExpression } from "./string-schema.ts";
import { stringCharacter } from "./strings.ts";

const maxDepth = 100;
/** Schemas of one document, as often as they are read. */
const maxSchemas = 20_000;
const maxConstants = 2000;

const space = optional(text(" "));
const comma = sequence(text(","), space);
const colon = sequence(text(":"), space);

/** Makes grammars of the schemas of one document. */
export class SchemaGrammar {
  readonly #builder: GrammarBuilder;
  readonly #root: unknown;
  /** What each schema became, or the name that it will have. */
  readonly #read = new Map<object, { expression?: Expression | undefined; name?: string }>();
  #schemas = 0;

  /** @param root the document that references are places of. */
  constructor(builder: GrammarBuilder, root: unknown) {
    this.#builder = builder;
    this.#root = root;
  }

  /** Values of a schema. @throws EngineRequestError where there are none, or for what isn't supported. */
  values(schema: unknown, field: string): Expression {
    const found = this.#values(schema, field, 0);
    if (found === undefined) throw new EngineRequestError(field, "expected a schema that a value can satisfy");
    return found;
  }

  /** Any value. */
  any(): Expression {
    return this.#builder.shared("value", () =>
      choice(this.anyObject(), this.#anyArray(), this.#string(), anyNumber, text("true"), text("false"), text("null")),
    );
  }

  /** Any object. */
  anyObject(): Expression {
    return this.#builder.shared("object", () => {
      const member = sequence(this.#string(), colon, this.any());
      return sequence(text("{"), optional(sequence(member, repeat(sequence(comma, member), 0, Infinity))), text("}"));
    });
  }

  #anyArray(): Expression {
    return this.#builder.shared("array", () => {
      const items = sequence(this.any(), repeat(sequence(comma, this.any()), 0, Infinity));
      return sequence(text("["), optional(items), text("]"));
    });
  }

  #string(): Expression {
    return this.#builder.shared("string", () => sequence(text('"'), repeat(this.#character(), 0, Infinity), text('"')));
  }

  #character(): Expression {
    return this.#builder.shared("character", () => stringCharacter);
  }

  /** Values of a schema; undefined where there are none. */
  #values(schema: unknown, field: string, depth: number): Expression | undefined {
    if (depth > maxDepth) throw new EngineRequestError(field, `expected at most ${maxDepth} levels, received more`);
    if (++this.#schemas > maxSchemas)
      throw new EngineRequestError(field, `expected at most ${maxSchemas} schemas, received more`);
    if (schema === null || typeof schema !== "object" || Array.isArray(schema)) {
      if (schema === true) return this.any();
      if (schema === false) return undefined;
      throw new EngineRequestError(field, `expected a schema, received ${JSON.stringify(schema)}`);
    }
    const before = this.#read.get(schema);
    if (before !== undefined) {
      if ("expression" in before) return before.expression;
      before.name ??= this.#builder.newName("schema"); // It is within itself.
      return { kind: "rule", name: before.name };
    }
    const reading: { expression?: Expression | undefined; name?: string } = {};
    this.#read.set(schema, reading);
    const found = this.#union(schema, field, depth);
    const isLeaf = found === undefined || ["text", "class", "rule"].includes(found.kind);
    if (found !== undefined && (reading.name !== undefined || !isLeaf)) {
      reading.name ??= this.#builder.newName("schema");
      reading.expression = this.#builder.define(reading.name, found);
    } else if (found === undefined && reading.name !== undefined)
      throw new EngineRequestError(field, "expected a schema that a value can satisfy");
    else reading.expression = found;
    return reading.expression;
  }

  #union(schema: object, field: string, depth: number): Expression | undefined {
    const said = keywords(schema, field);
    const [only, ...others] = Object.keys(said);
    if (only !== undefined && others.length === 0) {
      const value = said[only];
      if (only === "$ref") return this.#values(resolve(this.#root, value, field), field, depth + 1);
      if ((only === "anyOf" || only === "oneOf") && Array.isArray(value)) {
        if (only === "oneOf")
          checkDisjoint(
            value.map((sub, i) => alternatives(sub, this.#root, `${field}.oneOf[${i}]`)),
            `${field}.oneOf`,
          );
        return either(value.map((sub, i) => this.#values(sub, `${field}.${only}[${i}]`, depth + 1)));
      }
    }
    return either(alternatives(schema, this.#root, field).map((plain) => this.#plain(plain, field, depth)));
  }

  #plain(schema: PlainSchema, field: string, depth: number): Expression | undefined {
    const types = typesOf(schema);
    const listed = constants(schema);
    if ("enum" in schema && !Array.isArray(schema["enum"]))
      throw new EngineRequestError(`${field}.enum`, `expected a list, received ${typeOf(schema["enum"])}`);
    if (listed !== undefined) {
      const beside = Object.keys(schema).find((key) => !["enum", "const", "type"].includes(key));
      if (beside !== undefined)
        throw new EngineRequestError(
          `${field}.${beside}`,
          "can't be combined with enum or const: list only what it allows",
        );
      if (listed.length > maxConstants)
        throw new EngineRequestError(
          `${field}.enum`,
          `expected at most ${maxConstants} values, received ${listed.length}`,
        );
      const allowed = listed.filter(
        (value) => types.includes(typeOf(value)) || (types.includes("integer") && Number.isInteger(value)),
      );
      return either(allowed.map((value) => jsonText(value)));
    }
    return either(types.map((type) => this.#typed(type, schema, field, depth)));
  }

  #typed(type: string, schema: PlainSchema, field: string, depth: number): Expression | undefined {
    switch (type) {
      case "object":
        return this.#object(schema, field, depth);
      case "array":
        return this.#array(schema, field, depth);
      case "string":
        if (!keywordsOf.string.some((key) => key in schema)) return this.#string();
        return stringExpression(schema, field, this.#builder, this.#character());
      case "number":
      case "integer":
        return numberExpression(type, schema, field);
      case "boolean":
        return choice(text("true"), text("false"));
      case "null":
        return text("null");
      default:
        throw new EngineRequestError(`${field}.type`, `expected a type of JSON, received ${JSON.stringify(type)}`);
    }
  }

  #object(schema: PlainSchema, field: string, depth: number): Expression | undefined {
    const { properties, additionalProperties } = schema;
    const required = namesIn(schema["required"], `${field}.required`);
    if (properties === undefined && required.length === 0 && (additionalProperties ?? true) === true)
      return this.anyObject();
    if (properties !== undefined && typeOf(properties) !== "object")
      throw new EngineRequestError(`${field}.properties`, `expected an object, received ${typeOf(properties)}`);
    const named = Object.entries((properties ?? {}) as Record<string, unknown>);
    const unnamed = required.filter((name) => !named.some(([key]) => key === name));
    const members: { member: Expression; isRequired: boolean }[] = [];
    for (const [name, sub] of [...named, ...unnamed.map((name) => [name, additionalProperties ?? true] as const)]) {
      const isRequired = required.includes(name);
      const value = this.#values(sub, `${field}.properties${pathOf(name)}`, depth + 1);
      if (value === undefined && isRequired) return undefined;
      if (value !== undefined) members.push({ member: sequence(jsonText(name), colon, value), isRequired });
    }
    // Without properties, what is said of further ones is all there is; with them, only those that are asked for may come.
    const furtherSchema = additionalProperties ?? properties === undefined;
    const further = this.#values(furtherSchema, `${field}.additionalProperties`, depth + 1);
    const key = further && this.#furtherKey([...named.map(([name]) => name), ...unnamed]);
    const more = further && key && sequence(key, colon, further);
    return sequence(text("{"), this.#members(members, more), text("}"));
  }

  /** Members in their order, those that aren't required or not, with commas between. */
  #members(members: readonly { member: Expression; isRequired: boolean }[], more: Expression | undefined): Expression {
    // What may follow where something stands before, and where nothing does; built from the end.
    const extra = more && (more.kind === "rule" ? more : this.#builder.define(this.#builder.newName("further"), more));
    let after: Expression = extra === undefined ? empty : repeat(sequence(comma, extra), 0, Infinity);
    let first: Expression = extra === undefined ? empty : optional(sequence(extra, after));
    const shared = (expression: Expression) =>
      expression === empty || expression.kind === "rule"
        ? expression
        : this.#builder.define(this.#builder.newName("members"), expression);
    for (const { member, isRequired } of members.toReversed()) {
      const one = shared(member);
      const next = shared(after);
      after = isRequired ? sequence(comma, one, next) : sequence(optional(sequence(comma, one)), next);
      first = isRequired ? sequence(one, next) : choice(sequence(one, next), shared(first));
    }
    return first;
  }

  /** A key that is none of the names. */
  #furtherKey(names: readonly string[]): Expression {
    if (names.length === 0) return this.#string();
    return otherString(names, this.#builder, this.#character());
  }

  #array(schema: PlainSchema, field: string, depth: number): Expression | undefined {
    const least = countOf(schema, "minItems", field) ?? 0;
    const most = countOf(schema, "maxItems", field) ?? Number.POSITIVE_INFINITY;
    if (least > most) return undefined;
    const { prefixItems = [], items = true } = schema;
    if (!Array.isArray(prefixItems))
      throw new EngineRequestError(`${field}.prefixItems`, `expected a list, received ${typeOf(prefixItems)}`);
    const fixed = prefixItems
      .slice(0, most)
      .map((sub, i) => this.#values(sub, `${field}.prefixItems[${i}]`, depth + 1));
    const impossible = fixed.indexOf(undefined);
    if (impossible >= 0 && least > impossible) return undefined;
    const first = (impossible < 0 ? fixed : fixed.slice(0, impossible)).filter((item) => item !== undefined);
    const room = impossible < 0 ? most - first.length : 0;
    const rest = room > 0 ? this.#values(items, `${field}.items`, depth + 1) : undefined;
    if (rest === undefined && least > first.length) return undefined;
    const needed = Math.max(0, least - first.length);
    // Each item after the first brings its comma.
    const one = rest && this.#builder.define(this.#builder.newName("next"), sequence(comma, rest));
    let after: Expression = one === undefined ? empty : this.#builder.repeated(one, needed, room);
    if (first.length === 0) {
      if (rest === undefined || one === undefined) return text("[]");
      const all = sequence(rest, this.#builder.repeated(one, Math.max(0, needed - 1), room - 1));
      return sequence(text("["), needed === 0 ? optional(all) : all, text("]"));
    }
    for (let i = first.length - 1; i >= 0; i--) {
      const item = sequence(i === 0 ? empty : comma, first[i] ?? empty, after);
      after = i < least ? item : optional(item);
    }
    return sequence(text("["), after, text("]"));
  }
}

/** Strings that are none of the texts, by the tree of their characters. */
function otherString(names: readonly string[], builder: GrammarBuilder, character: Expression): Expression {
  const plain = names.filter((name) => !/["\\\p{Cc}\p{Cs}]/u.test(name));
  const tree = (rest: readonly string[]): Expression => {
    const firsts = [...new Set(rest.filter((name) => name !== "").map((name) => name.codePointAt(0) ?? 0))].sort(
      (a, b) => a - b,
    );
    const others: [number, number][] = [];
    let from = 0x20;
    // Other first characters, as themselves: escapes would be another way to write a name.
    for (const code of [...firsts, 0x22, 0x5c, 0xd800].sort((a, b) => a - b)) {
      if (code > from) others.push([from, code - 1]);
      from = Math.max(from, code === 0xd800 ? 0xe000 : code + 1);
    }
    others.push([from, 0x10ffff]);
    const ways: Expression[] = [
      sequence({ kind: "class", ranges: others }, repeat(character, 0, Number.POSITIVE_INFINITY), text('"')),
      ...firsts.map((code) => {
        const start = String.fromCodePoint(code);
        return sequence(
          text(start),
          tree(rest.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length))),
        );
      }),
      ...(rest.includes("") ? [] : [text('"')]),
    ];
    return builder.define(builder.newName("other"), choice(...ways));
  };
  return sequence(text('"'), tree(plain));
}

function either(found: readonly (Expression | undefined)[]): Expression | undefined {
  const there = found.filter((item) => item !== undefined);
  return there.length === 0 ? undefined : choice(...there);
}

function pathOf(name: string): string {
  return /^[A-Za-z_]\w*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function namesIn(value: unknown, field: string): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
  throw new EngineRequestError(field, `expected a list of names, received ${JSON.stringify(value)}`);
}

function numberOf(schema: PlainSchema, key: string, field: string): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new EngineRequestError(`${field}.${key}`, `expected a number, received ${JSON.stringify(value)}`);
}

function boundOf(schema: PlainSchema, within: string, beyond: string, field: string, sign: 1 | -1): Bound | undefined {
  const [near, far] = [numberOf(schema, within, field), numberOf(schema, beyond, field)];
  if (far !== undefined && (near === undefined || far * sign >= near * sign)) return { value: far, isWithin: false };
  return near === undefined ? undefined : { value: near, isWithin: true };
}

function numberExpression(type: string, schema: PlainSchema, field: string): Expression | undefined {
  const low = boundOf(schema, "minimum", "exclusiveMinimum", field, 1);
  const high = boundOf(schema, "maximum", "exclusiveMaximum", field, -1);
  const step = numberOf(schema, "multipleOf", field);
  const places = step === undefined ? undefined : -Math.round(Math.log10(step));
  if (places !== undefined && (places < 0 || places > 15 || step !== Number(`1e-${places}`)))
    throw new EngineRequestError(`${field}.multipleOf`, `expected 1, 0.1, 0.01 …, received ${step}`);
  if (type === "integer" || places === 0) {
    const least = low && BigInt(Math.ceil(low.value)) + (!low.isWithin && Number.isInteger(low.value) ? 1n : 0n);
    const most = high && BigInt(Math.floor(high.value)) - (!high.isWithin && Number.isInteger(high.value) ? 1n : 0n);
    return integersBetween(least, most);
  }
  if (low === undefined && high === undefined && places === undefined) return anyNumber;
  return numbersBetween(low, high, places);
}
