import { describe, expect, it } from "vitest";
import { NnError, SpecError } from "../errors.ts";
import { dense } from "../layers/core/dense.ts";
import { input } from "../network/symbolic.ts";
import { parseSpec } from "../spec/model-spec.ts";
import { Model } from "./model.ts";

const twoHeads = () => {
  const [left, right] = [input({ shape: [2], name: "left" }), input({ shape: [2], name: "right" })];
  const shared = dense(3, { name: "shared", activation: "tanh" });
  const a = dense(1, { name: "number" }).apply(shared.apply(left));
  const b = dense(2, { name: "kind", activation: "softmax" }).apply(shared.apply(right));
  return new Model({ inputs: [left, right], outputs: [a, b] }, { seed: 5 });
};
const x = {
  left: [
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  right: [
    [1, 1],
    [0, 0],
    [1, 0],
  ],
};
const y = { number: [[1], [0], [2]], kind: [0, 1, 1] };
const compile = {
  optimizer: "adam",
  loss: { number: "meanSquaredError", kind: "sparseCategoricalCrossentropy" },
  metrics: { kind: ["accuracy"] },
  lossWeights: { number: 0.5 },
} as const;

describe("a model of several inputs and outputs", () => {
  it("trains, scores each output, answers by name, and comes back from its JSON and file", async () => {
    const model = twoHeads();
    model.compile(compile);
    const { epochs } = await model.fit(x, y, { epochs: 30, batchSize: 2, threads: 1 });
    const [first, last] = [epochs[0], epochs.at(-1)];
    expect(last?.loss).toBeLessThan(first?.loss ?? 0);
    const scores = await model.evaluate(x, y, { threads: 1 });
    expect(Object.keys(scores.losses ?? {})).toEqual(["number", "kind"]);
    const { number = 0, kind = 0 } = scores.losses ?? {};
    expect(scores.loss).toBeCloseTo(0.5 * number + kind, 5);
    expect(scores.metrics["kind/accuracy"]).toBeGreaterThanOrEqual(0);
    const answers = await model.predictAll(x, { threads: 1 });
    expect(Object.fromEntries(Object.entries(answers).map(([name, { shape }]) => [name, shape]))).toEqual({
      number: [3, 1],
      kind: [3, 2],
    });
    const again = Model.load(model.save());
    expect(await again.predictAll(x, { threads: 1 })).toEqual(answers);
    expect(parseSpec(JSON.parse(JSON.stringify(model.toSpec())))).toEqual(model.toSpec());
    await Promise.all([model.close(), again.close()]);
  });

  it("shares the weights of a layer that is used twice", () => {
    expect(twoHeads().parameterCount).toBe(2 * 3 + 3 + (3 + 1) + (3 * 2 + 2));
    expect(twoHeads().toSpec()).toMatchObject({
      layers: [
        { name: "shared", uses: [["left"], ["right"]] },
        { name: "number", inputs: ["shared"] },
        { name: "kind", inputs: [{ layer: "shared", use: 1, output: 0 }] },
      ],
    });
  });

  it("weighs samples: those of weight 0 teach nothing", async () => {
    const trained = async (sampleWeight: number[]) => {
      const model = twoHeads();
      model.compile({ ...compile, optimizer: "sgd" });
      await model.fit(x, y, {
        threads: 1,
        shuffle: false,
        sampleWeight: { number: sampleWeight, kind: [1, 1, 1] },
      });
      await model.close();
      return model.getWeights().find(({ name }) => name === "number/kernel")?.value.data;
    };
    const before = twoHeads()
      .getWeights()
      .find(({ name }) => name === "number/kernel")?.value.data;
    expect(await trained([0, 0, 0])).toEqual(before);
    expect(await trained([1, 0, 0])).not.toEqual(before);
  });

  it("says what is missing, by name", async () => {
    const model = twoHeads();
    expect(() => model.compile({ optimizer: "sgd", loss: { number: "meanSquaredError" } })).toThrow("loss.kind");
    expect(() => model.compile({ ...compile, lossWeights: { kinds: 1 } })).toThrow("lossWeights.kinds");
    model.compile(compile);
    await expect(model.fit({ left: x.left }, y)).rejects.toThrow("x: expected left, right, received left");
    await expect(model.fit(x.left, y)).rejects.toThrow("expected samples by name");
    await expect(model.fit(x, { ...y, kind: [0, 1] })).rejects.toThrow("expected 3 answers");
    await expect(model.predict(x)).rejects.toThrow("use predictAll");
    const free = input({ shape: [2] });
    const other = input({ shape: [2] });
    expect(() => new Model({ inputs: [free, other], outputs: dense(1).apply(free) })).toThrow(NnError);
    expect(() => new Model({ inputs: [other], outputs: dense(1).apply(free) })).toThrow("is not listed");
  });

  it("refuses descriptions of graphs that do not hold together", () => {
    const layer = (name: string, inputs: unknown) => ({ type: "dense", units: 2, name, inputs });
    const spec = (layers: unknown[], outputs: unknown = ["b"]) => ({
      inputs: [{ name: "x", shape: [2] }],
      layers,
      outputs,
    });
    const read = (value: unknown) => () => parseSpec(value);
    expect(read(spec([layer("a", ["b"]), layer("b", ["a"])]))).toThrow("wait for each other");
    expect(read(spec([layer("b", ["y"])]))).toThrow('no input or layer is named "y"');
    expect(read(spec([layer("b", ["x"]), layer("b", ["x"])]))).toThrow("a name of its own");
    expect(read(spec([layer("b", ["x"])], ["c"]))).toThrow("outputs[0]");
    expect(read(spec([layer("b", ["x", "x"])]))).toThrow("expected 1 input, received 2");
    expect(read(spec([{ type: "dense", units: 2, name: "b" }]))).toThrow(SpecError);
  });
});

it("a model whose sizes only the data tells trains on batches of several lengths, and exports one graph for all", async () => {
  const x = input({ shape: [null, 3] });
  const model = new Model({ inputs: x, outputs: dense(2, { activation: "softmax" }).apply(x) }, { seed: 1 });
  model.compile({ optimizer: "sgd", loss: "sparseCategoricalCrossentropy" });
  const batch = (length: number) => ({
    x: { shape: [2, length, 3], data: Float32Array.from({ length: 6 * length }, (_, i) => i % 5) },
    y: { shape: [2, length], data: Int32Array.from({ length: 2 * length }, (_, i) => i % 2) },
  });
  await model.fit(
    async function* () {
      yield batch(4);
      yield batch(2);
    },
    { threads: 1 },
  );
  expect(model.step).toBe(2);
  expect((await model.predict(batch(5).x, { threads: 1 })).shape).toEqual([2, 5, 2]);
  expect(model.toOnnx().graph.inputs[0]?.shape).toEqual(["batch", "input.1", 3]);
  await model.close();
});

it("an input and a layer of one name are refused, and one metric may be asked twice under two names", async () => {
  const x = input({ shape: [2], name: "here" });
  expect(() => new Model({ inputs: x, outputs: dense(1, { name: "here" }).apply(x) })).toThrow('both named "here"');
  const model = new Model({ inputs: x, outputs: dense(1, { activation: "sigmoid" }).apply(x) });
  const precision = (threshold: number, name: string) => ({ type: "binaryAccuracy", threshold, name });
  model.compile({
    optimizer: "sgd",
    loss: "binaryCrossentropy",
    metrics: [precision(0, "generous"), precision(0.999, "strict")],
  });
  const { metrics } = await model.evaluate([[0, 0]], [[1]], { threads: 1 });
  expect(metrics).toEqual({ generous: 1, strict: 0 });
  const again = Model.load(model.save());
  expect(again.compileSpec).toEqual(model.compileSpec);
  await model.close();
});
