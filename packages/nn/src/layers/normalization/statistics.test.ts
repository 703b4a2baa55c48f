/** @file What describeLayer cannot see: moving statistics, frozen layers, layouts, padding, and numbers far from 0. */
import type { Value } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { Sequential } from "../../model/sequential.ts";
import { input } from "../../network/symbolic.ts";
import { normalAt } from "../../random/hash.ts";
import { checkGradient, toleranceOf } from "../../testing/gradient-check.ts";
import { conv2d } from "../convolution/conv.ts";
import { dense } from "../core/dense.ts";
import { flatten } from "../core/flatten.ts";
import { masking } from "../core/masking.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { add } from "../merge/add.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { groupNormalization } from "./group-normalization.ts";
import { layerNormalization } from "./layer-normalization.ts";
import { rmsNormalization } from "./rms-normalization.ts";

const threads = { threads: 1 };
const noise = (count: number, key = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => normalAt(key, i));
const weightOf = (model: Model, name: string): number[] =>
  Array.from(model.getWeights().find((one) => one.name === name)?.value.data ?? []);
const close = (received: ArrayLike<number>, expected: readonly number[], digits = 5): void => {
  expect(received.length).toBe(expected.length);
  expected.forEach((value, i) => void expect(received[i]).toBeCloseTo(value, digits));
};

/** Mean and variance of each channel of [..., channels]. */
function momentsByChannel(data: ArrayLike<number>, channels: number): { mean: number[]; variance: number[] } {
  const count = data.length / channels;
  const column = (c: number) => Array.from({ length: count }, (_, i) => data[i * channels + c] ?? 0);
  const mean = Array.from({ length: channels }, (_, c) => column(c).reduce((sum, x) => sum + x, 0) / count);
  const variance = mean.map((m, c) => column(c).reduce((sum, x) => sum + (x - m) ** 2, 0) / count);
  return { mean, variance };
}

/** A model whose weights a step of training does not move. */
const still = (layers: readonly Layer[]): Sequential => {
  const model = new Sequential(layers, { seed: 2 });
  model.compile({ optimizer: { type: "sgd", learningRate: 1e-30 }, loss: "meanSquaredError" });
  return model;
};

it("moving statistics follow those of the batch behind a convolution, and count when answering", async () => {
  const [batch, side, channels] = [4, 5, 3];
  const convolution = conv2d(channels, 3, { inputShape: [side, side, 2], biasInitializer: "ones", name: "conv" });
  const model = still([convolution, batchNormalization({ momentum: 0.7, name: "norm" })]);
  const alone = new Sequential([convolution], { seed: 2 });
  const x = { shape: [batch, side, side, 2], data: noise(batch * side * side * 2) };
  const maps = (await alone.predict(x, threads)).data;
  const { mean, variance } = momentsByChannel(maps, channels);
  await model.fit(
    x,
    { shape: [batch, 3, 3, channels], data: noise(maps.length) },
    { epochs: 1, batchSize: batch, ...threads },
  );
  const [movingMean, movingVariance] = [weightOf(model, "norm/moving_mean"), weightOf(model, "norm/moving_variance")];
  close(
    movingMean,
    mean.map((m) => 0.3 * m),
  );
  close(
    movingVariance,
    variance.map((v) => 0.7 + 0.3 * v),
  );
  const expected = Array.from(maps, (value, i) => {
    const c = i % channels;
    return (value - (movingMean[c] ?? 0)) / Math.sqrt((movingVariance[c] ?? 0) + 1e-3);
  });
  close((await model.predict(x, threads)).data, expected, 4);
  await Promise.all([model.close(), alone.close()]);
});

it("the gradient behind a convolution, channels first, follows the differences", async () => {
  const [batch, channels, side] = [3, 2, 4];
  const layer = batchNormalization({ epsilon: 0.01 });
  const vector = { shape: [channels] };
  const { worst } = await checkGradient({
    name: "channels first",
    inputs: [{ shape: [batch, channels, side, side] }, vector, vector],
    build(math, x, gamma, beta) {
      if (x === undefined || gamma === undefined || beta === undefined) throw new Error("no inputs");
      const weights: Readonly<Record<string, Value>> = { gamma, beta };
      const scope: Partial<LayerScope> = {
        math,
        path: "norm",
        training: true,
        trainable: true,
        weight: (name, storage) =>
          math.reshape(weights[name] ?? math.filled([channels], 1, x.dtype), storage?.stored ?? [channels]),
        update: () => {},
      };
      const entering = { value: x, shape: [side, side, channels], layout: { kind: "channelsFirst" } } as const;
      const [made] = layer.build(scope as LayerScope, [entering]);
      if (made === undefined) throw new Error("no answer");
      expect(made.layout.kind).toBe("channelsFirst");
      return made.value;
    },
  });
  expect(worst).toBeLessThan(toleranceOf.float64);
});

it("a frozen batch normalization keeps its statistics and answers by them while training", async () => {
  const frozen = batchNormalization({ trainable: false, name: "norm", inputShape: [2] });
  const model = still([frozen]);
  const x = [
    [5, 1],
    [7, 3],
  ]; // by moving mean 0 and variance 1 nearly as it enters
  const target = x.map((row) => row.map((value) => value / Math.sqrt(1.001)));
  const { history } = await model.fit(x, target, { epochs: 1, ...threads });
  expect(history["loss"]?.[0]).toBeLessThan(1e-9);
  expect(weightOf(model, "norm/moving_mean")).toEqual([0, 0]);
  expect(weightOf(model, "norm/moving_variance")).toEqual([1, 1]);
  await model.close();
});

