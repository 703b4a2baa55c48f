import { beforeAll, describe, expect, it } from "vitest";
import { grammarOf } from "./grammar-of.ts";
import { createMatcher } from "./testing/matcher.ts";

let compile: Awaited<ReturnType<typeof createMatcher>>;
beforeAll(async () => {
  compile = await createMatcher();
});

function accepts(schema: unknown, ...texts: readonly string[]): readonly boolean[] {
  return texts.map(compile(grammarOf({ type: "schema", schema })));
}

/** Each schema with texts that its grammar must take, and texts that it must not. */
const cases: Readonly<
  Record<string, readonly [schema: unknown, taken: readonly string[], refused: readonly string[]]>
> = {
  "required and optional properties in their order": [
    {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "string" }, c: { type: "null" } },
      required: ["b"],
      additionalProperties: false,
    },
    ['{"b":"x"}', '{"a": 1, "b": "x"}', '{"b":"","c":null}'],
    ["{}", '{"a":1}', '{"b":"x","a":1}', '{"b":"x",}', '{"b":"x","d":1}', '{ "b":"x"}'],
  ],
  "no property at all": [{ type: "object", properties: {} }, ["{}"], ['{"a":1}', "[]"]],
  "only optional properties": [
    { type: "object", properties: { a: {}, b: {} } },
    ["{}", '{"a":1}', '{"b":[1, {"x":2}]}', '{"a":1,"b":2}'],
    ['{,"b":2}', '{"b":2,"a":1}'],
  ],
  "further properties, none of which is a named one": [
    { type: "object", properties: { ab: { type: "integer" } }, additionalProperties: { type: "boolean" } },
    ['{"a":true}', '{"ab":1,"abc":false,"":true}', "{}"],
    ['{"ab":true}', '{"a":1}', '{"\\u0061b":true}'],
  ],
  "a required property without a schema of its own": [{ type: "object", required: ["x"] }, ['{"x":[]}'], ["{}"]],
  "integers within bounds": [
    { type: "integer", minimum: -12, exclusiveMaximum: 105 },
    ["-12", "-9", "0", "99", "104"],
    ["-13", "105", "-0", "01", "1.0", "1e1", "1000", ""],
  ],
  "numbers within bounds": [
    { type: "number", exclusiveMinimum: -1.5, maximum: 0.25 },
    ["-1.49", "-0.001", "0", "0.25", "0.2", "-1", "0.249", "-1.4"],
    ["-1.5", "-1.50", "0.251", "0.3", "1", "-2", "1e-1"],
  ],
  "numbers with two places": [{ type: "number", multipleOf: 0.01, minimum: 0 }, ["1.25", "3", "0.1"], ["1.255", "-1"]],
  "lists with bounds": [
    { type: "array", items: { enum: [1, "a"] }, minItems: 1, maxItems: 3 },
    ["[1]", '[1, "a"]', "[1,1,1]"],
    ["[]", "[1,1,1,1]", "[2]", "[1,]"],
  ],
  tuples: [
    { type: "array", prefixItems: [{ const: 1 }, { const: 2 }], items: false, minItems: 1 },
    ["[1]", "[1, 2]"],
    ["[]", "[1,2,3]", "[2]"],
  ],
  "tuples that go on": [
    { type: "array", prefixItems: [{ const: 1 }, { const: 2 }], items: { const: 3 }, minItems: 3, maxItems: 4 },
    ["[1,2,3]", "[1,2,3,3]"],
    ["[1,2]", "[1,2,3,3,3]"],
  ],
  "strings with lengths, in characters": [
    { type: "string", minLength: 2, maxLength: 3 },
    ['"ab"', '"😀😀"', '"\\u0041b\\n"', '"\\ud83d\\ude00a"'],
    ['"a"', '"abcd"', '"\\ud83d\\ude00"', '"\\ud83d a"', '"a\nb"'],
  ],
  "long strings": [
    { type: "string", minLength: 999, maxLength: 3001 },
    [999, 1500, 3000, 3001].map((n) => `"${"a".repeat(n)}"`),
    [998, 3002].map((n) => `"${"a".repeat(n)}"`),
  ],
  "several types": [{ type: ["string", "null"] }, ["null", '"x"'], ["1"]],
  "alternatives beside common properties": [
    {
      type: "object",
      properties: { a: { type: "integer" } },
      required: ["a"],
      anyOf: [
        { required: ["b"], properties: { b: { const: 1 } } },
        { properties: { c: { const: 2 } }, required: ["c"] },
      ],
    },
    ['{"a":1,"b":1}', '{"a":1,"c":2}'],
    ['{"a":1}', '{"b":1}'],
  ],
  "alternatives that a constant tells apart": [
    {
      oneOf: [
        { type: "object", properties: { t: { const: "a" }, x: { type: "integer" } }, required: ["t", "x"] },
        { type: "object", properties: { t: { const: "b" } }, required: ["t"] },
      ],
    },
    ['{"t":"a","x":1}', '{"t":"b"}'],
    ['{"t":"a"}', '{"t":"b","x":1}'],
  ],
  "objects that are merged": [
    {
      allOf: [
        { $ref: "#/$defs/named" },
        { type: "object", properties: { age: { type: "integer", minimum: 0 } }, required: ["age"] },
      ],
      $defs: { named: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
    },
    ['{"name":"x","age":1}'],
    ['{"name":"x"}', '{"name":"x","age":-1}'],
  ],
  trees: [
    {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: { v: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
          required: ["v", "next"],
          additionalProperties: false,
        },
      },
    },
    ['{"v":1,"next":null}', '{"v":1,"next":{"v":2,"next":null}}'],
    ['{"v":1}', '{"v":1,"next":{}}'],
  ],
  "a schema of the whole": [{ type: "array", items: { $ref: "#" } }, ["[]", "[[], [[]]]"], ["[1]", "{}"]],
  "values of any kind": [true, ['{"a":[1,-2.5e+3,"\\"",null,true]}', "0.1"], ["{a:1}", "01", "[1,]", ".5"]],
};

