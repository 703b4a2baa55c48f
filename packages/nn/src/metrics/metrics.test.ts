import { GraphBuilder, ShapeError } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { GraphMath } from "../graph/graph-math.ts";
import { madeFrom } from "../schema/kind.ts";
import { describeMetric, type MetricCase } from "../testing/describe-metric.ts";
import type { Metric } from "./metric.ts";
import { type MetricName, metrics } from "./table.ts";

const { exp, log, sqrt } = Math;
const of =
  (type: MetricName, settings: object = {}) =>
  (): Metric =>
    madeFrom<Metric>(metrics, { type, ...settings });
const check = (type: MetricName, settings: object, ...cases: MetricCase[]): void =>
  describeMetric(type, of(type, settings), cases);

const scores = [0.1, 0.7, 0.2, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6, 0.4, 0.35, 0.25];
const rows = { shape: [4, 3], values: scores } as const; // said: 1, 0, 2, 0
const labels = [1, 1, 2, 2];
const oneHot = [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1];

check("accuracy", {}, { name: "labels", ...rows, target: labels, expected: 0.5 });
check(
  "accuracy",
  {},
  {
    name: "one yes-or-no output",
    after: "Sigmoid",
    shape: [3, 1],
    values: [0.1, -4, 3],
    target: [1, 1, 1],
    expected: 2 / 3,
  },
);
check(
  "categoricalAccuracy",
  {},
  { name: "one-hot", ...rows, target: oneHot, expected: 0.5 },
  { name: "labels too", ...rows, target: labels, expected: 0.5 },
);
check("sparseCategoricalAccuracy", {}, { name: "labels", ...rows, target: labels, expected: 0.5 });
check(
  "binaryAccuracy",
  { threshold: 0.3 },
  { name: "several outputs", shape: [2, 2], values: [0.4, 0.2, 0.3, 0.9], target: [1, 1, 0, 1], expected: 0.75 },
);
check("sparseTopKCategoricalAccuracy", { k: 2 }, { name: "labels", ...rows, target: labels, expected: 0.75 });
check(
  "topKCategoricalAccuracy",
  { k: 1 },
  {
    name: "ties are in",
    shape: [2, 3],
    values: [0.4, 0.4, 0.2, 0.2, 0.2, 0.6],
    target: [0, 1, 0, 0, 1, 0],
    expected: 0.5,
  },
);
check("topKCategoricalAccuracy", {}, { name: "more than there are", ...rows, target: oneHot, expected: 1 });

const yesNo = { shape: [6, 1], values: [0.9, 0.8, 0.4, 0.6, 0.3, 0.2], target: [1, 0, 1, 1, 0, 0] } as const;
check("truePositives", {}, { name: "by a half", ...yesNo, expected: 2 });
check("falsePositives", {}, { name: "by a half", ...yesNo, expected: 1 });
check("trueNegatives", {}, { name: "by a half", ...yesNo, expected: 2 });
check("falseNegatives", { thresholds: 0.35 }, { name: "by 0.35", ...yesNo, expected: 0 });
check(
  "precision",
  {},
  { name: "by a half", ...yesNo, expected: 2 / 3 },
  { name: "nothing is yes", shape: [2, 1], values: [0.1, 0.2], target: [1, 0], expected: 0 },
);
check("precision", { topK: 2 }, { name: "the best two", ...rows, target: oneHot, expected: 3 / 8 });
check("precision", { topK: 9 }, { name: "more than there are", ...rows, target: labels, expected: 4 / 12 });
check("precision", { topK: 1, thresholds: 0.55 }, { name: "the best, if above", ...rows, target: labels, expected: 1 });
check("recall", {}, { name: "by a half", ...yesNo, expected: 2 / 3 });
check(
  "recall",
  { classId: 2, thresholds: 0.3 },
  { name: "one class of labels", ...rows, target: labels, expected: 0.5 },
);

