/** @file Data and settings that make no sense: each is told by where it is, what was expected and received. */
import { describe, expect, it } from "vitest";
import { DataError, NnError } from "../errors.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { embedding } from "../layers/embedding/embedding.ts";
import { reversibleEmbedding } from "../layers/embedding/reversible-embedding.ts";
import { tokenAndPositionEmbedding } from "../layers/embedding/token-and-position-embedding.ts";
import type { Layer } from "../layers/layer.ts";
import { lstm } from "../layers/recurrent/lstm.ts";
import type { LossName } from "../losses/table.ts";
import { Model } from "../model/model.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import { subModel } from "../spec/sub-model.ts";
import type { BatchStream } from "./feed.ts";
import type { NamedSamples, Table } from "./source.ts";

const x = Array.from({ length: 6 }, (_, i) => [i / 6, 1 - i / 6]);
const labels = [0, 1, 2, 0, 1, 2];
const numbers = x.map((_, i) => [i]);

function made(loss: LossName, last: Layer = dense(3, { activation: "softmax" })): Sequential {
  const model = new Sequential([dense(2, { inputShape: [2] }), last], { seed: 1 });
  model.compile({ optimizer: "sgd", loss });
  return model;
}
const regression = () => made("meanSquaredError", dense(1));
const yes = () => dense(1, { activation: "sigmoid" });

/** Fits, and says what is wrong. */
async function refusal(model: Model, y: unknown, options: object = {}, samples: unknown = x): Promise<unknown> {
  const error = await model
    .fit(samples as NamedSamples, y as NamedSamples, { threads: 1, batchSize: 2, shuffle: false, ...options })
    .catch((reason: unknown) => reason);
  await model.close();
  return error;
}

describe("answers that the loss makes no sense of", () => {
  const oneHot = labels.map((label) => [0, 1, 2].map((one): number => (one === label ? 1 : 0)));
  const percent = "answers from 0 to 1, as the loss wants them, received";
  it.each<[LossName, Layer, NamedSamples, string]>([
    ["sparseCategoricalCrossentropy", dense(3), labels.with(4, 3), "labels from 0 to 2, received 3 at y[4]"],
    ["sparseCategoricalCrossentropy", dense(3), labels.with(4, -1), "labels from 0 to 2, received -1 at y[4]"],
    [
      "sparseCategoricalCrossentropy",
      dense(3),
      labels.with(4, 1.5),
      "whole numbers of 32 bits, received 1.5 at number 4",
    ],
    ["sparseCategoricalCrossentropy", dense(3), labels.with(1, Number.NaN), "whole numbers of 32 bits, received NaN"],
    ["categoricalGeneralizedCrossEntropy", dense(3), labels.with(0, 7), "labels from 0 to 2, received 7 at y[0]"],
    ["binaryCrossentropy", yes(), labels, `${percent} 2 at y[2]; change the answers, or use a loss for numbers`],
    ["binaryCrossentropy", yes(), labels.map((label) => (label === 0 ? -1 : 1)), `${percent} -1 at y[0]`],
    ["binaryFocalCrossentropy", yes(), labels, `${percent} 2 at y[2]`],
    ["categoricalCrossentropy", dense(3), oneHot.with(3, [0, 255, 0]), `${percent} 255 at y[3]`],
    ["categoricalFocalCrossentropy", dense(3), oneHot.with(3, [0, -1, 0]), `${percent} -1 at y[3]`],
    ["klDivergence", dense(3), oneHot.with(5, [0, 2, 0]), `${percent} 2 at y[5]`],
    ["categoricalHinge", dense(3), oneHot.with(5, [-1, -1, 1]), `${percent} -1 at y[5]`],
    ["dice", yes(), labels, `${percent} 2 at y[2]`],
    ["tversky", yes(), labels, `${percent} 2 at y[2]`],
    ["hinge", dense(1), labels, "answers from -1 to 1, as the loss wants them, received 2 at y[2]"],
    ["squaredHinge", dense(1), labels, "answers from -1 to 1, as the loss wants them, received 2 at y[2]"],
    ["poisson", dense(1), labels.with(3, -4), "answers from 0, as the loss wants them, received -4 at y[3]"],
    [
      "meanSquaredLogarithmicError",
      dense(1),
      labels.with(3, -4),
      "answers from 0, as the loss wants them, received -4",
    ],
  ])("%s", async (loss, last, y, message) => {
    const error = await refusal(made(loss, last), y);
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toContain(`y: expected ${message}`);
  });

  it("of label lists are told by their sample", async () => {
    const model = new Sequential([dense(4, { inputShape: [3, 2], activation: "softmax" })]);
    model.compile({ optimizer: "sgd", loss: "ctc" });
    const steps = Array.from({ length: 2 }, () => [x[0], x[1], x[2]]);
    const y = [
      [1, -1, -1],
      [2, 4, -1],
    ];
    expect(String(await refusal(model, y, {}, steps))).toContain(
      "y: expected labels from 0 to 3 (or -1 for none), received 4 at y[1]",
    );
    expect(String(await refusal(model, [1, 2], {}, steps))).toContain("y: expected labels of [count, 3], received [2]");
  });

  it("may be a little beyond by rounding, and anything where they do not count", async () => {
    const tolerant = made("binaryCrossentropy", yes());
    await tolerant.fit(x, [1.000001, 0, -0.000001, 1, 0, 1], { threads: 1 });
    await tolerant.fit(x, [9, 0, 1, 1, 0, 1], { threads: 1, sampleWeight: [0, 1, 1, 1, 1, 1] });
    await tolerant.close();
    const masked = new Sequential([
      embedding(4, 2, { maskZero: true, inputShape: [3] }),
      lstm(2, { returnSequences: true }),
      dense(1, { activation: "sigmoid" }),
    ]);
    masked.compile({ optimizer: "sgd", loss: "binaryCrossentropy" });
    const { loss } = await masked.evaluate([[1, 2, 0]], [[1, 0, -1]], { threads: 1 });
    expect(loss).toBeCloseTo((await masked.evaluate([[1, 2, 0]], [[1, 0, 0]], { threads: 1 })).loss, 6);
    await masked.close();
  });

  it("in shape or in kind come with advice", async () => {
    expect(String(await refusal(made("categoricalCrossentropy"), labels))).toContain(
      "y: expected answers of [count, 3], received [6]; for labels use the loss sparseCategoricalCrossentropy",
    );
    expect(String(await refusal(made("sparseCategoricalCrossentropy"), oneHot))).toContain(
      "y: expected labels of [count], received [6, 3]; for one-hot answers use the loss categoricalCrossentropy",
    );
    expect(String(await refusal(regression(), numbers.slice(1)))).toContain(
      "y: expected 6 answers, one per sample, received 5",
    );
    expect(String(await refusal(regression(), [["a"]], {}, [[0, 1]]))).toContain(
      'y[0][0] differs: expected a number, received "a"',
    );
  });
});

