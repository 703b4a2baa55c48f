import { describe } from "vitest";
import { type GoldenCase, goldenFile, goldenTests, mismatches } from "../testing/golden.ts";
import { characterErrorRate, wordErrorRate } from "../text/edit-distance.ts";

/** Texts as they are and as they were heard. */
interface ErrorRateGolden extends GoldenCase {
  readonly references: readonly string[];
  readonly hypotheses: readonly string[];
  readonly value: number;
}

const rates = { characterErrorRate, wordErrorRate };

const family = "error_rates";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<ErrorRateGolden>(family), {}, async (one) => {
    const kind = one.name.startsWith("word") ? "wordErrorRate" : "characterErrorRate";
    const rate = rates[kind](one.references, one.hypotheses);
    return mismatches("rate", { shape: [], data: Float64Array.of(rate) }, { shape: [], data: [one.value] }, 1e-9);
  }));
