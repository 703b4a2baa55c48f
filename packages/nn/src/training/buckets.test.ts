import { describe, expect, it } from "vitest";
import { dense } from "../layers/core/dense.ts";
import { masking } from "../layers/core/masking.ts";
import { embedding } from "../layers/embedding/embedding.ts";
import { globalAveragePooling1d } from "../layers/pooling/global-pooling.ts";
import { lstm } from "../layers/recurrent/lstm.ts";
import { Sequential } from "../model/sequential.ts";
import { type Buckets, bucketByLength } from "./buckets.ts";
import { padSequences } from "./sequences.ts";

/** Samples of 1 to 9 steps of two numbers, none of them 0. */
const x = Array.from({ length: 23 }, (_, i) =>
  Array.from({ length: 1 + ((i * 7) % 9) }, (_, step) => [0.1 + ((i + step) % 5) / 5, -0.2 - ((i * step) % 3) / 3]),
);
const perSample = x.map((_, i) => [Math.sin(i)]);
const perStep = x.map((sample, i) => sample.map((_, step) => (i + step) % 3));
const tokens = x.map((sample, i) => sample.map((_, step) => 1 + ((i + 2 * step) % 6)));

const all = async (stream: Buckets, epoch = 0) => {
  const batches = [];
  for await (const batch of stream(epoch))
    batches.push(batch as { x: { shape: number[]; data: Float32Array }; y: { shape: number[]; data: Float32Array } });
  return batches;
};

describe("padding", () => {
  const sequences = [[1, 2, 3], [], [4]];
  it.each([
    [{}, [1, 2, 3, 0, 0, 0, 4, 0, 0]],
    [{ padding: "pre" }, [1, 2, 3, 0, 0, 0, 0, 0, 4]],
    [{ length: 2, padValue: -1 }, [1, 2, -1, -1, 4, -1]],
    [{ length: 2, padding: "pre" }, [2, 3, 0, 0, 0, 4]],
    [{ length: 0 }, []],
  ] as const)("fills up and cuts by %j", (options, expected) => {
    const { shape, data } = padSequences(sequences, options);
    expect(shape).toEqual([3, expected.length / 3]);
    expect(Array.from(data)).toEqual(expected);
  });

  it("takes steps of any size, lists and arrays alike, and says what does not fit", () => {
    const nested = padSequences([
      [[1, 2]],
      [
        [3, 4],
        [5, 6],
      ],
    ]);
    const typed = padSequences([
      { shape: [1, 2], data: Float32Array.of(1, 2) },
      { shape: [2, 2], data: Float32Array.of(3, 4, 5, 6) },
    ]);
    expect(nested).toEqual({ shape: [2, 2, 2], data: Float32Array.of(1, 2, 0, 0, 3, 4, 5, 6) });
    expect(typed).toEqual(nested);
    expect(padSequences([]).shape).toEqual([0, 0]);
    expect(() => padSequences([[[1, 2], [3]]])).toThrow("sequence 0: expected steps of [2] numbers each; one differs");
    expect(() => padSequences([[1], [[1]]])).toThrow("expected steps of one size, received [] and [1]");
    expect(() => padSequences([{ shape: [2, 2], data: Float32Array.of(1) }])).toThrow("expected 4 numbers");
    expect(() => padSequences([[1]], { length: -1 })).toThrow("length: expected a whole number from 0, received -1");
  });
});

