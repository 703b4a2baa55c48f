/** @file Random schemas: what their grammars write is valid to a validator, and values of theirs are what the grammars take. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { grammarOf } from "./grammar-of.ts";
import { createMatcher } from "./testing/matcher.ts";
import { sample } from "./testing/sampler.ts";

let compile: Awaited<ReturnType<typeof createMatcher>>;
beforeAll(async () => {
  compile = await createMatcher();
});

function valid(schema: unknown): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 9 });
  formats.default(ajv);
  return ajv.compile(schema as object) as (value: unknown) => boolean;
}

/** A schema, and values that satisfy it. */
interface Case {
  readonly schema: unknown;
  readonly value: fc.Arbitrary<unknown>;
}

const text = fc.string({ unit: "grapheme", maxLength: 6 });
const names = fc.uniqueArray(fc.constantFrom("a", "ab", "b", "name", "é", 'q"', "x y"), { maxLength: 4 });
const bounds = fc.tuple(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: 0, max: 3000 }));

function cases(depth: number): fc.Arbitrary<Case> {
  const leaf: fc.Arbitrary<Case> = fc.oneof(
    bounds.map(([min, more]) => ({
      schema: { type: "integer", minimum: min, maximum: min + more },
      value: fc.integer({ min, max: min + more }),
    })),
    bounds.map(([min, more]) => ({
      schema: { type: "number", exclusiveMinimum: min / 8, maximum: (min + more + 1) / 8 },
      value: fc.integer({ min: min * 8 + 1, max: (min + more + 1) * 8 }).map((eighth) => eighth / 64),
    })),
    fc.nat(6).chain((least) =>
      fc.nat(4).map((more) => ({
        schema: { type: "string", minLength: least, maxLength: least + more },
        value: fc
          .array(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), {
            minLength: least,
            maxLength: least + more,
          })
          .map((characters) => characters.join("")),
      })),
    ),
    fc
      .constantFrom("date", "date-time", "time", "uuid", "ipv4", "ipv6", "email", "hostname", "uri", "duration")
      .map((format) => ({
        schema: { type: "string", format },
        value: format === "uuid" ? fc.uuid() : format === "ipv4" ? fc.ipV4() : fc.constant(undefined),
      })),
    fc.constantFrom("^[a-z]+$", "^\\d{2,4}-x?$", "a|b").map((pattern) => ({
      schema: { type: "string", pattern },
      value: fc.constantFrom("ab", "12-x", "2024-", "b").filter((each) => new RegExp(pattern, "u").test(each)),
    })),
    fc
      .uniqueArray(fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), { minLength: 1, maxLength: 4 })
      .map((values) => ({
        schema: { enum: values },
        value: fc.constantFrom(...values),
      })),
    fc.constant({ schema: { type: "boolean" }, value: fc.boolean() }),
    fc.constant({ schema: {}, value: fc.jsonValue({ maxDepth: 2, noUnicodeString: true } as object).filter(isPlain) }),
  );
  if (depth === 0) return leaf;
  const inner = cases(depth - 1);
  return fc.oneof(
    leaf,
    fc.tuple(inner, fc.nat(2), fc.nat(3)).map(([item, least, more]) => ({
      schema: { type: "array", items: item.schema, minItems: least, maxItems: least + more },
      value: fc.array(item.value, { minLength: least, maxLength: least + more }),
    })),
    names.chain((keys) =>
      fc
        .tuple(fc.array(inner, { minLength: keys.length, maxLength: keys.length }), fc.subarray(keys))
        .map(([subs, required]) => ({
          schema: {
            type: "object",
            properties: Object.fromEntries(keys.map((key, i) => [key, subs[i]?.schema])),
            required,
            additionalProperties: false,
          },
          value: fc
            .record(Object.fromEntries(keys.map((key, i) => [key, subs[i]?.value ?? fc.constant(1)])), {
              requiredKeys: required,
              noNullPrototype: true,
            })
            .map((record) =>
              Object.fromEntries(keys.filter((key) => Object.hasOwn(record, key)).map((key) => [key, record[key]])),
            ),
        })),
    ),
    fc.array(inner, { minLength: 1, maxLength: 3 }).map((subs) => ({
      schema: { anyOf: subs.map(({ schema }) => schema) },
      value: fc.oneof(...subs.map(({ value }) => value)),
    })),
    fc.tuple(inner, fc.nat(2)).map(([sub, more]) => ({
      schema: {
        type: "object",
        properties: { id: { type: "integer", minimum: 0, maximum: 9 } },
        additionalProperties: sub.schema,
        required: ["id"],
      },
      value: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.array(sub.value, { maxLength: more })).map(([id, values]) => ({
        id,
        ...Object.fromEntries(values.map((value, i) => [`i${i}`, value])),
      })),
    })),
  );
}

/** Numbers that are written without an exponent of three digits, and no keys that JavaScript would put first. */
function isPlain(value: unknown): boolean {
  const written = JSON.stringify(value);
  return !/e[+-]\d{3}|-0\b/iu.test(written) && !/\\ud[89a-f]/iu.test(written);
}

function hasHole(value: unknown): boolean {
  if (value === undefined) return true;
  return value !== null && typeof value === "object" && Object.values(value).some(hasHole);
}

it("writes only what the schema accepts", () => {
  let written = 0;
  fc.assert(
    fc.property(
      cases(2),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      ({ schema }, numbers) => {
        const grammar = grammarOf({ type: "schema", schema });
        const isValid = valid(schema);
        const takes = compile(grammar);
        for (let i = 0; i < 3; i++) {
          const drawn = sample(grammar, () => numbers.next().value ?? 0);
          if (drawn === undefined) continue;
          expect(takes(drawn), drawn).toBe(true);
          expect(isValid(JSON.parse(drawn)), `${drawn} by ${JSON.stringify(schema)}`).toBe(true);
          written++;
        }
      },
    ),
    { numRuns: 20 },
  );
  expect(written).toBeGreaterThan(30);
});

it("takes values of the schema, as JSON writes them", () => {
  fc.assert(
    fc.property(
      cases(2).chain(({ schema, value }) => fc.tuple(fc.constant(schema), value)),
      ([schema, value]) => {
        fc.pre(!hasHole(value) && isPlain(value) && valid(schema)(value));
        const takes = compile(grammarOf({ type: "schema", schema }));
        expect(takes(JSON.stringify(value)), JSON.stringify([value, schema])).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