// classes 0, 1, 2: right 0, 1, 1; said 2, 1, 1; true 0, 2, 2
const f1 = [0, 2 / 3, 2 / 3];
check("f1Score", {}, { name: "by class", ...rows, target: oneHot, expected: 4 / 9, table: [f1] });
check("f1Score", { average: "macro" }, { name: "labels", ...rows, target: labels, expected: 4 / 9 });
check("f1Score", { average: "micro" }, { name: "labels", ...rows, target: labels, expected: 0.5 });
check("f1Score", { average: "weighted" }, { name: "labels", ...rows, target: labels, expected: 2 / 3 });
check(
  "f1Score",
  { average: "macro", threshold: 0.22 },
  { name: "by a threshold", ...rows, target: labels, expected: (0 + 4 / 5 + 1 * (4 / 4)) / 3 },
);
check("f1Score", { average: "micro" }, { name: "one output", ...yesNo, expected: 2 / 3 });
check(
  "fBetaScore",
  { beta: 2, average: "macro" },
  { name: "labels", ...rows, target: labels, expected: (2 * (5 / 9)) / 3 },
);

// pairs of a true and a false answer: 0.9, 0.4, 0.6 against 0.8, 0.3, 0.2: 7 of 9 stand right
check(
  "auc",
  {},
  { name: "pairs that stand right", ...yesNo, expected: 7 / 9 },
  { name: "perfect", shape: [2, 1], values: [1, 0], target: [1, 0], expected: 1 },
);
check("auc", { numThresholds: 2 }, { name: "one step: 0 and 1 alone, by half", ...yesNo, expected: 0.5 });
check(
  "auc",
  { multiLabel: true },
  { name: "the mean of two", shape: [2, 2], values: [0.9, 0.1, 0.2, 0.7], target: [1, 1, 0, 0], expected: 0.5 },
);
check(
  "auc",
  { curve: "PR", summationMethod: "minoring" },
  { name: "steps below", shape: [2, 1], values: [0.9, 0.2], target: [1, 0], expected: 0.5 * 0 + 0 },
);
check("precisionAtRecall", { recall: 0.9 }, { name: "all must be found", ...yesNo, expected: 3 / 4 });
check("recallAtPrecision", { precision: 0.9 }, { name: "the first alone is sure", ...yesNo, expected: 1 / 3 });
check("sensitivityAtSpecificity", { specificity: 0.5 }, { name: "one false yes at most", ...yesNo, expected: 1 });
check("specificityAtSensitivity", { sensitivity: 0.3 }, { name: "one found is enough", ...yesNo, expected: 1 });

const table = [
  [0, 0, 0],
  [1, 1, 0],
  [1, 0, 1],
];
check(
  "confusionMatrix",
  {},
  { name: "labels", ...rows, target: labels, expected: 0.5, table },
  { name: "one-hot", ...rows, target: oneHot, expected: 0.5, table },
);
check(
  "confusionMatrix",
  { numClasses: 2 },
  {
    name: "one output",
    ...yesNo,
    expected: 4 / 6,
    table: [
      [2, 1],
      [1, 2],
    ],
  },
);
check(
  "meanIou",
  {},
  { name: "classes that come", ...rows, target: labels, expected: (0 + 1 / 2 + 1 / 2) / 3 },
  {
    name: "a class that never comes is left out",
    shape: [2, 3],
    values: [1, 0, 0, 1, 0, 0],
    target: [0, 1],
    expected: 0.25,
  },
);
check("iou", { targetClassIds: [1] }, { name: "one class", ...rows, target: labels, expected: 0.5 });