describe("buckets", () => {
  it("have every sample once, few lengths, and an order by (seed, epoch)", async () => {
    const stream = bucketByLength({ x, y: x.map((_, i) => i) }, { boundaries: [3, 6], batchSize: 4, seed: 7 });
    expect(stream.lengths).toEqual([3, 6, 9]);
    const first = await all(stream);
    expect(first).toHaveLength(stream.batches);
    expect(first.flatMap(({ y }) => [...y.data]).sort((a, b) => a - b)).toEqual(x.map((_, i) => i));
    expect(new Set(first.map(({ x: { shape } }) => shape[1]))).toEqual(new Set([3, 6, 9]));
    expect(await all(stream)).toEqual(first);
    expect(await all(stream, 1)).not.toEqual(first);
    const steps = x.reduce((sum, { length }) => sum + length, 0);
    const filled = first.reduce((sum, { x: { shape } }) => sum + (shape[0] ?? 0) * (shape[1] ?? 0), 0);
    expect(stream.paddingShare).toBeCloseTo(1 - steps / filled, 12);
    const inOrder = await all(
      bucketByLength({ x, y: x.map((_, i) => i) }, { boundaries: [3], shuffle: false, batchSize: 99 }),
    );
    expect([...(inOrder[0]?.y.data ?? [])]).toEqual(x.flatMap(({ length }, i) => (length <= 3 ? [i] : [])));
  });

  it("by quantiles hold about equally many, and one for all equal lengths; batches may go by steps", async () => {
    const four = bucketByLength({ x, y: perSample }, { boundaries: 4 });
    expect(four.lengths).toHaveLength(4);
    expect(four.paddingShare).toBeLessThan(bucketByLength({ x, y: perSample }, { boundaries: 1 }).paddingShare);
    const equal = bucketByLength({ x: [[1], [2]], y: [0, 1] }, { boundaries: 5 });
    expect([equal.lengths, equal.paddingShare]).toEqual([[1], 0]);
    const bySteps = bucketByLength({ x, y: perSample }, { boundaries: [3], stepsPerBatch: 12, shuffle: false });
    const [short = []] = (await all(bySteps)).map(({ x: { shape } }) => shape);
    expect(short).toEqual([4, 3, 2]);
    const long = (await all(bySteps)).filter(({ x: { shape } }) => shape[1] === 9);
    expect(long.map(({ x: { shape } }) => shape[0])).toEqual(long.map(() => 1));
  });

  it("fill answers up by steps, by their own lengths, or not at all", async () => {
    const lists = [[1, 2, 3], [4]];
    const only = async (y: Parameters<typeof bucketByLength>[0]["y"], options = {}) =>
      (await all(bucketByLength({ x: lists, y }, { boundaries: 1, shuffle: false, ...options })))[0]?.y;
    const data = (...values: number[]) => Float32Array.from(values);
    expect(await only([5, 6])).toEqual({ shape: [2], data: data(5, 6) });
    expect(
      await only([
        [5, 6],
        [7, 8],
      ]),
    ).toEqual({ shape: [2, 2], data: data(5, 6, 7, 8) });
    expect(await only([[5, 6, 7], [8]], { labelPadValue: -1 })).toEqual({
      shape: [2, 3],
      data: data(5, 6, 7, 8, -1, -1),
    });
    expect(await only([[5, 6, 7], [8]], { padding: "pre" })).toEqual({ shape: [2, 3], data: data(5, 6, 7, 0, 0, 8) });
    expect(await only([[5, 6], [8]], { padding: "pre" })).toEqual({ shape: [2, 2], data: data(5, 6, 8, 0) });
  });

  it.each([
    [{}, { x: [], y: [] }, "x: expected at least one sample, received none"],
    [{}, { x: [[1]], y: [] }, "y: expected 1 answers, one per sample, received 0"],
    [{ answers: "step" }, { x: [[1, 2]], y: [[1]] }, "y: expected an answer for each step"],
    [{ answers: "sample" }, { x: [[1], [1]], y: [[1], [1, 2]] }, "y: expected answers of one size"],
    [{ boundaries: [4, 4] }, { x: [[1]], y: [1] }, "boundaries[1]: expected rising numbers above 0, received 4, 4"],
    [{ boundaries: 0 }, { x: [[1]], y: [1] }, "boundaries: expected a list of steps or a number of buckets from 1"],
    [{ batchSize: 1, stepsPerBatch: 1 }, { x: [[1]], y: [1] }, "expected batchSize or stepsPerBatch, received both"],
    [{ stepsPerBatch: 0.5 }, { x: [[1]], y: [1] }, "stepsPerBatch: expected a whole number from 1, received 0.5"],
  ] as const)("say what is wrong: %j", (options, data, message) => {
    expect(() => bucketByLength(data, options)).toThrow(message);
  });
});

describe("what is filled up does not count", () => {
  it.each(["post", "pre"] as const)("in a recurrent network with masking, filled up %s", async (padding) => {
    const model = new Sequential([masking({ inputShape: [null, 2] }), lstm(3), dense(1)], { seed: 2 });
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    let sum = 0;
    for (const [i, sample] of x.entries())
      sum += (await model.evaluate([sample], [perSample[i] ?? []], { threads: 1 })).loss;
    const stream = bucketByLength({ x, y: perSample }, { boundaries: [4], batchSize: 8, padding });
    expect((await model.evaluate(stream, { threads: 1 })).loss).toBeCloseTo(sum / x.length, 5);
    await model.close();
  });

  it("in the loss of each step, by maskZero, and in training: one step each on samples alone is the same", async () => {
    const trained = async (data: Buckets | (() => AsyncGenerator<{ x: number[][]; y: number[][] }>)) => {
      const model = new Sequential(
        [
          embedding(7, 3, { maskZero: true, inputShape: [null] }),
          lstm(4, { returnSequences: true }),
          dense(3, { activation: "softmax" }),
        ],
        { seed: 3 },
      );
      model.compile({
        optimizer: { type: "sgd", learningRate: 0.1 },
        loss: "sparseCategoricalCrossentropy",
        metrics: ["accuracy"],
      });
      const before = await model.evaluate(data, { threads: 1 });
      await model.fit(data, { threads: 1 });
      await model.close();
      return { before, weights: model.getWeights() };
    };
    const few = { x: tokens.slice(0, 6), y: perStep.slice(0, 6) };
    const filled = await trained(bucketByLength(few, { boundaries: 1, batchSize: 1, shuffle: false }));
    const alone = await trained(async function* () {
      for (const [i, sample] of few.x.entries()) yield { x: [sample], y: [few.y[i] ?? []] };
    });
    expect(filled.before.loss).toBeCloseTo(alone.before.loss, 6);
    expect(filled.before.metrics["accuracy"]).toBeCloseTo(alone.before.metrics["accuracy"] ?? 0, 6);
    for (const [i, { name, value }] of filled.weights.entries())
      for (const [at, number] of value.data.entries())
        expect(number, name).toBeCloseTo(alone.weights[i]?.value.data[at] ?? Number.NaN, 5);
  });

  it("keeps the sessions of all its buckets open, and trains again as it did", async () => {
    const bytes = async () => {
      const model = new Sequential([masking({ inputShape: [null, 2] }), globalAveragePooling1d(), dense(1)], {
        seed: 2,
      });
      model.compile({ optimizer: "adam", loss: "meanSquaredError" });
      await model.fit(bucketByLength({ x, y: perSample }, { boundaries: 3, batchSize: 4 }), { epochs: 3, threads: 1 });
      await model.close();
      return Buffer.from(model.save());
    };
    expect((await bytes()).equals(await bytes())).toBe(true);
  });
});
