import { createSession, GraphBuilder, model, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { writeObjective } from "../compile/objective.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { plain } from "../layers/features.ts";
import type { Metric } from "../metrics/metric.ts";
import { sgd } from "../optimizers/sgd.ts";
import { describeLoss } from "../testing/describe-loss.ts";
import { binaryCrossentropy } from "./binary-crossentropy.ts";
import { categoricalCrossentropy } from "./categorical-crossentropy.ts";
import { circle } from "./circle.ts";
import { klDivergence } from "./distributions.ts";
import { binaryFocalCrossentropy, categoricalFocalCrossentropy } from "./focal-crossentropy.ts";
import { categoricalGeneralizedCrossEntropy } from "./generalized-crossentropy.ts";
import { categoricalHinge } from "./hinge.ts";
import type { Loss } from "./loss.ts";
import { dice, tversky } from "./overlap.ts";
import { huber } from "./robust-errors.ts";
import { sparseCategoricalCrossentropy } from "./sparse-categorical-crossentropy.ts";

const { exp, log, sqrt } = Math;
const softplus = (x: number): number => log(1 + exp(x));

describeLoss(
  "binaryCrossentropy, fromLogits, labelSmoothing 0.2",
  () => binaryCrossentropy({ fromLogits: true, labelSmoothing: 0.2 }).value,
  [
    {
      name: "targets become 0.1 and 0.9",
      shape: [1, 2],
      values: [0, 2],
      target: [1, 0],
      expected: [(log(2) + softplus(2) - 0.2) / 2],
    },
  ],
);
describeLoss(
  "categoricalCrossentropy, fromLogits, labelSmoothing 0.4",
  () => categoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.4 }).value,
  [
    {
      name: "targets become 0.8 and 0.2",
      shape: [1, 2],
      values: [0, log(3)],
      target: [1, 0],
      expected: [0.8 * log(4) + 0.2 * log(4 / 3)],
    },
  ],
);
describeLoss(
  "sparseCategoricalCrossentropy, labelSmoothing 0.4",
  () => sparseCategoricalCrossentropy({ labelSmoothing: 0.4 }).value,
  [
    {
      name: "as the categorical one",
      after: "Softmax",
      shape: [1, 2],
      values: [0, log(3)],
      target: [0],
      expected: [0.8 * log(4) + 0.2 * log(4 / 3)],
    },
  ],
);
describeLoss(
  "sparseCategoricalCrossentropy, ignoreClass -1",
  () => sparseCategoricalCrossentropy({ ignoreClass: -1 }).value,
  [
    {
      name: "is 0 there",
      after: "Softmax",
      shape: [2, 2],
      values: [0, log(3), 1, 5],
      target: [0, -1],
      expected: [log(4), 0],
    },
  ],
);
describeLoss("binaryFocalCrossentropy", () => binaryFocalCrossentropy().value, [
  {
    name: "probabilities",
    shape: [2, 1],
    values: [0.75, 0.75],
    target: [1, 0],
    expected: [log(4 / 3) / 16, (9 / 16) * log(4)],
  },
  {
    name: "after sigmoid",
    after: "Sigmoid",
    shape: [1, 1],
    values: [log(3)],
    target: [0],
    expected: [(9 / 16) * log(4)],
  },
  {
    name: "after sigmoid, far out and wrong",
    after: "Sigmoid",
    shape: [1, 1],
    values: [60],
    target: [0],
    expected: [60],
  },
]);
describeLoss(
  "binaryFocalCrossentropy, balanced, gamma 0.5",
  () => binaryFocalCrossentropy({ applyClassBalancing: true, gamma: 0.5 }).value,
  [
    {
      name: "yes counts a quarter",
      shape: [2, 1],
      values: [0.75, 0.75],
      target: [1, 0],
      expected: [log(4 / 3) / 8, 0.75 * sqrt(0.75) * log(4)],
    },
    { name: "sure and right", shape: [1, 1], values: [1], target: [1], expected: [0], bends: true },
  ],
);
describeLoss("categoricalFocalCrossentropy", () => categoricalFocalCrossentropy().value, [
  { name: "probabilities", shape: [1, 2], values: [0.25, 0.75], target: [1, 0], expected: [(9 / 64) * log(4)] },
  {
    name: "after softmax",
    after: "Softmax",
    shape: [1, 2],
    values: [0, log(3)],
    target: [1, 0],
    expected: [(9 / 64) * log(4)],
  },
]);
describeLoss("klDivergence", () => klDivergence().value, [
  {
    name: "probabilities",
    shape: [2, 2],
    values: [0.5, 0.5, 0.25, 0.75],
    target: [0.25, 0.75, 0.25, 0.75],
    expected: [0.25 * log(0.5) + 0.75 * log(1.5), 0],
  },
  {
    name: "after softmax",
    after: "Softmax",
    shape: [1, 2],
    values: [0, log(3)],
    target: [0.5, 0.5],
    expected: [0.5 * log(2) + 0.5 * log(2 / 3)],
  },
  {
    name: "a class that never is",
    after: "Softmax",
    shape: [1, 2],
    values: [0, 0],
    target: [1, 0],
    expected: [log(2)],
  },
]);
describeLoss("categoricalGeneralizedCrossEntropy", () => categoricalGeneralizedCrossEntropy().value, [
  {
    name: "probabilities",
    shape: [2, 2],
    values: [0.25, 0.75, 0.5, 0.5],
    target: [0, 1],
    expected: [1, 2 * (1 - sqrt(0.5))],
  },
  { name: "after softmax, hopeless", after: "Softmax", shape: [1, 2], values: [-200, 0], target: [0], expected: [2] },
]);
describeLoss("categoricalHinge", () => categoricalHinge().value, [
  {
    name: "by less than the margin, and by more",
    shape: [2, 3],
    values: [1, 0.5, -1, 3, 0, 1],
    target: [1, 0, 0, 1, 0, 0],
    expected: [0.5, 0],
  },
  { name: "wrong", shape: [1, 2], values: [0, 2], target: [1, 0], expected: [3] },
]);
describeLoss("dice", () => dice({ axis: [1, 2] }).value, [
  {
    name: "each sample",
    shape: [2, 2, 2],
    values: [1, 0.5, 0, 0, 1, 1, 1, 1],
    target: [1, 0, 0, 1, 1, 1, 1, 1],
    expected: [1 - 2 / 3.5, 0],
  },
  {
    name: "nothing and nothing found",
    shape: [1, 2, 2],
    values: [0, 0, 0, 0],
    target: [0, 0, 0, 0],
    expected: [1],
    bends: true,
  },
  {
    name: "a mask drops steps, all of a row's too",
    shape: [2, 2, 1],
    values: [0.5, 1, 1, 1],
    target: [1, 0, 0, 1],
    mask: { shape: [2, 2], data: [1, 0, 0, 0] },
    expected: [1 - 1 / 1.5, 1],
  },
]);
describeLoss("dice, all at once", () => dice().value, [
  { name: "one number", shape: [2, 2], values: [1, 0.5, 0, 1], target: [1, 0, 0, 1], expected: [1 - 4 / 4.5] },
]);
describeLoss("tversky", () => tversky({ alpha: 0.3, beta: 0.7, axis: [1] }).value, [
  {
    name: "missed and found falsely",
    shape: [2, 2],
    values: [0.5, 0, 1, 0.5],
    target: [1, 0, 1, 0],
    expected: [1 - 0.5 / 0.65, 1 - 1 / 1.35],
  },
]);

