/** @file Golden values: what Keras, PyTorch and papers' formulas say, from fixtures/golden. How they are read and compared. */
import { readFileSync } from "node:fs";
import { type Tensor, tensor } from "@gristmill/onnx";
import { expect, it } from "vitest";
import type { KindSpec } from "../schema/kind.ts";

/** An array in a fixture; its numbers are floats where it names no dtype. Infinities and NaN are words. */
export interface GoldenArray {
  readonly dtype?: "int32" | "bool";
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** An array of a layer or model, by Keras' name. */
export interface NamedGolden extends GoldenArray {
  readonly name: string;
}

/** A case of any family. */
export interface GoldenCase {
  /** "lstm: mask, last output": its type, and what is special about it. Unique in its file. */
  readonly name: string;
  readonly source: string;
}

/** Who made a file of golden values, and its cases. */
export interface GoldenFile<T extends GoldenCase> {
  readonly about: {
    readonly generator: string;
    readonly seed: number;
    readonly precision: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly cases: readonly T[];
}

const folder = new URL("../../fixtures/golden/", import.meta.url);

/** Reads a file of golden values: "layers_core". */
export const goldenFile = <T extends GoldenCase>(name: string): GoldenFile<T> =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as GoldenFile<T>;

const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

const numberOf = (value: number | string): number => (typeof value === "number" ? value : (words[value] ?? Number.NaN));

/** The numbers of an array. */
export const goldenNumbers = ({ data }: GoldenArray): number[] => data.map(numberOf);

/** An array as the runtime takes it; truth values as numbers. */
export const tensorOf = (array: GoldenArray): Tensor =>
  array.dtype === "int32"
    ? tensor("int32", array.shape, Int32Array.from(goldenNumbers(array)))
    : tensor("float32", array.shape, Float32Array.from(goldenNumbers(array)));

/** Differences that are too large, in words; none is what a test expects. */
export type Mismatches = string[];

/**
 * Compares numbers with golden ones. The tolerance is a share of the largest golden number, or of 1 where all are
 * smaller: a sum's rounding follows its largest terms. Infinities must be equal.
 */
export function mismatches(
  what: string,
  result: Pick<Tensor, "shape" | "data"> | undefined,
  golden: GoldenArray,
  tolerance: number,
): Mismatches {
  const expected = goldenNumbers(golden);
  if (result?.shape.join() !== golden.shape.join())
    return [
      `${what}: expected [${golden.shape.join(", ")}], received ${result ? `[${result.shape.join(", ")}]` : "nothing"}`,
    ];
  const received = Array.from(result.data, Number);
  const scale = Math.max(1, ...expected.filter(Number.isFinite).map(Math.abs));
  let [worst, place] = [0, 0];
  expected.forEach((value, i) => {
    const other = received[i] ?? Number.NaN;
    const isSame = Object.is(value, other) || value === other;
    // NaN is farther away than anything: it compares with nothing
    const off = isSame ? 0 : Math.abs(value - other) / scale;
    const distance = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    if (distance > worst) [worst, place] = [distance, i];
  });
  if (worst <= tolerance) return [];
  return [
    `${what}: off by ${worst.toExponential(1)} of the largest number (at most ${tolerance.toExponential(1)}), at ${place} expected ${expected[place]}, received ${received[place]}`,
  ];
}

/** Cases that cannot pass yet, by name or by type ("lstm" for all of it), and what they wait for or do otherwise on purpose. */
export type Exceptions = Readonly<Record<string, string>>;

/** The part of a case's name before the colon. */
export const typeOf = ({ name }: GoldenCase): string => name.slice(0, name.indexOf(":"));

/**
 * One test a case. A case of the exceptions must fail, so that the list is exactly right: what newly works has to leave it.
 * `check` gives mismatches, or throws where the case cannot even be made.
 */
export function goldenTests<T extends GoldenCase>(
  { cases }: Pick<GoldenFile<T>, "cases">,
  exceptions: Exceptions,
  check: (one: T) => Promise<Mismatches>,
): void {
  const used = new Set<string>();
  for (const one of cases) {
    const key = [one.name, typeOf(one)].find((name) => Object.hasOwn(exceptions, name));
    if (key === undefined)
      it(`${one.name} (${one.source})`, async () => {
        const found = await check(one);
        expect(found, found.join("\n")).toEqual([]);
      });
    else {
      used.add(key);
      it(`${one.name} (${one.source}): not yet or not so: ${exceptions[key]}`, async () => {
        const isGood = await check(one).then(
          (found) => found.length === 0,
          () => false,
        );
        expect(isGood, `${one.name} passes: take "${key}" from golden/exceptions.ts`).toBe(false);
      });
    }
  }
  it("has no exception that fits no case", () => {
    expect(Object.keys(exceptions).filter((key) => !used.has(key))).toEqual([]);
  });
}

/** A description in a fixture. */
export type GoldenSpec = KindSpec;