describe("samples", () => {
  it.each<[string, unknown, string]>([
    ["of another size", [[1, 2, 3]], "x: expected samples of [2], received samples of [3]"],
    ["of another rank", [1], "x: expected samples of [2], received samples of []"],
    ["that are ragged", [[1, 2], [3]], "x[1] differs: expected a list of 2, as the first has, received a list of 1"],
    ["without sizes", new Float32Array(200_000), "received a Float32Array without sizes"],
    ["that are none", null, "or nested lists of numbers; received null"],
    ["in a promise", Promise.resolve(x), "received none"],
  ])("%s", async (_, samples, message) => {
    const error = await refusal(regression(), [[1]], {}, samples);
    expect(error).toBeInstanceOf(NnError);
    expect(String(error)).toContain(message);
    expect(String(error).length).toBeLessThan(300);
  });

  it("of a validation part are told by their place in all data", async () => {
    const error = await refusal(made("sparseCategoricalCrossentropy"), labels.with(5, 8), { validationSplit: 0.5 });
    expect(String(error)).toContain("validation: y: expected labels from 0 to 2, received 8 at y[5]");
    const given = await refusal(regression(), numbers, { validationData: { x: [[1]], y: [[1]] } });
    expect(String(given)).toContain("validationData: x: expected samples of [2], received samples of [1]");
    const pair = [x, numbers] as unknown as Table;
    expect(String(await refusal(regression(), numbers, { validationData: pair }))).toContain(
      "validationData: expected { x, y }, a source, a table or a stream, received a list",
    );
    expect(String(await refusal(regression(), numbers, { validationSplit: 0.9 }))).toContain(
      "validationSplit: 0.9 of 6 samples leaves none to train on",
    );
  });
});

