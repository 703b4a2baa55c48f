import { describe, expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { Sequential } from "../../model/sequential.ts";
import { input } from "../../network/symbolic.ts";
import { normalAt } from "../../random/hash.ts";
import { size } from "../../schema/field.ts";
import { dense } from "../core/dense.ts";
import { masking } from "../core/masking.ts";
import type { Layer } from "../layer.ts";
import { registerLayer } from "../registry.ts";
import { bidirectional } from "./bidirectional.ts";
import { defineRecurrent } from "./define-recurrent.ts";
import { gru } from "./gru.ts";
import { lstm } from "./lstm.ts";
import { simpleRnn } from "./simple-rnn.ts";

const threads = 1;
const normal = (shape: readonly number[], key = 5) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => normalAt(key, i)),
});
const sequences = (layers: readonly Layer[]) => new Sequential(layers, { inputShape: [null, 2], seed: 3 });

/** The answers of one sample of [steps, 2]. */
async function answer(model: Sequential, rows: readonly (readonly number[])[]) {
  const { data } = await model.predict(
    { shape: [1, rows.length, 2], data: Float32Array.from(rows.flat()) },
    { threads },
  );
  return Array.from(data);
}

describe("masked steps", () => {
  const [a, b, c] = [
    [1, -1],
    [0.5, 2],
    [-1, 0.25],
  ] as const;
  const padding = [0, 0];

  it.each<[string, Layer[]]>([
    ["simpleRnn", [simpleRnn(3)]],
    ["lstm", [lstm(3)]],
    ["gru", [gru(3)]],
    ["bidirectional lstm", [bidirectional(lstm(3))]],
    ["two lstms", [bidirectional(lstm(3, { returnSequences: true })), gru(2)]],
  ])("%s answers as if they were not there: behind, before and between", async (_, layers) => {
    const model = sequences([masking(), ...layers]);
    const expected = await answer(model, [a, b, c]);
    for (const padded of [
      [a, b, c, padding, padding],
      [padding, a, b, c],
      [a, padding, b, padding, c],
    ])
      (await answer(model, padded)).forEach((value, i) => void expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6));
    await model.close();
  });

  it("of a sample that has no other leave its states at their start", async () => {
    const model = sequences([masking(), lstm(3)]);
    expect(await answer(model, [padding, padding])).toEqual([0, 0, 0]);
    await model.close();
  });

  it("come out in the order of the answers when the layer goes backwards", async () => {
    const model = sequences([masking(), gru(3, { returnSequences: true, goBackwards: true }), simpleRnn(2)]);
    const expected = await answer(model, [a, b]);
    (await answer(model, [a, b, padding])).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6);
    });
    await model.close();
  });

  it("do not move the weights: a training on padded sequences equals one on short ones", async () => {
    const short = normal([4, 3, 2]);
    const long = new Float32Array(4 * 5 * 2);
    for (let i = 0; i < 4; i++) long.set(short.data.subarray(i * 6, i * 6 + 6), i * 10);
    const trained = async (x: { shape: readonly number[]; data: Float32Array }) => {
      const model = sequences([masking(), lstm(3), dense(1)]);
      model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      await model.fit(x, [[1], [0], [-1], [2]], { epochs: 3, batchSize: 2, threads });
      await model.close();
      return model.getWeights().flatMap(({ value }) => Array.from(value.data));
    };
    const expected = await trained(short);
    const received = await trained({ shape: [4, 5, 2], data: long });
    received.forEach((value, i) => void expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5));
  });
});

describe("a stateful layer", () => {
  it("goes on where the batch before stopped, until it is reset", async () => {
    const x = normal([2, 6, 2]);
    const part = (from: number) => ({
      shape: [2, 3, 2],
      data: Float32Array.from(
        [0, 1].flatMap((i) => Array.from(x.data.subarray((i * 6 + from) * 2, (i * 6 + from + 3) * 2))),
      ),
    });
    const whole = sequences([lstm(3)]);
    const model = sequences([lstm(3, { stateful: true, batchSize: 2 })]);
    const expected = await whole.predict(x, { threads });
    const first = await model.predict(part(0), { threads, batchSize: 2 });
    const second = await model.predict(part(3), { threads, batchSize: 2 });
    second.data.forEach((value, i) => void expect(value).toBeCloseTo(expected.data[i] ?? Number.NaN, 6));
    model.resetStates();
    expect(await model.predict(part(0), { threads, batchSize: 2 })).toEqual(first);
    await Promise.all([whole.close(), model.close()]);
  });

  it("trains, and needs to know its samples", async () => {
    const model = sequences([gru(3, { stateful: true, batchSize: 2 }), dense(1)]);
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const { history } = await model.fit(normal([4, 3, 2]), [[1], [0], [-1], [2]], { epochs: 3, batchSize: 2, threads });
    expect(history["loss"]?.[2]).toBeLessThan(history["loss"]?.[0] ?? 0);
    await expect(model.fit(normal([3, 3, 2]), [[1], [0], [2]], { batchSize: 3, threads })).rejects.toThrow(
      "gru_1: expected batches of 2 samples, as its batchSize says: it is stateful and remembers each; received 3",
    );
    expect(() => lstm(3, { stateful: true })).toThrow("lstm.batchSize: expected the number of samples of every batch");
    await model.close();
  });
});

