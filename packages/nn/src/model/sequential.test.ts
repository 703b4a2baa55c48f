import { createSession, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { DataError, NnError } from "../errors.ts";
import { conv2d } from "../layers/convolution/conv.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { dropout } from "../layers/noise/dropout.ts";
import { maxPooling2d } from "../layers/pooling/max-pooling.ts";
import { adam } from "../optimizers/adam.ts";
import { normalAt, wordAt } from "../random/hash.ts";
import { Sequential } from "./sequential.ts";

const xor = {
  x: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  y: [[0], [1], [1], [0]],
};

/** Images of two classes: a bright left or right half, with noise. */
function images(count: number) {
  const data = Float32Array.from({ length: count * 36 }, (_, i) => {
    const label = Math.floor(i / 36) % 2;
    const isRight = i % 6 >= 3;
    return (isRight === (label === 1) ? 1 : 0) + 0.3 * normalAt(5, i);
  });
  return {
    x: { shape: [count, 6, 6, 1], data },
    y: { shape: [count], data: Uint8Array.from({ length: count }, (_, i) => i % 2) },
  };
}

/** A small network with every source of randomness: first weights, order, dropout. */
function smallCnn(seed = 3): Sequential {
  const model = new Sequential(
    [
      conv2d(3, 3, { activation: "relu", inputShape: [6, 6, 1] }),
      maxPooling2d(2),
      flatten(),
      dropout(0.25),
      dense(8, { activation: "relu" }),
      dropout(0.5),
      dense(2, { activation: "softmax" }),
    ],
    { seed },
  );
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  return model;
}

describe("a model that trains", () => {
  it("learns XOR", async () => {
    const model = new Sequential(
      [dense(8, { activation: "tanh", inputShape: [2] }), dense(1, { activation: "sigmoid" })],
      { seed: 1 },
    );
    model.compile({ optimizer: adam({ learningRate: 0.05 }), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    const { history } = await model.fit(xor.x, xor.y, { epochs: 200, threads: 1 });
    expect(history["loss"]).toHaveLength(200);
    expect(history["loss"]?.at(-1)).toBeLessThan(0.05);
    expect(Array.from((await model.predict(xor.x)).data, Math.round)).toEqual([0, 1, 1, 0]);
    expect((await model.evaluate(xor.x, xor.y)).metrics).toEqual({ accuracy: 1 });
    await model.close();
  });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const { x, y } = images(70); // 32 + 32 + 6: the last batch is smaller
    const bytesOf = async (seed: number) => {
      const model = smallCnn(seed);
      await model.fit(x, y, { epochs: 2, threads: 1 });
      await model.close();
      return Buffer.from(model.save()).toString("base64");
    };
    const first = await bytesOf(3);
    expect(await bytesOf(3)).toBe(first);
    expect(await bytesOf(4)).not.toBe(first);
  });

  it("gives the same bytes whether it was saved, loaded and continued or not, with dropout and shuffling", async () => {
    const { x, y } = images(70);
    const whole = smallCnn();
    await whole.fit(x, y, { epochs: 4, threads: 1 });
    const half = smallCnn();
    await half.fit(x, y, { epochs: 2, threads: 1 });
    const resumed = Sequential.load(half.save());
    expect(resumed.epoch).toBe(2);
    await resumed.fit(x, y, { epochs: 4, initialEpoch: 2, threads: 1 });
    expect(Buffer.from(resumed.save()).equals(whole.save())).toBe(true);
    for (const model of [whole, half, resumed]) await model.close();
  });

  it("gives the same weights however its steps are grouped into runs: many, one by one, or from a stream", async () => {
    const { x, y } = images(64);
    const batches = Array.from({ length: 16 }, (_, i) => ({
      x: { shape: [4, 6, 6, 1], data: x.data.subarray(i * 144, (i + 1) * 144) },
      y: { shape: [4], data: y.data.subarray(i * 4, (i + 1) * 4) },
    }));
    const [many, single, streamed] = [smallCnn(), smallCnn(), smallCnn()];
    await many.fit(x, y, { epochs: 3, batchSize: 4, shuffle: false, threads: 1 });
    for (let epoch = 0; epoch < 3; epoch++)
      for (const batch of batches) await single.fit(batch.x, batch.y, { shuffle: false, threads: 1 });
    await streamed.fit(() => ReadableStream.from(batches), { epochs: 3, threads: 1 });
    expect(single.getWeights()).toEqual(many.getWeights());
    expect(streamed.getWeights()).toEqual(many.getWeights());
    for (const model of [many, single, streamed]) await model.close();
  });

  it("drops by (seed, step, layer, element): about the rate, and elsewhere in each step", async () => {
    const model = new Sequential(
      [dropout(0.3, { inputShape: [1000] }), dense(1, { useBias: false, kernelInitializer: "zeros" })],
      { seed: 9 },
    );
    // linear, target 1, weights 0: the gradient of a kernel row is -2 x where the element was kept
    model.compile({ optimizer: { type: "sgd", learningRate: 1 }, loss: "meanSquaredError" });
    const ones = { shape: [1, 1000], data: new Float32Array(1000).fill(1) };
    const keptIn = async () => {
      model.setWeights([{ name: "dense_1/kernel", value: tensor("float32", [1000, 1], new Float32Array(1000)) }]);
      await model.fit(ones, [[1]], { threads: 1 });
      return Array.from(model.getWeights()[0]?.value.data ?? [], (value) => value !== 0);
    };
    const [first, second] = [await keptIn(), await keptIn()];
    const share = first.filter(Boolean).length / 1000;
    expect(Math.abs(share - 0.7)).toBeLessThan(0.06); // four standard deviations
    const both = first.filter((kept, i) => kept && second[i]).length / 1000;
    expect(Math.abs(both - 0.49)).toBeLessThan(0.07);
    const sum = model.getWeights()[0]?.value.data.reduce((a, b) => a + b, 0) ?? 0;
    expect((await model.predict(ones)).data[0]).toBeCloseTo(sum, 0); // about 2000: nothing is dropped
    await model.close();
  });

  it("reports progress, epochs and validation", async () => {
    const { x, y } = images(64);
    const model = smallCnn();
    const steps: number[] = [];
    const ends: number[] = [];
    let clock = 0;
    const { epochs, history } = await model.fit(x, y, {
      epochs: 2,
      batchSize: 8,
      validationSplit: 0.25,
      threads: 1,
      now: () => (clock += 10),
      onProgress(progress) {
        steps.push(progress.step);
        expect(progress.steps).toBe(6); // 48 of 64 samples train
        expect(progress.epochs).toBe(2);
        expect(progress.samplesPerSecond).toBeGreaterThan(0);
        expect(progress.secondsLeft).toBeGreaterThanOrEqual(0);
      },
      onEpochEnd: async ({ epoch }) => {
        await model.evaluate(x, y, { threads: 1 });
        ends.push(epoch);
      },
    });
    expect(ends).toEqual([1, 2]);
    expect(steps.filter((step) => step === 6)).toHaveLength(2);
    expect(epochs.map(({ samples }) => samples)).toEqual([48, 48]);
    expect(Object.keys(history).sort()).toEqual(["accuracy", "learningRate", "loss", "valAccuracy", "valLoss"]);
    expect(model.epoch).toBe(2);
    expect(model.step).toBe(12);
    await model.close();
  });

  it("takes bytes with a scale as the same numbers divided", async () => {
    const bytes = Uint8Array.from({ length: 10 * 36 }, (_, i) => wordAt(1, i) % 256);
    const labels = { shape: [10], data: Uint8Array.from({ length: 10 }, (_, i) => i % 2) };
    const scale = 1 / 255;
    const floats = Float32Array.from(bytes, (byte) => byte * Math.fround(scale));
    const [a, b] = [smallCnn(), smallCnn()];
    await a.fit({ shape: [10, 6, 6, 1], data: bytes, scale }, labels, { threads: 1 });
    await b.fit({ shape: [10, 6, 6, 1], data: floats }, labels, { threads: 1 });
    expect(a.getWeights()).toEqual(b.getWeights());
    const predicted = await a.predict({ shape: [10, 6, 6, 1], data: bytes, scale }, { batchSize: 3 });
    expect(predicted).toEqual(await b.predict({ shape: [10, 6, 6, 1], data: floats }));
    await a.close();
    await b.close();
  });
});

describe("a model as ONNX", () => {
  it("answers as predict does, for any batch, with softmax inside and no dropout", async () => {
    const { x, y } = images(20);
    const model = smallCnn();
    await model.fit(x, y, { threads: 1 });
    const session = await createSession(model.toOnnx(), { threads: 1 });
    expect(session.inputs).toEqual([{ name: "input", dtype: "float32", shape: ["batch", 6, 6, 1] }]);
    expect(session.outputs).toEqual([{ name: "output", dtype: "float32", shape: ["batch", 2] }]);
    const { outputs } = await session.run({ input: tensor("float32", [20, 6, 6, 1], x.data) });
    const predicted = await model.predict(x);
    expect(outputs["output"]).toEqual(predicted);
    expect((predicted.data[0] ?? 0) + (predicted.data[1] ?? 0)).toBeCloseTo(1, 5);
    await session.close();
    await model.close();
  });

  it("is made anew after the weights changed", async () => {
    const model = new Sequential([dense(1, { inputShape: [1] })]);
    const set = (value: number) =>
      model.setWeights([
        { name: "dense_1/kernel", value: tensor("float32", [1, 1], Float32Array.of(value)) },
        { name: "dense_1/bias", value: tensor("float32", [1], Float32Array.of(0)) },
      ]);
    set(2);
    expect((await model.predict([[3]])).data).toEqual(Float32Array.of(6));
    set(5);
    expect((await model.predict([[3]])).data).toEqual(Float32Array.of(15));
    await model.close();
  });
});

describe("what does not fit is refused", () => {
  const model = smallCnn();
  const { x, y } = images(4);

  it("samples of other sizes, naming both", async () => {
    const wrong = { shape: [4, 36], data: x.data };
    await expect(model.fit(wrong, y)).rejects.toThrow("expected samples of [6, 6, 1], received samples of [36]");
    await expect(model.predict(wrong)).rejects.toThrow(DataError);
    await expect(model.evaluate(wrong, y)).rejects.toThrow(DataError);
  });

  it("another number of answers, labels that are no class, ragged lists", async () => {
    await expect(model.fit(x, [0, 1])).rejects.toThrow("expected 4 answers, one per sample, received 2");
    await expect(model.fit(x, [0, 1, 2, 0], { threads: 1 })).rejects.toThrow("expected labels from 0 to 1, received 2");
    await expect(model.predict([[1, 2], [3]])).rejects.toThrow("lists of equal length");
    await expect(model.fit({ shape: [4, 6, 6, 2], data: x.data }, y)).rejects.toThrow("expected 288 numbers");
  });

  it("settings out of range", async () => {
    await expect(model.fit(x, y, { batchSize: 0 })).rejects.toThrow(
      "batchSize: expected a whole number from 1, received 0",
    );
    await expect(model.fit(x, y, { validationSplit: 1 })).rejects.toThrow(NnError);
    expect(() => new Sequential([dense(1, { inputShape: [1] })], { seed: -1 })).toThrow("seed");
  });

  it("training without compile, and two trainings at once", async () => {
    const bare = new Sequential([dense(1, { inputShape: [1] })]);
    await expect(bare.fit([[1]], [[1]])).rejects.toThrow("call compile first");
    const training = model.fit(x, y, { threads: 1 });
    await expect(model.fit(x, y)).rejects.toThrow("the model is training");
    await training;
    await model.close();
  });

  it("a generator that would have to be read twice", async () => {
    const stream = (async function* () {
      yield { x: [[1]], y: [[1]] };
    })();
    const bare = new Sequential([dense(1, { inputShape: [1] })]);
    bare.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    await expect(bare.fit(stream, { epochs: 2, threads: 1 })).rejects.toThrow("received a generator that has ended");
    await bare.close();
  });
});
