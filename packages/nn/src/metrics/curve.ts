/** @file Right and false answers at many thresholds at once: what curves are drawn of. */
import type { Value } from "@gristmill/onnx";
import { numberWhere } from "../schema/field.ts";
import { trueAnswers, widthOf } from "./classes.ts";
import { histogram } from "./histogram.ts";
import { numbersOf, type Observed, type Sums } from "./metric.ts";

/** How many thresholds from 0 to 1 a curve has, 200. */
export const thresholdCount = () =>
  numberWhere("a whole number from 2 to 100000", (n) => Number.isInteger(n) && n >= 2 && n <= 100_000, 200);

/**
 * float32 [labels · 2 · thresholds]: for each label (all together when it is one) how many true answers, then how many
 * false ones, have their output between a threshold and the next. Thresholds are i / (thresholds - 1); an output equal to
 * one lies below it, as Keras has it, and 0 and NaN above the first.
 */
export function outputsByThreshold(observed: Observed, thresholds: number, byLabel: boolean): Value {
  const { math, output } = observed;
  const { builder } = math;
  const isNumber = builder.op("Not", [builder.op("IsNaN", [output])]);
  const from0To1 = builder.op("Clip", [
    math.where(isNumber, output, 0),
    math.scalar(0, output),
    math.scalar(1, output),
  ]);
  const place = math.sub(builder.op("Ceil", [math.mul(from0To1, thresholds - 1)]), 1);
  const falsely = math.cast(builder.op("Not", [trueAnswers(observed)]), "float32");
  const within = math.add(builder.op("Relu", [place]), math.mul(falsely, thresholds));
  const labels = byLabel ? widthOf(observed) : 1;
  const starts = builder.op(
    "Range",
    [0, labels * 2 * thresholds, 2 * thresholds].map((bound) => builder.scalar(BigInt(bound), "int64")),
  );
  const places = math.cast(within, "int64");
  return histogram(observed, byLabel ? math.add(places, starts) : places, labels * 2 * thresholds);
}

/** What became of the answers at one threshold: an output above it is a yes. */
export interface Point {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** The points of each label's curve, from the lowest threshold, where all is yes, to the highest, where nothing is. */
export function curvesOf(sums: Sums, thresholds: number): Point[][] {
  const counts = numbersOf(sums, "outputs");
  return Array.from({ length: counts.length / (2 * thresholds) }, (_, label) => {
    const start = label * 2 * thresholds;
    const trueOnes = above(counts.slice(start, start + thresholds));
    const falseOnes = above(counts.slice(start + thresholds, start + 2 * thresholds));
    return trueOnes.map((truePositives, i) => {
      const falsePositives = falseOnes[i] ?? 0;
      return {
        truePositives,
        falsePositives,
        falseNegatives: (trueOnes[0] ?? 0) - truePositives,
        trueNegatives: (falseOnes[0] ?? 0) - falsePositives,
      };
    });
  });
}

/** Sums from each place to the end. */
function above(counts: readonly number[]): number[] {
  let sum = 0;
  return counts
    .toReversed()
    .map((count) => {
      sum += count;
      return sum;
    })
    .reverse();
}

/** 0 where the whole is 0. */
export const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Share of the true answers that are found. */
export const recallAt = (p: Point): number => ratio(p.truePositives, p.truePositives + p.falseNegatives);
/** Share of the yes answers that are true. */
export const precisionAt = (p: Point): number => ratio(p.truePositives, p.truePositives + p.falsePositives);
/** Share of the false answers that are found to be false. */
export const specificityAt = (p: Point): number => ratio(p.trueNegatives, p.trueNegatives + p.falsePositives);
/** True when nothing was counted. */
export const isEmpty = (p: Point): boolean =>
  p.truePositives + p.falsePositives + p.falseNegatives + p.trueNegatives === 0;
