/** @file Layers that train on their grid: what they round, where gradients go, and what quantization finds afterwards. */
import { createSession, GraphBuilder, model, quantizeModel, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { conv2d } from "../layers/convolution/conv.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { embedding } from "../layers/embedding/embedding.ts";
import type { Layer } from "../layers/layer.ts";
import { lstm } from "../layers/recurrent/lstm.ts";
import { transformerEncoder } from "../layers/transformer/transformer-encoder.ts";
import { Sequential } from "../model/sequential.ts";
import { sgd } from "../optimizers/sgd.ts";
import { normalAt } from "../random/hash.ts";
import { type Grid, roundedInGraph, roundedInMemory } from "./grid.ts";
import { quantizationAware } from "./quantization-aware.ts";

const noise = (seed: number, ...shape: number[]) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => normalAt(seed, i)),
  );

/** A weight on its grid, and the gradient of its sum weighed by `slopes`. */
async function inGraph(weight: ReturnType<typeof noise>, grid: Grid) {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const w = builder.input("w", "float32", weight.shape);
  const y = roundedInGraph(math, w, grid);
  const slopes = noise(8, ...weight.shape);
  const [slope] = gradients(math, { value: y, gradient: builder.constant(slopes) }, [w]);
  if (slope === undefined) throw new Error("no gradient");
  builder.output(y, "y");
  builder.output(slope, "slope");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ w: weight });
  await session.close();
  return {
    y: Array.from(outputs["y"]?.data ?? [], Number),
    slope: Array.from(outputs["slope"]?.data ?? [], Number),
    slopes,
  };
}

const zeros = tensor("float32", [2, 3], Float32Array.of(0, 5, 0, 0, -5, 1e-30));
const halves = tensor("float32", [2, 2], Float32Array.of(127, -127, 0.5, 1.5));

describe("the grid", () => {
  it.each([
    ["columns", noise(1, 7, 5), { bits: 8, axis: 1 }],
    ["rows, 4 bits", noise(2, 7, 5), { bits: 4, axis: 0 }],
    ["filters, 2 bits", noise(3, 4, 3, 2, 2), { bits: 2, axis: 0 }],
    ["a channel of zeros, and one of next to nothing", zeros, { bits: 8, axis: 1 }],
    ["halves, which go to even neighbours", halves, { bits: 8, axis: 0 }],
  ] as const)(
    "is the same in a graph and in memory, and gradients go straight through: %s",
    async (_name, weight, grid) => {
      const { y, slope, slopes } = await inGraph(weight, grid);
      expect(y).toEqual(Array.from(roundedInMemory(weight, grid).data));
      slope.forEach((value, i) => void expect(value).toBeCloseTo(slopes.data[i] ?? Number.NaN, 5));
    },
  );

  it("has 2^bits - 1 places at most, and moves no weight by more than half a step", () => {
    const weight = noise(4, 50, 3);
    for (const bits of [2, 3, 4, 8]) {
      const rounded = roundedInMemory(weight, { bits, axis: 1 });
      const most = 2 ** (bits - 1) - 1;
      for (let column = 0; column < 3; column++) {
        const of = (data: Float32Array) => Array.from(data).filter((_, i) => i % 3 === column);
        const [before, after] = [of(weight.data), of(rounded.data)];
        const scale = Math.max(...before.map(Math.abs)) / most;
        expect(new Set(after).size).toBeLessThanOrEqual(2 * most + 1);
        after.forEach(
          (value, i) => void expect(Math.abs(value - (before[i] ?? 0))).toBeLessThanOrEqual(scale * 0.50001),
        );
      }
    }
  });
});

/** Layers of every kind of weight, with the weights that are rounded. */
const kinds: Readonly<Record<string, { layers: () => Layer[]; input: readonly number[]; rounded: readonly string[] }>> =
  {
    dense: { layers: () => [quantizationAware(dense(5))], input: [4], rounded: ["quantizationAware_1/kernel"] },
    "dense behind an image": {
      layers: () => [conv2d(2, 2), flatten(), quantizationAware(dense(3, { name: "head" }))],
      input: [4, 4, 1],
      rounded: ["head/kernel"],
    },
    convolution: {
      layers: () => [quantizationAware(conv2d(4, 3, { name: "c" }))],
      input: [6, 6, 2],
      rounded: ["c/kernel"],
    },
    recurrence: {
      layers: () => [quantizationAware(lstm(4, { name: "r" }))],
      input: [5, 3],
      rounded: ["r/kernel", "r/recurrent_kernel"],
    },
  };

