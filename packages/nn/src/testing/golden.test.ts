import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GoldenCase, goldenFile, mismatches } from "./golden.ts";

const of = (...data: number[]) => ({ shape: [data.length], data: Float64Array.from(data) });
const golden = (...data: (number | string)[]) => ({ shape: [data.length], data });

describe("mismatches", () => {
  it("are none within the tolerance, which is a share of the largest number or of 1", () => {
    expect(mismatches("y", of(1000.9, 0), golden(1000, 0), 1e-3)).toEqual([]);
    expect(mismatches("y", of(0.0009), golden(0), 1e-3)).toEqual([]);
  });

  it("say where the worst is, and what was expected", () => {
    expect(mismatches("y", of(1, 2.5, 3.1), golden(1, 2, 3), 1e-3)).toEqual([
      "y: off by 1.7e-1 of the largest number (at most 1.0e-3), at 1 expected 2, received 2.5",
    ]);
  });

  it("are NaN, infinities of another sign, other shapes, and nothing at all", () => {
    expect(mismatches("y", of(Number.NaN, 1), golden(1, 1), 1)).toHaveLength(1);
    expect(mismatches("y", of(1, Number.NaN), golden(1, 1), 1)).toHaveLength(1);
    expect(mismatches("y", of(Number.NEGATIVE_INFINITY), golden("inf"), 1)).toHaveLength(1);
    expect(mismatches("y", of(Number.POSITIVE_INFINITY), golden("inf"), 0)).toEqual([]);
    expect(mismatches("y", of(Number.NaN), golden("nan"), 0)).toEqual([]);
    expect(mismatches("y", of(1, 1), golden(1), 1)).toEqual(["y: expected [1], received [2]"]);
    expect(mismatches("y", undefined, golden(1), 1)).toEqual(["y: expected [1], received nothing"]);
  });
});

it("every file of golden values has a test that reads it", () => {
  const names = (folder: string, end: string): string[] =>
    readdirSync(new URL(folder, import.meta.url))
      .filter((name) => name.endsWith(end))
      .map((name) => name.slice(0, -end.length));
  const files = names("../../fixtures/golden/", ".json");
  // two families have a second file, from the other library
  const tested = names("../golden/", ".test.ts").flatMap((name) => {
    const family = name.replaceAll("-", "_");
    return { schedules: [family, "schedules_torch"], losses: [family, "losses_ctc"] }[family] ?? [family];
  });
  expect(tested.sort()).toEqual(files.sort());
  for (const file of files) expect(goldenFile<GoldenCase>(file).cases.length).toBeGreaterThan(0);
});