describe("recurrent layers", () => {
  it("refuse first states of other sizes, naming both", () => {
    const [x, h] = [input({ shape: [null, 2] }), input({ shape: [4] })];
    expect(() => lstm(3, { name: "reader" }).apply([x, h])).toThrow(
      "reader: expected first states of [3], [3] behind the sequences, received [4]",
    );
  });

  it("drop nothing when they answer, and the same elements again when a training is repeated", async () => {
    const x = normal([6, 3, 2]);
    const y = [[1], [0], [1], [0], [1], [0]];
    const run = async (dropout: number) => {
      const model = sequences([lstm(4, { dropout, recurrentDropout: dropout }), dense(1)]);
      model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
      const before = await model.predict(x, { threads });
      await model.fit(x, y, { epochs: 2, batchSize: 3, threads });
      await model.close();
      return { before, after: model.getWeights() };
    };
    const [none, some, again] = [await run(0), await run(0.5), await run(0.5)];
    expect(some.before).toEqual(none.before);
    expect(some.after).toEqual(again.after);
    expect(some.after).not.toEqual(none.after);
  });

  it("learn what only a memory can tell: whether the first number of ten was positive", async () => {
    const x = normal([128, 10, 1], 8);
    const y = Array.from({ length: 128 }, (_, i) => [(x.data[i * 10] ?? 0) > 0 ? 1 : 0]);
    const model = new Sequential([gru(8), dense(1, { activation: "sigmoid" })], { inputShape: [10, 1], seed: 1 });
    model.compile({
      optimizer: { type: "adam", learningRate: 0.02 },
      loss: "binaryCrossentropy",
      metrics: ["accuracy"],
    });
    await model.fit(x, y, { epochs: 40, batchSize: 32, threads });
    expect((await model.evaluate(x, y, { threads })).metrics["accuracy"]).toBeGreaterThan(0.95);
    await model.close();
  });

  it("of user code are a cell: trained, saved, wrapped", async () => {
    // h = decay * h + (1 - decay) * (x · kernel)
    const leaky = defineRecurrent({
      type: "testLeaky",
      fields: { units: size() },
      states: ({ units }) => [{ name: "h", size: units }],
      parameters: ({ units }, features) => [
        { name: "kernel", shape: [features, units], initializer: { type: "glorotUniform" } },
        { name: "decay", shape: [units], initializer: { type: "constant", value: 0.5 } },
      ],
      project: (_, { math, weight }, x) => math.builder.op("MatMul", [x, weight("kernel")]),
      step(_, { weight }) {
        const decay = weight("decay");
        return (math, [h], entering) => [math.add(entering, math.mul(decay, h ? math.sub(h, entering) : entering))];
      },
    });
    registerLayer(leaky);
    const x = input({ shape: [null, 2] });
    const both = bidirectional(leaky.make({ units: 2, returnSequences: true })).apply(x);
    const model = new Model({ inputs: x, outputs: dense(1).apply(leaky.make({ units: 3 }).apply(both)) }, { seed: 2 });
    model.compile({ optimizer: { type: "adam", learningRate: 0.05 }, loss: "meanSquaredError" });
    const { history } = await model.fit(normal([8, 4, 2]), [[1], [2], [0], [1], [3], [1], [0], [2]], {
      epochs: 20,
      threads,
    });
    expect(history["loss"]?.at(-1)).toBeLessThan((history["loss"]?.[0] ?? 0) / 2);
    const decay = model.getWeights().find(({ name }) => name === "bidirectional_1/backward/decay")?.value.data;
    expect(decay?.[0]).not.toBe(0.5);
    const loaded = Model.load(model.save());
    expect(await loaded.predict(normal([2, 5, 2]), { threads })).toEqual(
      await model.predict(normal([2, 5, 2]), { threads }),
    );
    await Promise.all([model.close(), loaded.close()]);
  });
});
