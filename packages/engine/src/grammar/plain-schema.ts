/** @file Schemas without references and combinations: what a schema says, as alternatives that each say all at one place. */
import { EngineRequestError } from "../errors.ts";

/** A schema of which every keyword is known. */
export type PlainSchema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about a value. */
const annotations = new Set([
  ..."$schema $id $comment $defs definitions title description default example examples deprecated readOnly".split(" "),
  ..."writeOnly contentEncoding contentMediaType".split(" "),
]);

/** Keywords that a schema's alternatives come from. */
const combiners = ["$ref", "allOf", "anyOf", "oneOf"];

/** Keywords of each type. */
export const keywordsOf = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
} as const;

const known = new Set<string>([
  "type",
  "enum",
  "const",
  "uniqueItems",
  ...combiners,
  ...Object.values(keywordsOf).flat(),
]);

/** Levels that references and combinations may have before a value. */
const maxDepth = 100;
const maxAlternatives = 64;

/** The schema's keywords that say something. @throws EngineRequestError for one that isn't known. */
export function keywords(schema: object, field: string): PlainSchema {
  const entries = Object.entries(schema).filter(([key, value]) => !annotations.has(key) && value !== undefined);
  for (const [key, value] of entries)
    if (!known.has(key) || (key === "uniqueItems" && value !== false))
      throw new EngineRequestError(`${field}.${key}`, "this keyword of JSON Schema isn't supported: leave it out");
  return Object.fromEntries(entries.filter(([key]) => key !== "uniqueItems"));
}