describe("a grammar of a schema takes exactly its values", () => {
  it.each(Object.entries(cases))("%s", (_, [schema, taken, refused]) => {
    expect(accepts(schema, ...taken)).toEqual(taken.map(() => true));
    expect(accepts(schema, ...refused)).toEqual(refused.map(() => false));
  });
});

const deep = (levels: number): unknown => (levels === 0 ? {} : { type: "array", items: deep(levels - 1) });
const cyclic: { type: string; properties: Record<string, unknown>; required: string[] } = {
  type: "object",
  properties: {},
  required: ["a"],
};
cyclic.properties["a"] = cyclic;

describe("what can't be held to is refused by its place", () => {
  it.each<[string, unknown, string]>([
    ["not", { not: {} }, "constraint.schema.not: this keyword"],
    [
      "patternProperties",
      { type: "object", properties: { a: { patternProperties: {} } } },
      "constraint.schema.properties.a.patternProperties: ",
    ],
    ["uniqueItems", { type: "array", uniqueItems: true }, "constraint.schema.uniqueItems: "],
    ["a reference to elsewhere", { $ref: "https://example.com/x" }, "constraint.schema.$ref: expected a place"],
    ["a reference to nothing", { $ref: "#/$defs/x" }, "constraint.schema.$ref: expected a place that is there"],
    ["a reference to itself", { $ref: "#" }, "without end"],
    ["alternatives that begin with themselves", { anyOf: [{ $ref: "#" }, { type: "null" }] }, "to itself"],
    ["a value without end", { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, "without end"],
    ["an object within itself", cyclic, "without end"],
    ["101 levels", deep(101), "at most 100 levels"],
    ["nothing", { allOf: [{ type: "string" }, { type: "null" }] }, "a value can satisfy"],
    ["bounds that cross", { type: "integer", minimum: 2, maximum: 1 }, "a value can satisfy"],
    [
      "oneOf that overlaps",
      { oneOf: [{ type: "integer" }, { type: "number" }] },
      "constraint.schema.oneOf: expected schemas that differ",
    ],
    ["multiples", { type: "integer", multipleOf: 7 }, "constraint.schema.multipleOf: expected 1"],
    ["an unknown type", { type: "date" }, "constraint.schema.type: expected a type of JSON"],
    ["no schema", 7, "constraint.schema: expected a schema, received 7"],
    ["a wrong count", { type: "string", minLength: -1 }, "constraint.schema.minLength: expected a whole number"],
    ["enum beside a bound", { enum: ["a"], minLength: 2 }, "constraint.schema.minLength: can't be combined"],
  ])("%s", (_, schema, message) => {
    expect(() => grammarOf({ type: "schema", schema })).toThrow(message);
  });
});

it("takes any JSON object, and nothing else, where JSON is asked for", () => {
  const takes = compile(grammarOf({ type: "json" }));
  const texts = ['{"a": {"b": [1]}}', "{}", "[]", "1", '{"a":1} '];
  expect(texts.map(takes)).toEqual([true, true, false, false, false]);
});