const unit = [1, 0, 0.6, 0.8, 0, 1, -1, 0];
const logSumExp = (...values: number[]): number => log(values.reduce((sum, value) => sum + exp(value), 0));
const pull = (d: number): number => 2 * (d + 0.4) * (d - 0.4);
const push = (d: number): number => 2 * Math.max(1.4 - d, 0) * (0.6 - d);
describeLoss("circle, gamma 2", () => circle({ gamma: 2 }).value, [
  {
    name: "two labels, one of them alone",
    shape: [4, 2],
    values: unit,
    target: [7, 7, 7, -3],
    expected: [
      softplus(logSumExp(pull(0.4), pull(1)) + push(2)),
      softplus(logSumExp(pull(0.4), pull(0.2)) + push(1.6)),
      softplus(logSumExp(pull(1), pull(0.2)) + push(1)),
      0, // no partner
    ],
  },
]);

describe("answers that a loss leaves out", () => {
  async function lossOf(
    loss: Loss,
    shape: readonly number[],
    values: readonly number[],
    target: readonly number[],
    mask?: readonly number[],
  ) {
    const builder = new GraphBuilder();
    const math = new GraphMath(builder);
    const features = plain(
      builder.constant(tensor("float32", shape, Float32Array.from(values))),
      shape.slice(1),
      mask && math.cast(builder.constant(tensor("int32", shape.slice(0, 2), Int32Array.from(mask))), "bool"),
    );
    const truth = builder.constant(tensor("int32", [...shape.slice(0, -1)], Int32Array.from(target)));
    const objective = { name: "output", loss, lossWeight: 1, metrics: new Map<string, Metric>() };
    builder.output(
      writeObjective(math, { outputs: [objective], optimizer: sgd().value }, [
        { features, target: truth, weight: undefined },
      ]).loss,
      "loss",
    );
    const session = await createSession(model(builder.build()), { threads: 1 });
    const { outputs } = await session.run({});
    await session.close();
    return Number(outputs["loss"]?.data[0]);
  }
  const rows = [0.25, 0.75, 0.5, 0.5, 0.9, 0.1];
  const sparse = sparseCategoricalCrossentropy({ ignoreClass: -1 }).value;

  it("are not counted either", async () => {
    expect(await lossOf(sparse, [3, 2], rows, [0, -1, 1])).toBeCloseTo((log(4) + log(10)) / 2, 5);
  });

  it("and those that a mask drops are dropped alike", async () => {
    expect(await lossOf(sparse, [1, 3, 2], rows, [0, -1, 1], [1, 1, 0])).toBeCloseTo(log(4), 5);
    expect(await lossOf(sparse, [1, 3, 2], rows, [-1, 0, 1], [1, 0, 0])).toBe(0); // none is left
  });

  it("of circle are those without a partner", async () => {
    const all = await lossOf(circle({ gamma: 2 }).value, [4, 2], unit, [7, 7, 7, -3]);
    const [a, b, c] = [
      softplus(logSumExp(pull(0.4), pull(1)) + push(2)),
      softplus(logSumExp(pull(0.4), pull(0.2)) + push(1.6)),
      softplus(logSumExp(pull(1), pull(0.2)) + push(1)),
    ];
    expect(all).toBeCloseTo((a + b + c) / 3, 5);
  });
});

