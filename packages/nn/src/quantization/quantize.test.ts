/** @file Quantized models beside the float models they come from: sizes, scores, answers, and training that knows of it. */
import { createSession, type Model as OnnxModel, tensor } from "@gristmill/onnx";
import { afterAll, describe, expect, it } from "vitest";
import { dense } from "../layers/core/dense.ts";
import type { Layer } from "../layers/layer.ts";
import { Model } from "../model/model.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import { adam } from "../optimizers/adam.ts";
import { normalAt } from "../random/hash.ts";
import { cosineDecay } from "../schedules/cosine.ts";
import type { Rate } from "../schedules/table.ts";
import { quantizationAware } from "./quantization-aware.ts";
import { quantize } from "./quantize.ts";
import { quantizationText } from "./report-text.ts";

const count = 400;
const x = tensor(
  "float32",
  [count, 2],
  Float32Array.from({ length: count * 2 }, (_, i) => normalAt(5, i)),
);
/** 1 where the signs differ, else 2 far from the middle and 0 near it. */
const y = tensor(
  "int32",
  [count],
  Int32Array.from({ length: count }, (_, i) => {
    const [a, b] = [x.data[2 * i] ?? 0, x.data[2 * i + 1] ?? 0];
    if (a * b <= 0) return 1;
    return Math.hypot(a, b) > 1.2 ? 2 : 0;
  }),
);

const made: Model[] = [];
afterAll(() => Promise.all(made.map((one) => one.close())));

const asItIs = (layer: Layer): Layer => layer;

