/** @file Ways to feed and weigh a training: streams, steps, labels that count more, batches gathered ahead, layers computed twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { NonFiniteLossError } from "../errors.ts";
import { dense } from "../layers/core/dense.ts";
import { dropout } from "../layers/noise/dropout.ts";
import { Model } from "../model/model.ts";
import type { FitOptions } from "../model/options.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import type { NamedSamples } from "./source.ts";

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(i)]);
const labels = x.map((_, i) => i % 3);
const oneHot = labels.map((label) => [0, 1, 2].map((one) => (one === label ? 1 : 0)));

function classifier(
  loss: "sparseCategoricalCrossentropy" | "categoricalCrossentropy" = "sparseCategoricalCrossentropy",
) {
  const model = new Sequential(
    [
      dense(8, { activation: "tanh", inputShape: [2], name: "hidden" }),
      dropout(0.2),
      dense(3, { activation: "softmax" }),
    ],
    { seed: 4 },
  );
  model.compile({ optimizer: { type: "sgd", learningRate: 0.5 }, loss });
  return model;
}

async function weightsAfter(model: Sequential, y: NamedSamples, options: FitOptions, samples: NamedSamples = x) {
  await model.fit(samples, y, { threads: 1, batchSize: 4, ...options });
  await model.close();
  return model.getWeights().map(({ value }) => Array.from(value.data));
}

const batches = (sizes: readonly number[]) =>
  async function* () {
    let at = 0;
    for (const size of sizes) {
      yield { x: x.slice(at, at + size), y: labels.slice(at, at + size) };
      at += size;
    }
  };

describe("labels that count more", () => {
  const classWeight = { 0: 3, 2: 0.5 };
  const sampleWeight = labels.map((label) => [3, 1, 0.5][label] ?? 0);

  it("are samples that count more, as whole numbers and as one of several", async () => {
    const expected = await weightsAfter(classifier(), labels, { sampleWeight });
    expect(await weightsAfter(classifier(), labels, { classWeight })).toEqual(expected);
    expect(await weightsAfter(classifier(), labels, {})).not.toEqual(expected);
    const several = await weightsAfter(classifier("categoricalCrossentropy"), oneHot, { sampleWeight });
    expect(await weightsAfter(classifier("categoricalCrossentropy"), oneHot, { classWeight })).toEqual(several);
  });

  it("multiply the weights of samples, and count in streams too", async () => {
    const expected = await weightsAfter(classifier(), labels, {
      sampleWeight: sampleWeight.map((weight, i) => weight * i),
    });
    const both = { classWeight, sampleWeight: labels.map((_, i) => i) };
    expect(await weightsAfter(classifier(), labels, both)).toEqual(expected);
    const [streamed, table] = [classifier(), classifier()];
    await streamed.fit(batches([4, 4, 4]), { threads: 1, classWeight });
    await table.fit(x, labels, { threads: 1, classWeight, batchSize: 4, shuffle: false });
    expect(streamed.getWeights()).toEqual(table.getWeights());
    for (const model of [streamed, table]) await model.close();
  });

  it("go by output, by step, and by yes or no; own weights of fewer axes multiply them", async () => {
    const steps = Array.from({ length: 6 }, (_, i) => [x[i] ?? [], x[i + 1] ?? [], x[i + 2] ?? []]);
    const kinds = steps.map((_, i) => [i % 3, (i + 1) % 3, 2]);
    const signs = steps.map((_, i) => [[i % 2], [1], [0]]);
    const tagger = () => {
      const entering = input({ shape: [3, 2], name: "steps" });
      const hidden = dense(4, { activation: "tanh", name: "hidden" }).apply(entering);
      const kind = dense(3, { activation: "softmax", name: "kind" }).apply(hidden);
      const sign = dense(1, { activation: "sigmoid", name: "sign" }).apply(hidden);
      const model = new Model({ inputs: entering, outputs: [kind, sign] }, { seed: 2 });
      model.compile({
        optimizer: { type: "sgd", learningRate: 0.5 },
        loss: { kind: "sparseCategoricalCrossentropy", sign: "binaryCrossentropy" },
      });
      return model;
    };
    const after = async (options: FitOptions) => {
      const model = tagger();
      await model.fit(steps, { kind: kinds, sign: signs }, { threads: 1, ...options });
      await model.close();
      return model.getWeights();
    };
    const ofKind = kinds.map((row) => row.map((label) => [2, 1, 0.5][label] ?? 0));
    const ofSign = signs.map((row) => row.map(([label = 0]) => [1, 3][label] ?? 0));
    const expected = await after({ sampleWeight: { kind: ofKind, sign: ofSign } });
    const byOutput = { kind: { 0: 2, 2: 0.5 }, sign: { 1: 3 } };
    expect(await after({ classWeight: byOutput })).toEqual(expected);
    expect(await after({ classWeight: { sign: { 1: 3 } } })).toEqual(await after({ sampleWeight: { sign: ofSign } }));
    const perSample = steps.map((_, i) => i / 2);
    const both = await after({ sampleWeight: { kind: perSample }, classWeight: byOutput });
    const product = ofKind.map((row, i) => row.map((one) => one * (perSample[i] ?? 0)));
    expect(both).toEqual(await after({ sampleWeight: { kind: product, sign: ofSign } }));
  });

  it("say what is wrong", async () => {
    const fit = (weights: FitOptions["classWeight"]) =>
      classifier().fit(x, labels, { threads: 1, ...(weights && { classWeight: weights }) });
    await expect(fit({ 3: 1 })).rejects.toThrow("classWeight: expected labels from 0 to 2, received 3");
    await expect(fit({ 0: -1 })).rejects.toThrow("classWeight: expected weights from 0, received -1 for label 0");
    await expect(fit({ 0: 0, 1: 0, 2: 0 })).rejects.toThrow("expected a weight above 0 for one label at least");
    await expect(fit({ other: { 0: 1 } })).rejects.toThrow('classWeight: no output is named "other"');
  });
});

describe("steps per epoch", () => {
  it("go on through the passes over arrays: six epochs of two steps are four of three", async () => {
    const [two, three] = [classifier(), classifier()];
    const { epochs } = await two.fit(x, labels, { threads: 1, batchSize: 4, epochs: 6, stepsPerEpoch: 2 });
    await three.fit(x, labels, { threads: 1, batchSize: 4, epochs: 4 });
    expect(epochs.map(({ steps, samples }) => [steps, samples])).toEqual(epochs.map(() => [2, 8]));
    expect(two.getWeights()).toEqual(three.getWeights());
    for (const model of [two, three]) await model.close();
  });

  it("read a stream on from epoch to epoch, begin it anew at its end, and close it", async () => {
    const seen: string[] = [];
    const stream = {
      async *[Symbol.asyncIterator]() {
        try {
          for (let i = 0; i < 3; i++) {
            seen.push(`batch ${i}`);
            yield { x: x.slice(0, i + 1), y: labels.slice(0, i + 1) };
          }
        } finally {
          seen.push("closed");
        }
      },
    };
    const model = classifier();
    const { epochs } = await model.fit(stream, { threads: 1, epochs: 2, stepsPerEpoch: 2, prefetch: false });
    expect(epochs.map(({ samples }) => samples)).toEqual([3, 4]);
    expect(seen.filter((what) => what === "closed")).toHaveLength(2);
    await model.close();
  });

  it("must be in a stream that is a function of the epoch", async () => {
    await expect(classifier().fit(batches([4, 4]), { threads: 1, stepsPerEpoch: 3 })).rejects.toThrow(
      "epoch 1: expected 3 batches, received 2; ask for fewer steps, or make the stream longer",
    );
  });
});

describe("validation", () => {
  it("comes every so many epochs or after those of a list, from streams as from arrays", async () => {
    const due = async (validationFreq: number | number[], validationData: FitOptions["validationData"]) => {
      const model = classifier();
      const { epochs } = await model.fit(x, labels, {
        threads: 1,
        epochs: 4,
        validationFreq,
        ...(validationData && { validationData }),
      });
      await model.close();
      return epochs.map(({ validation }) => validation?.loss);
    };
    const arrays = await due(2, { x, y: labels });
    expect(arrays.map((loss) => loss === undefined)).toEqual([true, false, true, false]);
    const streamed = await due([2, 4], batches([4, 4, 4]));
    for (const [i, loss] of arrays.entries()) if (loss !== undefined) expect(streamed[i]).toBeCloseTo(loss, 6);
    await expect(due(0, { x, y: labels })).rejects.toThrow(
      "validationFreq: expected a whole number from 1, received 0",
    );
  });
});

it("streams are evaluated and answered like arrays, batches of all sizes", async () => {
  const model = classifier();
  const whole = await model.evaluate(x, labels, { threads: 1 });
  expect((await model.evaluate(batches([5, 1, 6]), { threads: 1 })).loss).toBeCloseTo(whole.loss, 6);
  const first = await model.evaluate(x.slice(0, 6), labels.slice(0, 6), { threads: 1 });
  expect((await model.evaluate(batches([5, 1, 6]), { threads: 1, steps: 2 })).loss).toBeCloseTo(first.loss, 6);
  const answers = await model.predict(x, { threads: 1 });
  const streamed = await model.predict(batches([5, 1, 6]), { threads: 1 });
  expect(streamed.shape).toEqual(answers.shape);
  for (const [i, value] of streamed.data.entries()) expect(value).toBeCloseTo(answers.data[i] ?? Number.NaN, 6);
  await model.close();
});

it("steps of predict and of validation are batches, at most all of them", async () => {
  const model = classifier();
  expect((await model.predict(x, { threads: 1, batchSize: 5, steps: 2 })).shape).toEqual([10, 3]);
  expect((await model.predict(batches([5, 1, 6]), { threads: 1, steps: 2 })).shape).toEqual([6, 3]);
  const first = (await model.evaluate(x.slice(0, 4), labels.slice(0, 4), { threads: 1 })).loss;
  const all = (await model.evaluate(x, labels, { threads: 1 })).loss;
  expect((await model.evaluate(x, labels, { threads: 1, batchSize: 2, steps: 2 })).loss).toBeCloseTo(first, 6);
  expect((await model.evaluate(x, labels, { threads: 1, batchSize: 5, steps: 99 })).loss).toBeCloseTo(all, 6);
  const validated = { validationData: { x, y: labels }, validationBatchSize: 2, validationSteps: 3 };
  const { epochs } = await model.fit(x, labels, { threads: 1, ...validated });
  const part = (await model.evaluate(x.slice(0, 6), labels.slice(0, 6), { threads: 1 })).loss;
  expect(epochs[0]?.validation?.loss).toBeCloseTo(part, 6);
  await model.close();
});

describe("data that cannot be trained on is told", () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ["no sample", () => classifier().fit([], []), "x: expected at least one sample, received none"],
    ["an empty stream", () => classifier().fit(batches([])), "epoch 1: expected at least one batch, received none"],
    [
      "nothing to evaluate",
      () => classifier().evaluate(batches([])),
      "expected at least one sample to evaluate, received none",
    ],
    [
      "nothing to answer",
      () => classifier().predict(batches([])),
      "predict: expected at least one batch, received none",
    ],
    [
      "a label that is no class",
      () => classifier().fit(x, labels.with(7, 3)),
      "y: expected labels from 0 to 2, received 3 at y[7]; the last layer has 3 outputs",
    ],
  ])("%s", async (_, use, message) => {
    await expect(use()).rejects.toThrow(message);
  });

  it("NaN, with its place", async () => {
    const error = await classifier()
      .fit(x.with(5, [0, Number.NaN]), labels, { threads: 1, shuffle: false, batchSize: 4 })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NonFiniteLossError);
    expect(String(error)).toContain("epoch 1, step 2: expected a finite loss, received NaN; x/");
    expect(String(error)).toContain("sample 2 of the batch has NaN (x[5]); leave such samples out or fill them in");
  });
});

describe("batches gathered ahead", () => {
  const slow = (closed: string[], fails: number) =>
    async function* (epoch: number) {
      try {
        for (let i = 0; i < 6; i++) {
          await sleep(2);
          if (epoch === 0 && i === fails) throw new Error("the disk is gone");
          yield { x: x.slice(0, 2 + (i % 2)), y: labels.slice(0, 2 + (i % 2)) };
        }
      } finally {
        closed.push(`epoch ${epoch}`);
      }
    };

  it("change nothing", async () => {
    const trained = async (prefetch: boolean) => {
      const model = classifier();
      await model.fit(slow([], 9), { threads: 1, epochs: 2, prefetch });
      await model.close();
      return model.getWeights();
    };
    expect(await trained(true)).toEqual(await trained(false));
  });

  it("leave nothing behind when they fail, or the training is aborted or fails", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const closed: string[] = [];
    await expect(classifier().fit(slow(closed, 3), { threads: 1 })).rejects.toThrow("the disk is gone");
    const controller = new AbortController();
    const aborted = { signal: controller.signal, onProgress: () => controller.abort() };
    await expect(classifier().fit(slow(closed, 2), { threads: 1, ...aborted })).rejects.toMatchObject({
      name: "AbortError",
    });
    const fails = { onProgress: () => expect.fail("as a caller may") };
    await expect(classifier().fit(slow(closed, 2), { threads: 1, ...fails })).rejects.toThrow("as a caller may");
    await sleep(20);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
    expect(closed).toEqual(["epoch 0", "epoch 0", "epoch 0"]);
  });
});

describe("layers computed twice", () => {
  it("give the same numbers, bit for bit", async () => {
    const expected = await weightsAfter(classifier(), labels, { epochs: 3 });
    expect(await weightsAfter(classifier(), labels, { epochs: 3, recompute: true })).toEqual(expected);
    expect(await weightsAfter(classifier(), labels, { epochs: 3, recompute: ["hidden"] })).toEqual(expected);
  });

  it("are named by layers that the model has", async () => {
    await expect(classifier().fit(x, labels, { recompute: ["hiden"] })).rejects.toThrow(
      /recompute: expected names of layers \(.*hidden.*\), received "hiden"/,
    );
  });
});