describe("words that an embedding has no row for", () => {
  const expected = "x: expected whole numbers from 0 to 4, as the embedding has 5 rows, received";
  const layers: readonly [string, Layer][] = [
    ["embedding", embedding(5, 2, { inputShape: [2] })],
    ["reversibleEmbedding", reversibleEmbedding(5, 2, { inputShape: [2] })],
    [
      "tokenAndPositionEmbedding",
      tokenAndPositionEmbedding({ vocabularySize: 5, sequenceLength: 2, embeddingDim: 2, inputShape: [2] }),
    ],
  ];
  it.each(layers)("are told of %s, in fit, evaluate and predict", async (_, layer) => {
    const model = new Sequential([layer, flatten(), dense(1)]);
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const [small, large] = [
      [
        [0, 4],
        [2, -1],
      ],
      [
        [0, 4],
        [3, 5],
      ],
    ];
    await expect(model.fit(small, [1, 2], { threads: 1, shuffle: false })).rejects.toThrow(`${expected} -1 at x[1]`);
    await expect(model.evaluate(large, [1, 2], { threads: 1 })).rejects.toThrow(`${expected} 5 at x[1]`);
    await expect(model.predict(large, { threads: 1, batchSize: 1 })).rejects.toThrow(`${expected} 5 at x[1]`);
    await expect(model.predict([[0, 1.5]], { threads: 1 })).rejects.toThrow("x: expected whole numbers of 32 bits");
    await model.close();
  });

  it("are told by the layer where it is inside another one", async () => {
    const inner = new Sequential([embedding(5, 2, { inputShape: [2] })]);
    const words = input({ shape: [2], dtype: "int32" });
    const model = new Model({
      inputs: words,
      outputs: dense(1).apply(flatten().apply(subModel(inner, { name: "inner" }).apply(words))),
    });
    await expect(model.predict([[1, 9]], { threads: 1 })).rejects.toThrow(
      "inner/embedding_1: expected whole numbers from 0 to 4, the rows of its table, received 9",
    );
    await model.close();
  });
});

describe("weights", () => {
  it.each<[NamedSamples, string]>([
    [[0, 0, 0, 0, 0, 0], "sampleWeight: expected one weight above 0 at least, received 0 for all samples"],
    [{ shape: [6], data: new Float32Array(6) }, "sampleWeight: expected one weight above 0 at least"],
    [[1, 2], "sampleWeight: expected 6 weights, one per sample, received 2"],
    [[1, 1, -1, 1, 1, 1], "sampleWeight: expected numbers from 0, received -1 at 2"],
    [x.map(() => [1, 2]), "sampleWeight: expected [count], received [6, 2]"],
  ])("%j", async (sampleWeight, message) => {
    expect(String(await refusal(regression(), numbers, { sampleWeight }))).toContain(message);
  });

  it("[count, 1] are those of samples, as in Keras", async () => {
    const model = regression();
    const sampleWeight = [1, 0, 0, 2, 0, 0];
    const { loss } = await model.evaluate(x, numbers, { threads: 1, sampleWeight });
    const column = await model.evaluate(x, numbers, { threads: 1, sampleWeight: sampleWeight.map((one) => [one]) });
    expect(column.loss).toBe(loss);
    await model.close();
  });

  it("come with the batches of a stream", async () => {
    const stream = async function* () {
      yield { x, y: numbers };
    };
    await expect(regression().fit(stream, { sampleWeight: [1] })).rejects.toThrow(
      "fit: expected sampleWeight with arrays only; put it into the batches of a stream",
    );
    await expect(regression().evaluate(stream, { sampleWeight: [1] })).rejects.toThrow(
      "evaluate: expected sampleWeight",
    );
  });

  it("in a table are as large as the losses", async () => {
    const table = (columns: Table["columns"]): Table => ({ length: 2, columns, batch: () => {} });
    const x1 = { "x/input": { dtype: "float32", shape: [2] } } as const;
    const y1 = { "y/output": { dtype: "float32", shape: [1] } } as const;
    const fit = (columns: Table["columns"]) => regression().fit(table(columns), { threads: 1 });
    await expect(fit({ ...x1, ...y1, "weight/output": { dtype: "float32", shape: [1] } })).rejects.toThrow(
      "weight/output: expected float32 weights of [], or [] for each answer, received float32 of [1]",
    );
    await expect(fit({ ...x1, ...y1, "weight/other": { dtype: "float32", shape: [] } })).rejects.toThrow(
      "weight/other: expected the name of an output (output)",
    );
    await expect(fit({ ...x1 })).rejects.toThrow("y/output: expected float32 answers of [1], received none");
    const double = { dtype: "float64" as "float32", shape: [2] };
    await expect(fit({ "x/input": double, ...y1 })).rejects.toThrow(
      'x/input: expected dtype to be float32, uint8 or int32, received "float64"',
    );
    await expect(regression().predict(table({ "x/input": { dtype: "float32", shape: [3] } }))).rejects.toThrow(
      "x: expected samples of [2], received samples of [3]",
    );
  });
});