/** The place in a document that a reference names. @throws EngineRequestError where there is none. */
export function resolve(root: unknown, reference: unknown, field: string): unknown {
  const refuse = (expected: string) =>
    new EngineRequestError(`${field}.$ref`, `expected ${expected}, received ${JSON.stringify(reference)}`);
  if (typeof reference !== "string" || !/^#(?:\/|$)/u.test(reference))
    throw refuse('a place in the schema itself, "#/…"');
  let at = root;
  for (const part of reference.slice(1).split("/").slice(1)) {
    let key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    try {
      key = decodeURIComponent(key);
    } catch {
      throw refuse("a valid fragment");
    }
    if (at === null || typeof at !== "object" || !Object.hasOwn(at, key)) throw refuse("a place that is there");
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** The alternatives of a schema; none where nothing can satisfy it. */
export function alternatives(schema: unknown, root: unknown, field: string, depth = 0): readonly PlainSchema[] {
  if (depth > maxDepth)
    throw new EngineRequestError(field, `expected at most ${maxDepth} levels before a value, received more`);
  if (schema === true) return [{}];
  if (schema === false) return [];
  if (schema === null || typeof schema !== "object" || Array.isArray(schema))
    throw new EngineRequestError(field, `expected a schema, received ${JSON.stringify(schema)}`);
  const { $ref, allOf, anyOf, oneOf, ...base } = keywords(schema, field);
  let found: PlainSchema[] = [base];
  const combine = (others: readonly PlainSchema[]) => {
    found = found.flatMap((one) =>
      others.map((other) => mergePlain(one, other, field)).filter((both) => both !== undefined),
    );
    if (found.length > maxAlternatives)
      throw new EngineRequestError(field, `expected at most ${maxAlternatives} alternatives, received more`);
  };
  const all = (sub: unknown, at: string) => alternatives(sub, root, at, depth + 1);
  if ($ref !== undefined) combine(all(resolve(root, $ref, field), `${field}.$ref`));
  for (const [i, sub] of list(allOf, `${field}.allOf`).entries()) combine(all(sub, `${field}.allOf[${i}]`));
  for (const [key, subs] of Object.entries({ anyOf, oneOf }))
    if (subs !== undefined)
      combine(list(subs, `${field}.${key}`).flatMap((sub, i) => all(sub, `${field}.${key}[${i}]`)));
  if (oneOf !== undefined)
    checkDisjoint(
      list(oneOf, field).map((sub) => all(sub, `${field}.oneOf`)),
      `${field}.oneOf`,
    );
  return found;
}

function list(value: unknown, field: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new EngineRequestError(field, `expected a list of schemas, received ${JSON.stringify(value)}`);
}

/** @throws EngineRequestError unless no value can satisfy two of the schemas, by their types or constants. */
export function checkDisjoint(schemas: readonly (readonly PlainSchema[])[], field: string): void {
  schemas.forEach((one, i) => {
    for (const other of schemas.slice(i + 1))
      if (one.some((a) => other.some((b) => !areDisjoint(a, b))))
        throw new EngineRequestError(
          field,
          "expected schemas that differ in their type or in a required constant: use anyOf",
        );
  });
}

function areDisjoint(a: PlainSchema, b: PlainSchema): boolean {
  const [types, others] = [typesOf(a), typesOf(b)];
  const bothTypes = types.filter(
    (type) =>
      others.includes(type) ||
      (type === "integer" && others.includes("number")) ||
      (type === "number" && others.includes("integer")),
  );
  if (bothTypes.length === 0) return true;
  const [values, otherValues] = [constants(a), constants(b)];
  if (values !== undefined && otherValues !== undefined) return !values.some((value) => hasValue(otherValues, value));
  if (bothTypes.length > 1 || bothTypes[0] !== "object") return false;
  const required = names(a["required"]).filter((name) => names(b["required"]).includes(name));
  return required.some((name) => {
    const [mine, theirs] = [propertyOf(a, name), propertyOf(b, name)];
    return (
      isPlainObject(mine) &&
      isPlainObject(theirs) &&
      !hasCombiner(mine) &&
      !hasCombiner(theirs) &&
      areDisjoint(mine, theirs)
    );
  });
}

function hasCombiner(schema: PlainSchema): boolean {
  return combiners.some((key) => key in schema);
}

function isPlainObject(value: unknown): value is PlainSchema {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function propertyOf(schema: PlainSchema, name: string): unknown {
  const properties = schema["properties"];
  return isPlainObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** The values that a schema lists. */
export function constants(schema: PlainSchema): readonly unknown[] | undefined {
  const listed = Array.isArray(schema["enum"]) ? schema["enum"] : undefined;
  if (!("const" in schema)) return listed;
  return listed === undefined || hasValue(listed, schema["const"]) ? [schema["const"]] : [];
}

const allTypes = ["object", "array", "string", "number", "boolean", "null"];

/** The types that a schema allows: those it says, or those its other keywords are about. */
export function typesOf(schema: PlainSchema): readonly string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.includes("number") ? type.filter((one) => one !== "integer") : type;
  const listed = constants(schema);
  if (listed !== undefined) return [...new Set(listed.map(typeOf))];
  const about = Object.entries(keywordsOf).filter(([, keys]) => keys.some((key) => key in schema));
  return about.length === 0 ? allTypes : about.map(([name]) => name);
}

/** The type of a value of JSON. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Text that is the same for equal values of JSON, whatever order their keys have. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    isPlainObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

function hasValue(values: readonly unknown[], value: unknown): boolean {
  return values.some((one) => canonical(one) === canonical(value));
}

const larger = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
const smaller = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];

/** What two schemas say together; undefined where nothing satisfies both. */
function mergePlain(a: PlainSchema, b: PlainSchema, field: string): PlainSchema | undefined {
  if (Object.keys(a).length === 0) return b;
  if (Object.keys(b).length === 0) return a;
  const merged: Record<string, unknown> = { ...a, ...b };
  if ("type" in a && "type" in b) {
    const [mine, theirs] = [typesOf(a), typesOf(b)];
    const both = mine.flatMap((type) => {
      if (theirs.includes(type)) return [type];
      if (type === "integer" && theirs.includes("number")) return [type];
      return type === "number" && theirs.includes("integer") ? ["integer"] : [];
    });
    if (both.length === 0) return undefined;
    merged["type"] = both;
  }
  const [values, others] = [constants(a), constants(b)];
  if (values !== undefined && others !== undefined) {
    const both = values.filter((value) => hasValue(others, value));
    if (both.length === 0) return undefined;
    delete merged["const"];
    merged["enum"] = both;
  }
  for (const key of larger) if (key in a && key in b) merged[key] = Math.max(Number(a[key]), Number(b[key]));
  for (const key of smaller) if (key in a && key in b) merged[key] = Math.min(Number(a[key]), Number(b[key]));
  for (const key of ["pattern", "format", "multipleOf", "prefixItems"])
    if (key in a && key in b && canonical(a[key]) !== canonical(b[key]))
      throw new EngineRequestError(`${field}.${key}`, "two different ones can't be combined: say it once");
  if ("items" in a && "items" in b) merged["items"] = { allOf: [a["items"], b["items"]] };
  if ("required" in a && "required" in b)
    merged["required"] = [...new Set([...names(a["required"]), ...names(b["required"])])];
  mergeProperties(a, b, merged);
  return merged;
}

/** A property that one schema names is held to what the other says of further properties. */
function mergeProperties(a: PlainSchema, b: PlainSchema, merged: Record<string, unknown>): void {
  const [mine, theirs] = [a["properties"] ?? {}, b["properties"] ?? {}];
  if (!isPlainObject(mine) || !isPlainObject(theirs)) return;
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  const sayings = (key: string) =>
    [
      Object.hasOwn(mine, key) ? mine[key] : a["additionalProperties"],
      Object.hasOwn(theirs, key) ? theirs[key] : b["additionalProperties"],
    ].filter((saying) => saying !== undefined);
  const together = (sayings: readonly unknown[]) => (sayings.length === 1 ? sayings[0] : { allOf: sayings });
  if (keys.length > 0) merged["properties"] = Object.fromEntries(keys.map((key) => [key, together(sayings(key))]));
  if ("additionalProperties" in a && "additionalProperties" in b)
    merged["additionalProperties"] = together([a["additionalProperties"], b["additionalProperties"]]);
}
