/** @file The best of one share where another is at least so large, over all thresholds. */
import { numberWhere } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import {
  curvesOf,
  isEmpty,
  outputsByThreshold,
  type Point,
  precisionAt,
  recallAt,
  specificityAt,
  thresholdCount,
} from "./curve.ts";
import type { Metric } from "./metric.ts";

/** The largest `best` of the points where `held` is at least `least`; 0 where none is. */
const bestWhere = (
  numThresholds: number,
  best: (p: Point) => number,
  held: (p: Point) => number,
  least: number,
): Metric => ({
  sums: (observed) => ({ outputs: outputsByThreshold(observed, numThresholds, false) }),
  value(sums) {
    const [points = []] = curvesOf(sums, numThresholds);
    if (points[0] === undefined || isEmpty(points[0])) return Number.NaN;
    return Math.max(0, ...points.filter((point) => held(point) >= least).map(best));
  },
});

const share = () => numberWhere("a number from 0 to 1", (value) => value >= 0 && value <= 1);

/** The best precision where the recall is `recall` (required) or more. `numThresholds` 200. */
export const precisionAtRecall = defineKind(
  "precisionAtRecall",
  { recall: share(), numThresholds: thresholdCount() },
  (c) => bestWhere(c.numThresholds, precisionAt, recallAt, c.recall),
);

/** The best recall where the precision is `precision` (required) or more. `numThresholds` 200. */
export const recallAtPrecision = defineKind(
  "recallAtPrecision",
  { precision: share(), numThresholds: thresholdCount() },
  (c) => bestWhere(c.numThresholds, recallAt, precisionAt, c.precision),
);

/** The best sensitivity, which is recall, where the specificity is `specificity` (required) or more. `numThresholds` 200. */
export const sensitivityAtSpecificity = defineKind(
  "sensitivityAtSpecificity",
  { specificity: share(), numThresholds: thresholdCount() },
  (c) => bestWhere(c.numThresholds, recallAt, specificityAt, c.specificity),
);

/** The best specificity where the sensitivity is `sensitivity` (required) or more. `numThresholds` 200. */
export const specificityAtSensitivity = defineKind(
  "specificityAtSensitivity",
  { sensitivity: share(), numThresholds: thresholdCount() },
  (c) => bestWhere(c.numThresholds, specificityAt, recallAt, c.sensitivity),
);