describe("an aware layer", () => {
  it.each(Object.entries(kinds))(
    "of a %s rounds what quantization will, exports it so, and comes back",
    async (_name, one) => {
      const made = new Sequential(one.layers(), { seed: 5, inputShape: one.input });
      const exported = made.toOnnx();
      const names = [...exported.graph.initializers.keys()].filter((name) => name.endsWith(".rounded"));
      expect(names.map((name) => name.replace(".rounded", "")).sort()).toEqual([...one.rounded].sort());
      const { quantized } = quantizeModel(exported, { mode: "weightOnly", leastElements: 1 });
      expect(quantized.map(({ weight }) => weight)).toEqual(expect.arrayContaining(names));
      const x = noise(6, 3, ...one.input);
      const same = Sequential.load(made.save());
      expect(same.toSpec()).toEqual(made.toSpec());
      expect(await same.predict(x, { threads: 1 })).toEqual(await made.predict(x, { threads: 1 }));
      await Promise.all([made.close(), same.close()]);
    },
  );

  it("of rows of words rounds each row by itself", () => {
    const made = new Sequential([quantizationAware(embedding(6, 4, { name: "words" }))], { inputShape: [3] });
    const before = made.getWeights()[0]?.value;
    const after = made.toOnnx().graph.initializers.get("words/embeddings.rounded");
    if (before === undefined) throw new Error("no table");
    expect(after).toEqual(roundedInMemory(before, { bits: 8, axis: 0 }));
  });

  it("of parts rounds the matrices in its parts, but those that targets leave out", () => {
    const encoder = transformerEncoder(8, 2, { name: "block" });
    const made = new Sequential([quantizationAware(encoder, { targets: ["*", "!*query*"] })], { inputShape: [4, 8] });
    const names = [...made.toOnnx().graph.initializers.keys()].filter((name) => name.endsWith(".rounded"));
    expect(names.length).toBeGreaterThanOrEqual(5);
    expect(names.some((name) => name.includes("query"))).toBe(false);
  });

  it("moves its weights by the gradient that a plain layer has at the rounded ones", async () => {
    const build = (wrap: (layer: Layer) => Layer) => {
      const made = new Sequential([wrap(dense(3, { name: "d", useBias: false, activation: "tanh" }))], {
        seed: 2,
        inputShape: [4],
      });
      made.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: "meanSquaredError" });
      return made;
    };
    const [aware, plain] = [build((layer) => quantizationAware(layer, { bits: 3 })), build((layer) => layer)];
    const start = aware.getWeights()[0]?.value;
    if (start === undefined) throw new Error("no kernel");
    const grid = roundedInMemory(start, { bits: 3, axis: 1 });
    plain.setWeights([{ name: "d/kernel", value: grid }]);
    const [x, y] = [noise(1, 16, 4), noise(2, 16, 3)];
    await Promise.all([aware, plain].map((one) => one.fit(x, y, { batchSize: 16, threads: 1 })));
    const moved = (of: Sequential, from: typeof grid) =>
      Array.from(of.getWeights()[0]?.value.data ?? [], (value, i) => value - (from.data[i] ?? 0));
    const expected = moved(plain, grid);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-3);
    moved(aware, start).forEach((value, i) => void expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6));
    await Promise.all([aware.close(), plain.close()]);
  });

  it("rounds its outputs while it trains, and not where it answers", async () => {
    const build = (outputs: boolean) => {
      const made = new Sequential([quantizationAware(dense(3, { name: "d" }), { outputs })], {
        seed: 2,
        inputShape: [4],
      });
      made.compile({ optimizer: sgd({ learningRate: 1e-30 }), loss: "meanSquaredError" });
      return made;
    };
    const [x, y] = [noise(1, 16, 4), noise(2, 16, 3)];
    const losses = [];
    for (const outputs of [false, true]) {
      const made = build(outputs);
      const { history } = await made.fit(x, y, { batchSize: 16, threads: 1 });
      losses.push([history["loss"]?.[0], (await made.evaluate(x, y, { threads: 1 })).loss]);
      await made.close();
    }
    const [[trained, answered] = [], [trainedRounded, answeredRounded] = []] = losses;
    expect(answeredRounded).toBe(answered);
    expect(trainedRounded).not.toBe(trained);
    expect(Math.abs((trainedRounded ?? 0) - (trained ?? 0))).toBeLessThan(0.02);
  });

  it("refuses bits and targets that make no sense by name", () => {
    expect(() => quantizationAware(dense(3), { bits: 9 })).toThrow(
      "quantizationAware.bits: expected a whole number from 2 to 8, received 9",
    );
    const build = (layer: Layer) => () => new Sequential([layer], { inputShape: [4] });
    expect(build(quantizationAware(dense(3, { name: "d" }), { targets: ["kern"] }))).toThrow(
      "d: expected targets that fit a weight of a product, convolution or table of rows, received kern; such weights: kernel",
    );
    expect(build(quantizationAware(flatten({ name: "f" })))).toThrow("such weights: none");
  });
});
