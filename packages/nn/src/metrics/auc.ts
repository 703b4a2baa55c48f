import { flag, oneOf } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import {
  curvesOf,
  isEmpty,
  outputsByThreshold,
  type Point,
  precisionAt,
  ratio,
  recallAt,
  thresholdCount,
} from "./curve.ts";
import type { Metric } from "./metric.ts";

/** How high a curve is between two points of it. */
const heights = {
  interpolation: (a: number, b: number) => (a + b) / 2,
  minoring: Math.min,
  majoring: Math.max,
} as const;

/** x and y of a point. */
const axes = {
  ROC: (p: Point) => [ratio(p.falsePositives, p.falsePositives + p.trueNegatives), recallAt(p)],
  PR: (p: Point) => [recallAt(p), precisionAt(p)],
} as const;

type Curve = keyof typeof axes;
type Method = keyof typeof heights;

/** The sum of f over each point and the next. */
const overSteps = (points: readonly Point[], f: (lower: Point, higher: Point) => number): number =>
  points.slice(1).reduce((sum, higher, i) => {
    const lower = points[i];
    return lower === undefined ? sum : sum + f(lower, higher);
  }, 0);

/**
 * Area under precision over recall between two thresholds, where true and false yes answers both grow linearly: then
 * precision is (a + s n) / n for n yes answers, which is no straight line (Davis and Goadrich 2006, section 4).
 */
function precisionArea(lower: Point, higher: Point): number {
  const yes = (p: Point): number => p.truePositives + p.falsePositives;
  const [most, least] = [yes(lower), yes(higher)];
  const gained = lower.truePositives - higher.truePositives;
  const slope = ratio(gained, most - least);
  const start = higher.truePositives - slope * least;
  const growth = most > 0 && least > 0 ? Math.log(most / least) : 0;
  return ratio(slope * (gained + start * growth), higher.truePositives + higher.falseNegatives);
}

function area(points: readonly Point[], curve: Curve, method: Method): number {
  if (curve === "PR" && method === "interpolation") return overSteps(points, precisionArea);
  return overSteps(points, (lower, higher) => {
    const [[x0 = 0, y0 = 0], [x1 = 0, y1 = 0]] = [axes[curve](lower), axes[curve](higher)];
    return (x0 - x1) * heights[method](y0, y1);
  });
}

/**
 * The area under a curve of yes-or-no answers at all thresholds: that true ones lie above false ones.
 *
 * - `curve` "ROC" (found true answers over false ones taken for true; the default) or "PR" (precision over recall).
 * - `numThresholds` 200, evenly from 0 to 1: outputs between the same two are not told apart.
 * - `summationMethod` "interpolation" (the default), "minoring" or "majoring": the height between two points.
 * - `multiLabel` false: all outputs together; true: the mean of the areas of each.
 * - Outputs from 0 to 1, targets 0 and 1, or labels.
 */
export const auc = defineKind(
  "auc",
  {
    curve: oneOf(["ROC", "PR"], "ROC"),
    numThresholds: thresholdCount(),
    summationMethod: oneOf(["interpolation", "minoring", "majoring"], "interpolation"),
    multiLabel: flag(false),
  },
  ({ curve, numThresholds, summationMethod, multiLabel }): Metric => ({
    sums: (observed) => ({ outputs: outputsByThreshold(observed, numThresholds, multiLabel) }),
    value(sums) {
      const curves = curvesOf(sums, numThresholds);
      if (curves.every(([first]) => first === undefined || isEmpty(first))) return Number.NaN;
      return curves.reduce((sum, points) => sum + area(points, curve, summationMethod), 0) / curves.length;
    },
  }),
);
