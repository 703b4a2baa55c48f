/** @file Softmax, normalizations by layer, batch, image and group, and dropout. */
import { type AttributesOf, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { CheckedInput, GradientCase } from "../gradient-check.ts";
import { bools, node, random, withConstants } from "./make-case.ts";

/** Variances: far enough above 0. */
const positive = (count: number): CheckedInput => ({
  shape: [count],
  values: Array.from({ length: count }, (_, i) => 0.6 + ((i * 5) % count) / 3),
});

/** Batch normalization in training; all its outputs side by side, or the first `outputs` of them. */
const trainedBatch = (name: string, x: readonly number[], outputs: number): GradientCase => {
  const channels = x[1] ?? 1;
  return {
    name,
    inputs: [random(...x), random(channels), random(channels), random(channels), positive(channels)],
    dtype: "float32",
    build: (math, ...inputs) => {
      const values = math.builder.ops("BatchNormalization", inputs, { training_mode: 1, momentum: 0.7 }, 3);
      const flat = values.slice(0, outputs).map((value) => math.reshape(value, [-1]));
      return math.concat(flat, 0);
    },
  };
};

const dropout = (name: string, ratio: number | undefined, isTraining: boolean): GradientCase => ({
  ...node(name, "Dropout", [random(2, 3)], {}, "float32"),
  build: (math: GraphMath, ...[x]: Value[]) => {
    const share =
      ratio === undefined ? undefined : math.builder.constant(tensor("float32", [], Float32Array.of(ratio)));
    const [y] = math.builder.ops("Dropout", [x, share, bools(math, [], Number(isTraining))], {}, 2);
    if (y === undefined) throw new Error("Dropout made no output");
    return y;
  },
});

const layer = (
  name: string,
  x: readonly number[],
  parameters: readonly (readonly number[])[],
  attributes: AttributesOf<"LayerNormalization"> = {},
): GradientCase =>
  node(
    name,
    "LayerNormalization",
    [random(...x), ...parameters.map((shape) => random(...shape))],
    attributes,
    "float32",
  );

/** Softmax, normalizations by layer, batch, image and group, and dropout. */
export const normalizationCases = {
  Softmax: [
    node("the last axis", "Softmax", [random(2, 4)]),
    node("the first axis", "Softmax", [random(3, 2)], { axis: 0 }),
  ],
  LogSoftmax: [
    node("the last axis", "LogSoftmax", [random(2, 4)]),
    node("a middle axis", "LogSoftmax", [random(2, 3, 2)], { axis: 1 }),
  ],
  LayerNormalization: [
    layer("the last axis", [3, 5], [[5], [5]]),
    layer("two axes, no bias", [2, 3, 4], [[3, 4]], { axis: 1 }),
    layer("one number scales all", [3, 4], [[1], [1]], { axis: -1, epsilon: 0.1 }),
    {
      ...layer("its statistics kept", [2, 3, 4], [[4], [4]]),
      build: (math, ...inputs) => {
        const [y] = math.builder.ops("LayerNormalization", inputs, {}, 3);
        if (y === undefined) throw new Error("LayerNormalization made no output");
        return y;
      },
    },
  ],
  BatchNormalization: [
    node(
      "by given statistics",
      "BatchNormalization",
      [random(2, 3, 2, 2), random(3), random(3), random(3), positive(3)],
      { epsilon: 0.01 },
      "float32",
    ),
    node(
      "by given statistics, rows",
      "BatchNormalization",
      [random(4, 3), random(3), random(3), random(3), positive(3)],
      {},
      "float32",
    ),
    trainedBatch("by the batch's statistics", [3, 2, 2, 3], 1),
    trainedBatch("by the batch's statistics, which are used too", [3, 2, 2, 3], 3),
    trainedBatch("by the batch's statistics, rows", [5, 3], 1),
    trainedBatch("by the batch's statistics, 1-D", [2, 3, 4], 3),
    trainedBatch("by the batch's statistics, 3-D", [2, 2, 2, 3, 2], 1),
  ],
  InstanceNormalization: [
    node("2-D", "InstanceNormalization", [random(2, 3, 3, 2), random(3), random(3)], {}, "float32"),
    node("1-D", "InstanceNormalization", [random(2, 3, 4), random(3), random(3)], { epsilon: 0.1 }, "float32"),
  ],
  Dropout: [
    node("without a mode", "Dropout", [random(2, 3)], {}, "float32"),
    withConstants(
      "not in training",
      "Dropout",
      [random(2, 3)],
      (math) => [math.builder.scalar(0.5), bools(math, [], 0)],
      {},
      "float32",
    ),
    dropout("in training, keeping all", 0, true),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
