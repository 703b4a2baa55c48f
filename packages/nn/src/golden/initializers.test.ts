import { describe } from "vitest";
import type { Initializer } from "../initializers/initializer.ts";
import { initializers } from "../initializers/table.ts";
import { keyOf } from "../random/hash.ts";
import { madeFrom } from "../schema/kind.ts";
import {
  type GoldenArray,
  type GoldenCase,
  type GoldenSpec,
  goldenFile,
  goldenTests,
  type Mismatches,
  mismatches,
} from "../testing/golden.ts";
import { exceptions } from "./exceptions.ts";

/** An initializer that draws nothing and its value, or one that draws with its moments and bounds. */
interface InitializerGolden extends GoldenCase {
  readonly initializer: GoldenSpec;
  readonly shape: readonly number[];
  readonly value?: GoldenArray;
  readonly mean?: number;
  readonly variance?: number;
  readonly low?: number;
  readonly high?: number;
}

const seed = 3;
const draws = 20;

function check(one: InitializerGolden): Mismatches {
  const initializer = madeFrom<Initializer>(initializers, one.initializer);
  if (one.value !== undefined)
    return mismatches("value", { shape: one.shape, data: initializer(one.shape, keyOf(seed, 1)) }, one.value, 0);
  const drawn = Array.from({ length: draws }, (_, i) => Array.from(initializer(one.shape, keyOf(seed, i)))).flat();
  const {
    mean = Number.NaN,
    variance = Number.NaN,
    low = Number.NEGATIVE_INFINITY,
    high = Number.POSITIVE_INFINITY,
  } = one;
  const found = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const spread = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  // the mean of n draws is off by more than 5 of its deviations once in two million; the variance's share by 10 / sqrt(n) more rarely
  const meanBound = 5 * Math.sqrt(variance / drawn.length);
  const spreadBound = 10 / Math.sqrt(drawn.length);
  const slack = 1e-6;
  return [
    ...(Math.abs(found - mean) <= meanBound ? [] : [`mean: expected ${mean}, received ${found}`]),
    ...(Math.abs(spread / variance - 1) <= spreadBound ? [] : [`variance: expected ${variance}, received ${spread}`]),
    ...(drawn.every((value) => value >= low - slack && value <= high + slack)
      ? []
      : [`bounds: expected ${low} to ${high}, received ${Math.min(...drawn.slice(0, 1000))} among others`]),
  ];
}

const family = "initializers";
describe(`${family}, golden values (seed ${seed})`, () =>
  goldenTests(goldenFile<InitializerGolden>(family), exceptions[family] ?? {}, async (one) => check(one)));
