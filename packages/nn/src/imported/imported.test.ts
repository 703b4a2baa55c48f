import { decodeModel, encodeModel, GraphBuilder, model as onnxModel, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { NnError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors, toFloat32 } from "../formats/index.ts";
import { conv2d } from "../layers/convolution/conv.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { batchNormalization } from "../layers/normalization/batch-normalization.ts";
import { maxPooling2d } from "../layers/pooling/max-pooling.ts";
import { lstm } from "../layers/recurrent/lstm.ts";
import { parseLayer } from "../layers/registry.ts";
import { Model } from "../model/model.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import { quantizationAware } from "../quantization/quantization-aware.ts";
import { normalAt } from "../random/hash.ts";
import { Problems } from "../schema/problems.ts";
import { adapterWeights, mergeAdapters } from "./adapters.ts";
import { namesOf } from "./glob.ts";
import { lora, matrixOf } from "./lora.ts";
import { onnxInputs, onnxLayer } from "./onnx-layer.ts";

const random = (shape: readonly number[], key = 3) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => normalAt(key, i)),
  );

const cnn = () =>
  new Sequential(
    [
      conv2d(4, 3, { inputShape: [8, 8, 1] }),
      batchNormalization(),
      maxPooling2d(),
      flatten(),
      dense(3, { activation: "softmax" }),
    ],
    { seed: 2 },
  );

/** A file as another program would have written it. */
const fileOf = (model: Model) => decodeModel(encodeModel(model.toOnnx()));

const wrap = (layer: ReturnType<typeof onnxLayer>, shape: readonly (number | null)[]) => {
  const x = input({ shape });
  return new Model({ inputs: x, outputs: layer.apply(x) }, { seed: 1 });
};

describe("a model from an ONNX file", () => {
  it("answers as it did, trains, and comes back from its own file", async () => {
    const original = cnn();
    const images = random([5, 8, 8, 1]);
    const file = fileOf(original);
    expect(onnxInputs(file)).toEqual([{ name: "input", shape: [8, 8, 1], dtype: "float32" }]);
    const model = wrap(onnxLayer(file), [8, 8, 1]);
    const before = await model.predict(images, { threads: 1 });
    const expected = await original.predict(images, { threads: 1 });
    before.data.forEach((value, i) => void expect(value).toBeCloseTo(expected.data[i] ?? 0, 5));
    model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    const labels = [0, 1, 2, 0, 1];
    const first = (await model.evaluate(images, labels, { threads: 1 })).loss;
    await model.fit(images, labels, { epochs: 10, threads: 1 });
    expect((await model.evaluate(images, labels, { threads: 1 })).loss).toBeLessThan(first);
    const again = Model.load(model.save());
    expect(await again.predict(images, { threads: 1 })).toEqual(await model.predict(images, { threads: 1 }));
    await Promise.all([model.close(), original.close(), again.close()]);
  });

  it("means every weight where its JSON says nothing of patterns, as its function does", () => {
    const body = onnxLayer(fileOf(cnn()), { name: "body" });
    for (const layer of [body, lora(body), quantizationAware(body)]) {
      const { trainableWeights, targets, ...rest } = layer.config;
      const read = parseLayer({ ...rest, type: layer.type }, "layer", new Problems());
      expect({ ...read?.config }).toEqual(layer.config);
      expect(trainableWeights ?? targets).toEqual(["*"]);
    }
  });

  it("trains the weights that patterns name and no others, with a new head on a value within", async () => {
    const file = fileOf(cnn());
    const flat = file.graph.nodes.find(({ operator }) => operator === "Gemm")?.inputs[0]?.name ?? "";
    const x = input({ shape: [8, 8, 1] });
    const body = onnxLayer(file, { name: "body", outputs: [flat], trainableWeights: ["*", "!conv*"] });
    const model = new Model({ inputs: x, outputs: dense(2, { activation: "softmax" }).apply(body.apply(x)) });
    expect(model.outputShape).toEqual([2]);
    model.compile({ optimizer: "sgd", loss: "sparseCategoricalCrossentropy" });
    const before = model.getWeights();
    await model.fit(random([4, 8, 8, 1]), [0, 1, 1, 0], { epochs: 2, threads: 1 });
    const moved = model
      .getWeights()
      .filter(({ value }, i) => value.data.some((one, k) => one !== before[i]?.value.data[k]))
      .map(({ name }) => name);
    expect(moved.some((name) => name.includes("conv2d"))).toBe(false);
    expect(moved).toContain("dense_1/kernel");
    await model.close();
  });

  it("with bodies of loops inside answers as it did, for sequences of any length", async () => {
    const original = new Sequential([lstm(4, { returnSequences: true, inputShape: [null, 3] })], { seed: 4 });
    const model = wrap(onnxLayer(fileOf(original)), [null, 3]);
    for (const steps of [2, 5]) {
      const x = random([3, steps, 3]);
      const [a, b] = [await model.predict(x, { threads: 1 }), await original.predict(x, { threads: 1 })];
      expect(a.shape).toEqual([3, steps, 4]);
      a.data.forEach((value, i) => void expect(value).toBeCloseTo(b.data[i] ?? 0, 5));
    }
    await Promise.all([model.close(), original.close()]);
  });

  it("has weights that its exporter wrote as nodes too", () => {
    const builder = new GraphBuilder("nodes");
    const x = builder.input("x", "float32", ["batch", 2]);
    const w = builder.op("Constant", [], { value: random([2, 3]) });
    builder.output(builder.op("MatMul", [x, w]), "y");
    const model = wrap(onnxLayer(onnxModel(builder.build())), [2]);
    expect(model.getWeights().map(({ value }) => value)).toEqual([random([2, 3])]);
    expect(model.parameterCount).toBe(6);
  });

  it("is refused by name where it cannot train", async () => {
    const builder = new GraphBuilder("odd");
    const x = builder.input("x", "float32", ["batch", 2, 2]);
    const w = builder.initializer("w", random([2, 2]));
    builder.output(builder.op("Det", [builder.op("MatMul", [x, w])]), "y");
    const model = wrap(onnxLayer(onnxModel(builder.build())), [2, 2]);
    expect(() => onnxLayer(onnxModel(builder.build()), { trainableWeights: ["none"] })).toThrow("weights: w");
    expect(() => onnxLayer(onnxModel(builder.build()), { outputs: ["z"] }).outputShapes([[2, 2]], "here")).toThrow(
      'no value is named "z"',
    );
    expect((await model.predict(random([3, 2, 2]), { threads: 1 })).shape).toEqual([3]);
    const none = new GraphBuilder("none");
    none.output(none.op("Relu", [none.input("x", "float32", ["batch", 2])]), "y");
    expect(() => onnxLayer(onnxModel(none.build()))).toThrow(NnError);
    await model.close();
  });
});