const numbers = { shape: [3, 2], values: [1, 2, 3, 5, 0, 1], target: [1, 4, 0, 1, 0, 3] } as const;
check("meanSquaredError", {}, { name: "rows", ...numbers, expected: (2 + 12.5 + 2) / 3 });
check("rootMeanSquaredError", {}, { name: "rows", ...numbers, expected: sqrt((2 + 12.5 + 2) / 3) });
check("meanAbsoluteError", {}, { name: "rows", ...numbers, expected: (1 + 3.5 + 1) / 3 });
check("logCoshError", {}, { name: "rows", shape: [1, 1], values: [2], target: [1], expected: log(Math.cosh(1)) });
check(
  "cosineSimilarity",
  {},
  { name: "rows", shape: [2, 2], values: [3, 4, 1, 0], target: [6, 8, 0, 1], expected: 0.5 },
);
check("mean", {}, { name: "of outputs", ...numbers, expected: 2 });
check(
  "sparseCategoricalCrossentropy",
  { ignoreClass: 2 },
  {
    name: "an ignored class",
    shape: [2, 3],
    values: [0.25, 0.5, 0.25, 0.2, 0.2, 0.6],
    target: [0, 2],
    expected: log(4),
  },
);
check(
  "perplexity",
  {},
  { name: "labels", after: "Softmax", shape: [2, 2], values: [0, 0, 0, log(3)], target: [0, 0], expected: sqrt(8) },
  { name: "one-hot", shape: [1, 2], values: [0.25, 0.75], target: [1, 0], expected: 4 },
);
check(
  "pearsonCorrelation",
  {},
  {
    name: "a line, and one that does not vary",
    shape: [2, 3],
    values: [1, 2, 3, 1, 1, 1],
    target: [2, 4, 6, 1, 2, 3],
    expected: 0.5,
  },
);
check(
  "concordanceCorrelation",
  {},
  { name: "shifted by 1", shape: [1, 3], values: [1, 2, 3], target: [2, 3, 4], expected: 4 / 7 },
);
check(
  "r2Score",
  { classAggregation: "none" },
  {
    name: "by output",
    shape: [3, 2],
    values: [1, 0, 2, 2, 4, 4],
    target: [1, 0, 2, 2, 3, 10],
    expected: (0.5 + (1 - 36 / 56)) / 2,
    table: [[0.5, 1 - 36 / 56]],
  },
);
check(
  "r2Score",
  { classAggregation: "varianceWeightedAverage" },
  {
    name: "far from 0, where float32 squares lose all",
    shape: [4, 1],
    values: [10001, 10002, 10002, 10004],
    target: [10001, 10002, 10003, 10004],
    expected: 0.8,
  },
);

describe("metrics over many answers", () => {
  it("ROC's area is the share of pairs that stand right, where those between the same thresholds count half", () => {
    // above the last threshold, 1, there is nothing
    const yes = Array.from({ length: 200 }, (_, i) => (i === 199 ? 0 : i % 7));
    const no = Array.from({ length: 200 }, (_, i) => (i === 199 ? 0 : (200 - i) % 11));
    const pairs = yes.flatMap((a, i) => no.map((b, j) => a * b * (i > j ? 1 : i === j ? 0.5 : 0)));
    const add = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0);
    const value = of("auc")().value({ outputs: Float64Array.from([...yes, ...no]) });
    expect(value).toBeCloseTo(add(pairs) / (add(yes) * add(no)), 9);
  });

  it("perplexity of uniform guesses is the number of classes", () => {
    expect(of("perplexity")().value({ total: Float64Array.of(10 * log(7)), count: Float64Array.of(10) })).toBeCloseTo(
      exp(log(7)),
      9,
    );
  });
});

describe("metrics that do not fit", () => {
  const observed = (shape: readonly number[]) => {
    const math = new GraphMath(new GraphBuilder());
    const output = math.builder.input("x", "float32", shape);
    return {
      math,
      output,
      logits: undefined,
      target: math.builder.input("y", "float32", shape),
      mask: undefined,
      kind: "binary" as const,
      weights: undefined,
    };
  };

  it("metrics of classes refuse a single output, and say what to use", () => {
    for (const type of ["categoricalAccuracy", "sparseTopKCategoricalAccuracy"] as const) {
      expect(() => of(type)().sums(observed([4, 1]))).toThrow(ShapeError);
      expect(() => of(type)().sums(observed([4, 1]))).toThrow("for one output use the metrics of yes-or-no answers");
    }
  });

  it("a number of classes that the output has not is told", () => {
    expect(() => of("meanIou", { numClasses: 4 })().sums(observed([2, 3]))).toThrow(
      "expected an output of numClasses 4, received one of 3 classes",
    );
    expect(() => of("precision", { classId: 3 })().sums(observed([2, 3]))).toThrow(
      "classId: expected a class from 0 to 2, received 3",
    );
    expect(() => of("iou", { targetClassIds: [3] })().sums(observed([2, 3]))).toThrow(
      "targetClassIds: expected classes from 0 to 2, received [3]",
    );
  });

  it("settings are checked", () => {
    expect(() => of("auc", { numThresholds: 1 })()).toThrow(
      "numThresholds: expected a whole number from 2 to 100000, received 1",
    );
    expect(() => of("f1Score", { average: "samples" })()).toThrow(
      'average: expected one of "micro", "macro", "weighted"',
    );
    expect(() => of("precisionAtRecall")()).toThrow(
      "recall: expected a number from 0 to 1, received nothing: the field is required",
    );
  });
});