describe("settings that do not fit", () => {
  it("fromLogits after a softmax is told", () => {
    const builder = new GraphBuilder();
    const math = new GraphMath(builder);
    const logits = builder.input("x", "float32", [2, 3]);
    const prediction = {
      math,
      output: builder.op("Softmax", [logits], { axis: -1 }),
      logits: { activation: "softmax" as const, value: logits },
      target: builder.input("y", "float32", [2, 3]),
      mask: undefined,
    };
    expect(() => categoricalCrossentropy({ fromLogits: true }).value.perAnswer(prediction)).toThrow(
      "expected logits, as fromLogits says, received an output after softmax; leave fromLogits out",
    );
  });

  it("an ignored label that is a class is no label beyond them", () => {
    const spec = (ignoreClass: number) => sparseCategoricalCrossentropy({ ignoreClass }).value.target([5]);
    expect(spec(4)).toEqual({ dtype: "int32", shape: [], classes: 5 });
    expect(spec(255)).toEqual({ dtype: "int32", shape: [], classes: 5, padding: 255 });
  });

  it("are named", () => {
    expect(() => dice({ axis: [0] })).toThrow(
      "dice.axis: expected a list of axes from 1, each once, such as [1, 2, 3], received [0]",
    );
    expect(() => dice({ axis: [1, 3] }).value.target([4, 2])).toThrow(
      "expected axes from 1 to 2 of answers [batch, 4, 2], received axis [1, 3]",
    );
    expect(() => huber({ delta: 0 })).toThrow("huber.delta: expected a number above 0, received 0");
    expect(() => sparseCategoricalCrossentropy({ ignoreClass: 0.5 })).toThrow("expected a whole number, received 0.5");
    expect(() => categoricalCrossentropy({ labelSmoothing: 1 })).toThrow(
      "labelSmoothing: expected a number from 0 up to but without 1",
    );
  });
});