function build(
  wrap = asItIs,
  { seed = 3, learningRate = 0.01 }: { seed?: number; learningRate?: Rate } = {},
): Sequential {
  const layers = [
    dense(24, { activation: "relu", name: "a" }),
    dense(24, { activation: "relu", name: "b" }),
    dense(3, { activation: "softmax", name: "c" }),
  ];
  const model = new Sequential(layers.map(wrap), { seed, inputShape: [2] });
  model.compile({
    optimizer: adam({ learningRate }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  made.push(model);
  return model;
}

const train = async (model: Sequential) => {
  await model.fit(x, y, { epochs: 40, threads: 1 });
  return model;
};
const lossOf = async (model: Sequential) => (await model.evaluate(x, y, { threads: 1 })).loss;

async function answers(model: OnnxModel): Promise<Float32Array> {
  const session = await createSession(model, { threads: 1 });
  const { outputs } = await session.run({ input: x });
  await session.close();
  const data = outputs["output"]?.data;
  if (!(data instanceof Float32Array)) throw new Error("no answers");
  return data;
}
const farthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);

describe("quantize", () => {
  it("reports sizes, what was left, and both models on the same data", async () => {
    const model = await train(build());
    for (const mode of ["dynamic", "weightOnly"] as const) {
      const { onnx, report } = await quantize(model, { mode, leastElements: 100, evaluateOn: { x, y }, threads: 1 });
      expect(report.quantized.map(({ weight }) => weight)).toEqual(["b/kernel"]);
      expect(report.left.map(({ node, reason }) => [node, reason])).toEqual([
        ["a/Gemm", "its weight has fewer than 100 elements"],
        ["c/Gemm", "its weight has fewer than 100 elements"],
      ]);
      expect(report.weightBytes.before - report.weightBytes.after).toBe(24 * 24 * 3 - 24 * 4);
      const { comparison } = report;
      if (comparison === undefined) throw new Error("nothing was compared");
      expect(comparison.samples).toBe(count);
      expect(comparison.float.loss).toBeCloseTo(await lossOf(model), 5);
      expect(comparison.difference["loss"]).toBe(comparison.quantized.loss - comparison.float.loss);
      expect(Math.abs(comparison.difference["loss"] ?? 1)).toBeLessThan(0.02);
      expect(comparison.difference["loss"]).not.toBe(0);
      expect(Math.abs(comparison.difference["accuracy"] ?? 1)).toBeLessThan(0.02);
      const output = comparison.answers["output"];
      expect(output?.largest).toBeGreaterThan(0);
      expect(output?.largest).toBeLessThan(0.3);
      expect(output?.relative).toBeLessThan(0.05);
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      expect(quantizationText(report)).toMatch(
        new RegExp(
          `^${mode}, 8 bits: 1 node quantized, 2 left; compared on 400 samples\\n\\n +float +quantized +change\\nfile .*\\nweights .*%\\nloss .*\\naccuracy .*`,
        ),
      );
      expect(quantizationText(report)).toContain("  a/Gemm (Gemm): its weight has fewer than 100 elements");
      expect(farthest(await answers(onnx), await answers(model.toOnnx()))).toBeLessThan(0.3);
    }
  });

  it("scores the quantized model as its own session answers", async () => {
    const model = await train(build());
    const { onnx, report } = await quantize(model, {
      leastElements: 1,
      evaluateOn: { x, y },
      batchSize: count,
      threads: 1,
    });
    const session = await createSession(onnx, { threads: 1 });
    const { outputs } = await session.run({ input: x });
    await session.close();
    const shares = Array.from(outputs["output"]?.data ?? [], Number);
    const losses = Array.from(y.data, (label, i) => -Math.log(shares[3 * i + label] ?? Number.NaN));
    expect(report.comparison?.quantized.loss).toBeCloseTo(losses.reduce((sum, one) => sum + one, 0) / count, 4);
  });

  it("compares models of several outputs, weighed samples, and leaves what is to be skipped", async () => {
    const entering = input({ shape: [2] });
    const hidden = dense(24, { activation: "relu", name: "hidden" }).apply(entering);
    const outputs = [dense(1, { name: "left" }).apply(hidden), dense(1, { name: "right" }).apply(hidden)];
    const model = new Model({ inputs: entering, outputs }, { seed: 1 });
    made.push(model);
    model.compile({ optimizer: "adam", loss: "meanSquaredError", metrics: ["meanAbsoluteError"] });
    const ones = tensor("float32", [count, 1], new Float32Array(count).fill(1));
    const names = model.outputs.map(({ name }) => name);
    const named = (value: typeof ones) => Object.fromEntries(names.map((name) => [name, value]));
    const { report } = await quantize(model, {
      leastElements: 1,
      skip: ({ name }) => name.startsWith("hidden/"),
      evaluateOn: {
        x,
        y: named(ones),
        sampleWeight: named(tensor("float32", [count], new Float32Array(count).fill(2))),
      },
      threads: 1,
    });
    expect(report.left.map(({ reason }) => reason)).toEqual(["it was to be left"]);
    expect(Object.keys(report.comparison?.answers ?? {})).toEqual(names);
    expect(Object.keys(report.comparison?.difference ?? {})).toEqual([
      "loss",
      ...names.map((name) => `${name}/meanAbsoluteError`),
    ]);
  });

  it("refuses settings and data that make no sense", async () => {
    const model = build();
    await expect(quantize(model, { bits: 4 as 8 })).rejects.toThrow("bits: expected 8 or 7, received 4; train with");
    await expect(quantize(model, { mode: "static" as "dynamic" })).rejects.toThrow('mode: expected one of "dynamic"');
    const none = tensor("float32", [0, 2], new Float32Array());
    const labels = tensor("int32", [0], new Int32Array());
    await expect(quantize(model, { evaluateOn: { x: none, y: labels } })).rejects.toThrow(
      /at least one sample|no samples/,
    );
    const untold = new Sequential([dense(1)], { inputShape: [2] });
    await expect(quantize(untold, { evaluateOn: { x, y } })).rejects.toThrow(
      "evaluateOn needs a loss and metrics; call",
    );
    await expect(quantize(model, { evaluateOn: { x, y }, signal: AbortSignal.abort() })).rejects.toThrow("aborted");
  });
});

describe("training that knows of quantization", () => {
  it("loses nothing to 8 bits: answers stay within what float32 rounds", async () => {
    const [plain, aware] = [await train(build()), await train(build((layer) => quantizationAware(layer)))];
    const apart = async (model: Sequential) =>
      farthest(
        await answers((await quantize(model, { mode: "weightOnly", leastElements: 1 })).onnx),
        await answers(model.toOnnx()),
      );
    expect(await apart(aware)).toBeLessThan(1e-5);
    expect(await apart(plain)).toBeGreaterThan(1e-3);
  });

  it("loses less to 4 bits than rounding afterwards, from the same weights by as many steps, for each of three seeds", async () => {
    const aware4 = (layer: Layer) => quantizationAware(layer, { bits: 4 });
    const [epochs, steps] = [20, Math.ceil(count / 32)];
    // a rate that does not fall leaves weights jumping between two places of the grid, and the gain is gone
    const falling = () => cosineDecay({ initialLearningRate: 0.005, decaySteps: epochs * steps });
    const risen = { afterwards: 0, aware: 0 };
    for (const seed of [1, 2, 3]) {
      const first = await train(build(asItIs, { seed }));
      const [plain, aware] = [asItIs, aware4].map((wrap) => build(wrap, { seed, learningRate: falling() }));
      const rounded = build(aware4, { seed });
      if (plain === undefined || aware === undefined) throw new Error("nothing was built");
      for (const model of [plain, aware]) {
        model.setWeights(first.getWeights());
        await model.fit(x, y, { epochs, threads: 1 });
      }
      rounded.setWeights(plain.getWeights());
      const [float, afterwards, known] = [await lossOf(plain), await lossOf(rounded), await lossOf(aware)];
      expect(known).toBeLessThan(afterwards);
      risen.afterwards += afterwards - float;
      risen.aware += known - float;
    }
    expect(risen.aware).toBeLessThan(risen.afterwards / 2);
  });
});
