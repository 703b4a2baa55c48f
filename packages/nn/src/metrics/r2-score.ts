import type { Value } from "@gristmill/onnx";
import { oneOf } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { counted, countsOf, type Metric, numbersOf, type Observed, type Sums } from "./metric.ts";

/**
 * A sum [outputs] as two float32 that add up to it: taken in float64 and split, because what is left of a sum of squares
 * less the square of the sum is small where the mean is large.
 */
function split(observed: Observed, name: string, value: Value): Record<string, Value> {
  const { math } = observed;
  const rows = value.shape.slice(0, -1).map((_, axis) => axis);
  const sum = math.sum(value, rows);
  const high = math.cast(sum, "float32");
  return { [name]: high, [`${name}Rest`]: math.cast(math.sub(sum, math.cast(high, "float64")), "float32") };
}

const joined = (sums: Sums, name: string): number[] => {
  const rest = numbersOf(sums, `${name}Rest`);
  return numbersOf(sums, name).map((high, i) => high + (rest[i] ?? 0));
};

const add = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0);

/**
 * The share of the target's variance that the output explains: `1 - sum((t - p)²) / sum((t - mean)²)`; 1 is perfect, 0 as
 * good as the mean, below 0 worse. 0 where the target does not vary.
 *
 * - `classAggregation`: "uniformAverage" (the default) is the mean over outputs, "varianceWeightedAverage" weighs each by
 *   its target's variance, "none" gives a table of one row with a number for each output, and their mean as the value.
 */
export const r2Score = defineKind(
  "r2Score",
  { classAggregation: oneOf(["uniformAverage", "varianceWeightedAverage", "none"], "uniformAverage") },
  ({ classAggregation }): Metric => ({
    sums(observed) {
      const { math } = observed;
      const [t, p] = [observed.target, observed.output].map((value) => math.cast(counted(observed, value), "float64"));
      if (t === undefined || p === undefined) throw new Error("r2Score: no target or no output");
      const miss = math.sub(t, p);
      return {
        count: math.sum(countsOf(observed, observed.output), [...t.shape.keys()].slice(0, -1)),
        ...split(observed, "sum", t),
        ...split(observed, "squares", math.mul(t, t)),
        ...split(observed, "missed", math.mul(miss, miss)),
      };
    },
    value(sums) {
      const { scores, variances } = byOutput(sums);
      if (classAggregation !== "varianceWeightedAverage") return add(scores) / scores.length;
      return add(scores.map((score, i) => score * (variances[i] ?? 0))) / add(variances);
    },
    ...(classAggregation === "none" ? { table: (sums: Sums) => [byOutput(sums).scores] } : {}),
  }),
);

function byOutput(sums: Sums): { scores: number[]; variances: number[] } {
  const [counts, squares, missed] = [numbersOf(sums, "count"), joined(sums, "squares"), joined(sums, "missed")];
  const variances = joined(sums, "sum").map((sum, i) => (squares[i] ?? 0) - sum ** 2 / (counts[i] ?? 0));
  const scores = variances.map((variance, i) => (variance > 0 ? 1 - (missed[i] ?? 0) / variance : variance * 0));
  return { scores, variances };
}
