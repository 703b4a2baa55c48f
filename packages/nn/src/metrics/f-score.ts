/** @file F scores: precision and recall in one number, by class. */
import type { Value } from "@gristmill/onnx";
import { numberWhere, oneOf, optional, positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { trueShares, widthOf } from "./classes.ts";
import { counted, type Metric, numbersOf, type Observed, type Sums } from "./metric.ts";

const fields = {
  average: optional(oneOf(["micro", "macro", "weighted"])),
  threshold: optional(numberWhere("a number above 0, up to 1", (value) => value > 0 && value <= 1)),
};

interface Config {
  readonly average: "micro" | "macro" | "weighted" | null;
  readonly threshold: number | null;
  readonly beta: number;
}

/** float32 [batch, ..., classes]: 1 where the model says the class. All that tie for the largest are said. */
function said(observed: Observed, threshold: number | null): Value {
  const { math, output } = observed;
  // a single output that is compared with itself would always be the largest
  const limit = threshold ?? (widthOf(observed) === 1 ? 0.5 : undefined);
  if (limit !== undefined) return math.cast(math.greater(output, limit), "float32");
  const most = math.builder.op("ReduceMax", [output, math.builder.ints(output.shape.length - 1)]);
  return math.cast(math.builder.op("GreaterOrEqual", [output, most]), "float32");
}

const add = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0);

/** `(1 + beta²) p r / (beta² p + r)`, 0 where precision or recall is or cannot be told. */
function score(right: number, wasSaid: number, wasTrue: number, beta: number): number {
  const whole = wasSaid + beta ** 2 * wasTrue;
  return whole === 0 ? 0 : ((1 + beta ** 2) * right) / whole;
}

/** A score for each class. */
function byClass(sums: Sums, beta: number): number[] {
  const [wasSaid, wasTrue] = [numbersOf(sums, "said"), numbersOf(sums, "true")];
  return numbersOf(sums, "right").map((right, i) => score(right, wasSaid[i] ?? 0, wasTrue[i] ?? 0, beta));
}

const fMetric = ({ average, threshold, beta }: Config): Metric => ({
  sums(observed) {
    const { math, output } = observed;
    const [yes, truth] = [said(observed, threshold), trueShares(observed)];
    const rows = output.shape.slice(0, -1).map((_, axis) => axis);
    const sum = (value: Value): Value => math.sum(counted(observed, value), rows); // [classes]
    return { right: sum(math.mul(yes, truth)), said: sum(yes), true: sum(truth) };
  },
  value(sums) {
    const [right, wasSaid, wasTrue] = ["right", "said", "true"].map((name) => numbersOf(sums, name));
    const support = add(wasTrue ?? []);
    if (support + add(wasSaid ?? []) === 0) return Number.NaN;
    if (average === "micro") return score(add(right ?? []), add(wasSaid ?? []), support, beta);
    const scores = byClass(sums, beta);
    if (average !== "weighted") return add(scores) / scores.length;
    return support === 0 ? 0 : add(scores.map((one, i) => one * (wasTrue?.[i] ?? 0))) / support;
  },
  ...(average === null ? { table: (sums: Sums) => [byClass(sums, beta)] } : {}),
});

/**
 * `(1 + beta²) p r / (beta² p + r)` of precision p and recall r.
 *
 * - `average`: "micro" counts all classes together; "macro" is the mean over classes, "weighted" by how often each is
 *   true; null (the default) gives a table of one row with a number for each class, and their mean as the value.
 * - A class is said where its output is the largest (all that tie), or above `threshold`; a single output above 0.5.
 * - Targets one-hot, several yes-or-no answers, or labels. Defaults: `beta` 1.
 */
export const fBetaScore = defineKind("fBetaScore", { ...fields, beta: positive(1) }, fMetric);

/** The harmonic mean of precision and recall. Settings as `fBetaScore`, with beta 1. */
export const f1Score = defineKind("f1Score", fields, (config) => fMetric({ ...config, beta: 1 }));