it("padding counts in no statistic, and a batch of nothing but padding leaves no NaN", async () => {
  const model = still([masking({ inputShape: [3, 1] }), batchNormalization({ momentum: 0, name: "norm" })]);
  const y = (count: number) => ({ shape: [count, 3, 1], data: new Float32Array(3 * count) });
  await model.fit({ shape: [2, 3, 1], data: Float32Array.of(1, 3, 0, 8, 0, 0) }, y(2), {
    epochs: 1,
    batchSize: 2,
    ...threads,
  });
  close(weightOf(model, "norm/moving_mean"), [4]);
  close(weightOf(model, "norm/moving_variance"), [(9 + 1 + 16) / 3]);
  await model.fit({ shape: [1, 3, 1], data: new Float32Array(3) }, y(1), { epochs: 1, ...threads });
  expect(weightOf(model, "norm/moving_mean")).toEqual([0]);
  expect(weightOf(model, "norm/moving_variance")).toEqual([0]);
  await model.close();
});

it("a batch of one row has variance 0, and trains", async () => {
  const model = still([batchNormalization({ momentum: 0, name: "norm", inputShape: [2] })]);
  await model.fit([[5, -1]], [[0, 0]], { epochs: 1, ...threads });
  expect(weightOf(model, "norm/moving_mean")).toEqual([5, -1]);
  expect(weightOf(model, "norm/moving_variance")).toEqual([0, 0]);
  await model.close();
});

const image = input({ shape: [6, 6, 2] });
const x = { shape: [3, 6, 6, 2], data: noise(216) };
const kinds: readonly [string, () => Layer][] = [
  ["batchNormalization", () => batchNormalization({ name: "norm" })],
  ["batchNormalization over rows", () => batchNormalization({ axis: 1, name: "norm" })],
  ["layerNormalization", () => layerNormalization({ name: "norm" })],
  ["layerNormalization over the image", () => layerNormalization({ axis: [1, 2, 3], name: "norm" })],
  ["rmsNormalization", () => rmsNormalization({ name: "norm" })],
  ["groupNormalization", () => groupNormalization({ groups: 2, name: "norm" })],
];
it.each(kinds)("%s answers channels first as it does channels last", async (_name, make) => {
  const maps = conv2d(4, 3, { name: "conv" }).apply(image);
  const model = new Model({ inputs: image, outputs: make().apply(maps) }, { seed: 4 });
  // every weight at random, so that none stands in the wrong place unseen
  model.setWeights(
    model.getWeights().map(({ name, value }, k) => ({
      name,
      value: { ...value, data: Float32Array.from(value.data, (_, i) => 0.5 + Math.abs(normalAt(k, i))) },
    })),
  );
  const before = new Model({ inputs: image, outputs: maps }, { seed: 4 });
  before.loadWeights(model.getWeights().filter(({ name }) => name.startsWith("conv/")));
  const outside = input({ shape: [4, 4, 4] });
  const alone = new Model({ inputs: outside, outputs: make().apply(outside) }, { seed: 4 });
  alone.loadWeights(model.getWeights().filter(({ name }) => name.startsWith("norm/")));
  const expected = await alone.predict(await before.predict(x, threads), threads);
  close((await model.predict(x, threads)).data, Array.from(expected.data), 4);
  await Promise.all([model.close(), before.close(), alone.close()]);
});

it("a residual block of convolutions and normalizations is not transposed inside", () => {
  const block = (from: typeof image) => batchNormalization().apply(conv2d(4, 3, { padding: "same" }).apply(from));
  const first = block(image);
  const outputs = dense(2).apply(flatten().apply(add().apply([block(first), first])));
  const nodes = new Model({ inputs: image, outputs }, { seed: 1 }).toOnnx().graph.nodes;
  expect(nodes.filter(({ operator }) => operator === "Transpose").length).toBe(1); // the image that enters
});

it("batch normalization of a flattened image has its statistics by element, in Keras' order", async () => {
  const maps = conv2d(2, 5, { name: "conv" }).apply(image); // [2, 2, 2]
  const flat = batchNormalization({ name: "norm", momentum: 0 }).apply(flatten().apply(maps));
  const model = new Model({ inputs: image, outputs: flat }, { seed: 4 });
  model.compile({ optimizer: { type: "sgd", learningRate: 1e-30 }, loss: "meanSquaredError" });
  const alone = new Model({ inputs: image, outputs: maps }, { seed: 4 });
  const made = await alone.predict(x, threads);
  await model.fit(x, { shape: [3, 8], data: new Float32Array(24) }, { epochs: 1, batchSize: 3, ...threads });
  close(weightOf(model, "norm/moving_mean"), momentsByChannel(made.data, 8).mean);
  await Promise.all([model.close(), alone.close()]);
});

it.each([
  ["layerNormalization", () => layerNormalization({ epsilon: 1e-6, inputShape: [64] })],
  ["groupNormalization", () => groupNormalization({ groups: 2, epsilon: 1e-6, inputShape: [64] })],
])("%s of a row of one large number is 0, not NaN", async (_name, make) => {
  const model = new Sequential([make()], { seed: 1 });
  for (const size of [1e3, 12345.678, 1e6]) {
    const { data } = await model.predict({ shape: [1, 64], data: new Float32Array(64).fill(size) }, threads);
    for (const value of data) expect(Math.abs(value)).toBeLessThan(1);
  }
  await model.close();
});