describe("streams that are none", () => {
  it.each<[string, unknown, string]>([
    ["a promise", async () => [], "received a promise; write it as async function*"],
    ["nothing", () => undefined, "expected the function (epoch) => batches to give an iterable of { x, y }"],
    ["lists", () => [[x, numbers]], "stream: expected batches { x, y }, received a list"],
    ["samples alone", () => [{ x }], "stream: expected batches { x, y }"],
  ])("%s", async (_, stream, message) => {
    await expect(regression().fit(stream as BatchStream, { threads: 1 })).rejects.toThrow(message);
  });

  it("say which batch a wrong label is in", async () => {
    const stream = () => [
      { x, y: labels },
      { x, y: labels.with(1, 5) },
    ];
    await expect(made("sparseCategoricalCrossentropy").fit(stream, { threads: 1 })).rejects.toThrow(
      "received 5 at y[1] of batch 2",
    );
  });

  it("may hand over batches without waiting", async () => {
    const model = regression();
    const { epochs } = await model.fit(() => [{ x, y: numbers }], { threads: 1, epochs: 2 });
    expect(epochs.map(({ samples }) => samples)).toEqual([6, 6]);
    expect((await model.predict(() => [{ x, y: numbers }], { threads: 1 })).shape).toEqual([6, 1]);
    await model.close();
  });
});

describe("settings", () => {
  it.each<[object, string]>([
    [{ epochs: -1 }, "epochs: expected a whole number from 0, received -1"],
    [{ epochs: "3" }, 'epochs: expected a whole number from 0, received "3"'],
    [{ batchSize: 0 }, "batchSize: expected a whole number from 1, received 0"],
    [{ threads: 0 }, "threads: expected a whole number from 1, received 0"],
    [{ validationSplit: 1 }, "validationSplit: expected a number from 0 up to but without 1, received 1"],
    [{ validationBatchSize: 0.5 }, "validationBatchSize: expected a whole number from 1, received 0.5"],
    [{ batch_size: 2 }, 'fit: unknown option "batch_size" (did you mean "batchSize"?); known: epochs, '],
    [{ callbacks: {} }, "callbacks: expected a list of objects with a name and methods, received {}"],
    [{ callbacks: [{}] }, "callbacks: expected a list of objects with a name and methods, received {}"],
  ])("%j", async (options, message) => {
    expect(String(await refusal(regression(), numbers, options))).toContain(message);
  });

  it("of evaluate and predict are checked too", async () => {
    const model = regression();
    await expect(model.evaluate(x, numbers, { steps: 0 })).rejects.toThrow("steps: expected a whole number from 1");
    await expect(model.predict(x, { threads: 0.5 })).rejects.toThrow("threads: expected a whole number from 1");
    await expect(model.predict(x, { ["epochs" as "steps"]: 1 })).rejects.toThrow('predict: unknown option "epochs"');
  });

  it("no epoch, or one that is done, changes nothing; a batch larger than the data is one of all", async () => {
    const model = regression();
    const before = model.getWeights();
    expect((await model.fit(x, numbers, { epochs: 0 })).epochs).toEqual([]);
    expect((await model.fit(x, numbers, { epochs: 2, initialEpoch: 2 })).epochs).toEqual([]);
    expect(model.getWeights()).toEqual(before);
    const { epochs } = await model.fit(x, numbers, { threads: 1, batchSize: 2 ** 40 });
    expect(epochs[0]).toMatchObject({ steps: 1, samples: 6 });
    await model.close();
  });
});

describe("a stateful layer", () => {
  const stateful = () => {
    const model = new Sequential([lstm(2, { stateful: true, batchSize: 3, inputShape: [2, 1] }), dense(1)]);
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    return model;
  };
  const steps = Array.from({ length: 6 }, (_, i) => [[i], [i + 1]]);

  it("sets the batch where none is given", async () => {
    const model = stateful();
    const { epochs } = await model.fit(steps, numbers, { threads: 1 });
    expect(epochs[0]?.steps).toBe(2);
    expect((await model.predict(steps, { threads: 1 })).shape).toEqual([6, 1]);
    expect((await model.evaluate(steps, numbers, { threads: 1 })).loss).toBeGreaterThan(0);
    await model.close();
  });

  it("refuses other batches", async () => {
    const expected = "lstm_1: expected batches of 3 samples, as its batchSize says: it is stateful and remembers each;";
    const model = stateful();
    await expect(model.fit(steps.slice(1), numbers.slice(1), { threads: 1 })).rejects.toThrow(`${expected} received 2`);
    await expect(model.evaluate(steps, numbers, { threads: 1, batchSize: 6 })).rejects.toThrow(
      `${expected} received 6`,
    );
    await expect(model.predict(steps, { threads: 1, batchSize: 4 })).rejects.toThrow(`${expected} received 4`);
    await model.close();
  });
});