describe("adapters", () => {
  it("start as the layer is, train alone, are kept apart, and merge to the same answers", async () => {
    const x = input({ shape: [8, 8, 1] });
    const body = lora(onnxLayer(fileOf(cnn())), { rank: 2, alpha: 4, name: "body" });
    const model = new Model({ inputs: x, outputs: body.apply(x) }, { seed: 1 });
    const images = random([6, 8, 8, 1]);
    const plain = wrap(onnxLayer(fileOf(cnn())), [8, 8, 1]);
    expect(await model.predict(images, { threads: 1 })).toEqual(await plain.predict(images, { threads: 1 }));
    model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
    const before = new Map(model.getWeights().map(({ name, value }) => [name, value.data]));
    await model.fit(images, [0, 1, 2, 0, 1, 2], { epochs: 5, threads: 1 });
    for (const { name, value } of model.getWeights())
      if (name.includes("lora")) expect(value.data).not.toEqual(before.get(name));
      else expect(value.data).toEqual(before.get(name));
    const kept = adapterWeights(model);
    expect(kept.length).toBe(4);
    expect(model.parameterCount).toBe(kept.reduce((sum, { value }) => sum + value.data.length, 0));
    const fresh = Model.fromSpec(JSON.parse(JSON.stringify(model.toSpec())), { seed: 8 });
    fresh.loadWeights(plain.getWeights().map(({ name, value }) => ({ name: name.replace(/^onnx_1/, "body"), value })));
    fresh.loadWeights(kept);
    const answers = await model.predict(images, { threads: 1 });
    expect(await fresh.predict(images, { threads: 1 })).toEqual(answers);
    const merged = mergeAdapters(model);
    expect(merged.getWeights().some(({ name }) => name.includes("lora"))).toBe(false);
    const same = await merged.predict(images, { threads: 1 });
    same.data.forEach((value, i) => void expect(value).toBeCloseTo(answers.data[i] ?? 0, 5));
    await Promise.all([model, plain, fresh, merged].map((one) => one.close()));
  });

  it("fit layers of our own, and say when no weight is meant", async () => {
    const model = new Sequential([lora(dense(3, { inputShape: [4] }), { rank: 1, targets: ["kernel"] })]);
    expect(model.getWeights().map(({ name, value }) => [name, value.shape])).toEqual([
      ["lora_1/kernel", [4, 3]],
      ["lora_1/bias", [3]],
      ["lora_1/kernel.lora_a", [4, 1]],
      ["lora_1/kernel.lora_b", [1, 3]],
    ]);
    expect(mergeAdapters(model).toSpec().layers[0]).toMatchObject({ type: "dense", name: "lora_1" });
    expect(() => new Sequential([lora(dense(3, { inputShape: [4] }), { targets: ["bias"] })])).toThrow(
      "expected targets",
    );
    expect(() => mergeAdapters(new Sequential([dense(1, { inputShape: [1] })]))).toThrow(NnError);
    await model.close();
  });

  it("of convolutions in groups and of every channel, and of a turned Gemm, are kept in a file and merged to the same answers", async () => {
    const builder = new GraphBuilder("groups");
    const image = builder.input("x", "float32", ["batch", 4, 6, 6]);
    const weight = (name: string, ...shape: number[]) => builder.initializer(name, random(shape, name.length));
    const grouped = builder.op("Conv", [image, weight("grouped", 8, 2, 3, 3)], { group: 2 });
    const each = builder.op("Conv", [builder.op("Tanh", [grouped]), weight("each", 8, 1, 2, 2)], { group: 8 });
    const back = builder.op("ConvTranspose", [builder.op("Tanh", [each]), weight("back", 8, 2, 2, 2)], { group: 2 });
    const flat = builder.op("Flatten", [back]);
    builder.output(builder.op("Gemm", [flat, weight("turned", 3, 64)], { transB: 1 }), "y");
    const file = onnxModel(builder.build());
    const make = (seed: number) => {
      const x = input({ shape: [4, 6, 6] });
      return new Model({ inputs: x, outputs: lora(onnxLayer(file), { rank: 2, name: "body" }).apply(x) }, { seed });
    };
    const images = random([5, 4, 6, 6], 9);
    const trained = make(1);
    trained.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const before = await trained.predict(images, { threads: 1 });
    await trained.fit(images, random([5, 3]), { epochs: 3, threads: 1 });
    const answers = await trained.predict(images, { threads: 1 });
    expect(answers.data).not.toEqual(before.data);
    const kept = encodeSafetensors(new Map(adapterWeights(trained).map(({ name, value }) => [name, value])));
    const read = [...decodeSafetensors(kept).tensors];
    expect(read).toHaveLength(8);
    const other = make(2);
    other.loadWeights(
      read.map(([name, stored]) => ({ name, value: tensor("float32", [...stored.shape], toFloat32(stored)) })),
    );
    expect(await other.predict(images, { threads: 1 })).toEqual(answers);
    const merged = mergeAdapters(other);
    const same = await merged.predict(images, { threads: 1 });
    same.data.forEach((value, i) => void expect(value).toBeCloseTo(answers.data[i] ?? 0, 4));
    await Promise.all([trained, other, merged].map((one) => one.close()));
  });

  it("and weights that train are refused by each pattern that fits no weight", () => {
    const file = fileOf(cnn());
    expect(() => onnxLayer(file, { trainableWeights: ["*", "!fetures*"] })).toThrow(
      /trainableWeights: expected patterns that fit a weight, received !fetures\*; weights: \S/,
    );
    expect(() => new Sequential([lora(dense(3, { inputShape: [4] }), { targets: ["kernel", "kernal"] })])).toThrow(
      "received kernal; weights: kernel, bias",
    );
    expect(() => onnxLayer(file, { trainableWeights: ["*", "!conv*"] })).not.toThrow();
  });

  it("read weights of many axes as the smallest pair of factors", () => {
    expect(matrixOf([4, 3])).toEqual([4, 3]);
    expect(matrixOf([64, 32, 3, 3])).toEqual([64, 288]);
    expect(matrixOf([3, 3, 32, 64])).toEqual([288, 64]);
  });
});

it("patterns mean names; the last that fits decides", () => {
  const means = namesOf(["*", "!*.bias", "head.bias"]);
  expect(["a.weight", "a.bias", "head.bias", "x"].map(means)).toEqual([true, false, true, true]);
  expect(namesOf([])("a")).toBe(false);
  expect(namesOf(["a.*"])("ab")).toBe(false);
});
