import { beforeAll, describe, expect, it } from "vitest";
import { grammarOf } from "./grammar-of.ts";
import { createMatcher } from "./testing/matcher.ts";

let compile: Awaited<ReturnType<typeof createMatcher>>;
beforeAll(async () => {
  compile = await createMatcher();
});

/** Texts that the grammar of a string's schema takes; of strings, not of JSON. */
function taken(schema: object, texts: readonly string[]): readonly string[] {
  const takes = compile(grammarOf({ type: "schema", schema: { type: "string", ...schema } }));
  return texts.filter((each) => takes(JSON.stringify(each)));
}

describe("a pattern takes what the regular expression matches", () => {
  const texts = [
    "",
    "a",
    "b",
    "ab",
    "aab",
    "xaby",
    "aB9_",
    "a-b",
    "2024",
    "20245",
    "é",
    "😀",
    "a b",
    "a\nb",
    '"',
    "\\",
    "\u0001",
    "ba",
    "aaa",
    "z.z",
    "]",
  ];
  it.each([
    "ab",
    "^a",
    "b$",
    "^ab$",
    "^a*b?$",
    "^(?:a|b)+$",
    "^a{2,3}$",
    "^a{2}b",
    "^\\d{4}$",
    "^[^a-c]*$",
    "^\\w+$",
    "\\s",
    "^.$",
    "^$",
    "^(a|^b)$",
    "a|b$",
    "^(?<n>a)b+?$",
    "^[\\u0061\\x62]+$",
    "^\\u{1F600}$",
    '^["\\\\]$',
    "^\\S\\W\\S$",
    "^[\\]]$",
    "^[a\\-]+b",
    "^\\n?a",
    "(?:)",
    "a.b",
    "^[^a]$",
    "$^",
    "\\.",
    "[.]",
  ])("%s", (pattern) => {
    const matching = new RegExp(pattern, "u");
    expect(taken({ pattern }, texts)).toEqual(texts.filter((each) => matching.test(each)));
  });

  it("together with lengths and a format", () => {
    expect(taken({ pattern: "^a+$", minLength: 2, maxLength: 3 }, ["a", "aa", "aaa", "aaaa"])).toEqual(["aa", "aaa"]);
    expect(taken({ pattern: "a", maxLength: 2 }, ["a", "xa", "xya", "xy"])).toEqual(["a", "xa"]);
    expect(taken({ pattern: "^2", format: "date" }, ["2024-01-01", "1999-01-01"])).toEqual(["2024-01-01"]);
  });

  it.each([
    ["(?=a)b", "looks ahead"],
    ["(a)\\1", "\\1 isn't supported"],
    ["\\bword", "\\b isn't supported"],
    ["\\p{L}", "\\p isn't supported"],
    ["(", "Invalid regular expression"],
    ["(?:a{1,100}){1,1000}", "smaller regular expression"],
    ["[ab]*a[ab]{14}", "at most 5000 states"],
  ])("%s is refused", (pattern, message) => {
    expect(() => grammarOf({ type: "schema", schema: { type: "string", pattern } })).toThrow(message);
  });

  it("that nothing matches is refused", () => {
    expect(() => grammarOf({ type: "schema", schema: { type: "string", pattern: "a^" } })).toThrow("can satisfy");
  });
});

describe("a format takes its texts alone", () => {
  it.each([
    [
      "date",
      ["2024-02-29", "2000-02-29", "2023-12-31"],
      ["2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "24-01-01"],
    ],
    ["time", ["00:00:00Z", "23:59:59.5+01:00"], ["24:00:00Z", "12:00", "12:00:00"]],
    ["date-time", ["2024-02-29T12:00:00Z"], ["2024-02-30T12:00:00Z", "2024-02-29"]],
    ["duration", ["P1D", "P1Y2M3DT4H5M6S", "PT5S", "P2W"], ["P", "PT", "P1S", "1D"]],
    ["email", ["a.b+c@x-y.org"], ["a@b", "a..b@c.de", "@c.de"]],
    ["hostname", ["localhost", "a-1.example.com"], ["-a", "a-", "a..b", ""]],
    ["ipv4", ["0.0.0.0", "255.10.1.249"], ["256.1.1.1", "1.1.1", "01.1.1.1"]],
    [
      "ipv6",
      ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "fe80::1:2", "1:2:3:4:5:6:7::"],
      [":", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "1:2"],
    ],
    ["uuid", ["123e4567-E89b-12d3-a456-426614174000"], ["123e4567-e89b-12d3-a456-42661417400"]],
    ["uri", ["https://a.org:80/b/c?d=e#f", "ftp://localhost"], ["a.org", "https://", "https://a b"]],
  ])("%s", (format, right, wrong) => {
    expect(taken({ format }, [...right, ...wrong])).toEqual(right);
  });

  it("that isn't known is refused", () => {
    expect(() => grammarOf({ type: "schema", schema: { type: "string", format: "phone" } })).toThrow(
      "constraint.schema.format: expected one of date, time",
    );
  });
});
