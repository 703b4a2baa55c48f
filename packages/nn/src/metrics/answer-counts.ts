/** @file Metrics of yes-or-no answers: how many are rightly and falsely yes and no. */
import { ShapeError, type Value } from "@gristmill/onnx";
import { oneHot } from "../losses/probabilities.ts";
import { numberWhere, optional, size } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { trueAnswers, widthOf } from "./classes.ts";
import { counted, type Metric, type Observed, type Sums, sumOf, total } from "./metric.ts";

const fields = {
  thresholds: optional(numberWhere("a number from 0 to 1", (value) => value >= 0 && value <= 1)),
  topK: optional(size()),
  classId: optional(numberWhere("a whole number from 0", (value) => Number.isInteger(value) && value >= 0)),
};

interface Config {
  readonly thresholds: number | null;
  readonly topK: number | null;
  readonly classId: number | null;
}

/** bool [batch, ..., outputs]: the k largest of the last axis, of ties the first. */
function best({ math, output }: Observed, k: number, width: number): Value {
  const last = output.shape.length - 1;
  const [, places] = math.builder.ops("TopK", [output, math.builder.ints(Math.min(k, width))], { axis: last }, 2);
  if (places === undefined) throw new Error("TopK gave no places");
  return math.greater(math.sum(oneHot(math, places, width), [last]), 0);
}

/** Where the model says yes, and where it is true: bool [batch, ..., outputs], or [batch, ..., 1] of one class. */
function answers(observed: Observed, { thresholds, topK, classId }: Config): { said: Value; truth: Value } {
  const { math, output } = observed;
  const width = widthOf(observed);
  // the k best are yes however small they are, where no threshold is asked for
  const above = topK !== null && thresholds === null ? undefined : math.greater(output, thresholds ?? 0.5);
  const among = topK === null ? undefined : best(observed, topK, width);
  const said = above === undefined ? among : among === undefined ? above : math.builder.op("And", [above, among]);
  if (said === undefined) throw new Error("neither a threshold nor topK");
  const truth = trueAnswers(observed);
  if (classId === null) return { said, truth };
  const last = output.shape.length - 1;
  if (classId >= width)
    throw new ShapeError("metric", `classId: expected a class from 0 to ${width - 1}, received ${classId}`);
  const only = (value: Value): Value => math.slice(value, [last], [classId], [classId + 1]);
  return { said: only(said), truth: only(truth) };
}

/** What became of answers. */
interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

const countsIn = (sums: Sums): Counts => ({
  truePositives: sumOf(sums, "truePositives"),
  falsePositives: sumOf(sums, "falsePositives"),
  trueNegatives: sumOf(sums, "trueNegatives"),
  falseNegatives: sumOf(sums, "falseNegatives"),
});

/** A share, 0 where the whole is 0 as in Keras; NaN where nothing at all was counted. */
const share = (
  part: number,
  whole: number,
  { truePositives, falsePositives, trueNegatives, falseNegatives }: Counts,
) =>
  truePositives + falsePositives + trueNegatives + falseNegatives === 0 ? Number.NaN : whole === 0 ? 0 : part / whole;

const answerMetric = (config: Config, read: (counts: Counts) => number): Metric => ({
  sums(observed) {
    const { math } = observed;
    const { said, truth } = answers(observed, config);
    const not = (value: Value): Value => math.builder.op("Not", [value]);
    const both = (a: Value, b: Value): Value =>
      total(math, counted(observed, math.cast(math.builder.op("And", [a, b]), "float32")));
    return {
      truePositives: both(said, truth),
      falsePositives: both(said, not(truth)),
      trueNegatives: both(not(said), not(truth)),
      falseNegatives: both(not(said), truth),
    };
  },
  value: (sums) => read(countsIn(sums)),
});

/**
 * The share of yes answers that are true: `tp / (tp + fp)`, 0 where nothing is yes.
 *
 * - An output is a yes above `thresholds` (0.5); with `topK` when it is among the k largest of its answer (and above
 *   `thresholds`, where both are given); with `classId` that output alone is looked at.
 * - Targets 0 and 1 for each output, or labels.
 */
export const precision = defineKind("precision", fields, (config) =>
  answerMetric(config, (c) => share(c.truePositives, c.truePositives + c.falsePositives, c)),
);

/** The share of true answers that are found: `tp / (tp + fn)`, 0 where nothing is true. Settings as `precision`. */
export const recall = defineKind("recall", fields, (config) =>
  answerMetric(config, (c) => share(c.truePositives, c.truePositives + c.falseNegatives, c)),
);

const countMetric = (name: keyof Counts) =>
  defineKind(name, { thresholds: fields.thresholds }, ({ thresholds }) =>
    answerMetric({ thresholds, topK: null, classId: null }, (counts) => counts[name]),
  );

/** How many outputs above `thresholds` (0.5) are true. */
export const truePositives = countMetric("truePositives");
/** How many outputs above `thresholds` (0.5) are not true. */
export const falsePositives = countMetric("falsePositives");
/** How many outputs up to `thresholds` (0.5) are not true. */
export const trueNegatives = countMetric("trueNegatives");
/** How many outputs up to `thresholds` (0.5) are true. */
export const falseNegatives = countMetric("falseNegatives");
