import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { SpecError } from "../errors.ts";
import { layerKinds } from "../layers/table.ts";
import { Sequential } from "../model/sequential.ts";
import { parseCompileSpec } from "./compile-spec.ts";
import { parseSpec } from "./model-spec.ts";

const cnn = {
  inputShape: [28, 28, 1],
  layers: [
    { type: "conv2d", filters: 32, kernelSize: 3, activation: "relu" },
    { type: "maxPooling2d" },
    { type: "flatten" },
    { type: "dropout", rate: 0.5 },
    { type: "dense", units: 128, activation: "relu", kernelInitializer: "heNormal" },
    { type: "dense", units: 10, activation: "softmax", name: "scores" },
  ],
};

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SpecError) return error.problems.map(({ where, message }) => `${where}: ${message}`);
    throw error;
  }
  return [];
}
const problems = (spec: unknown): string[] => problemsOf(() => parseSpec(spec));
const ofLayers = (...layers: unknown[]): string[] => problems({ inputShape: [28, 28, 1], layers });

describe("parseSpec", () => {
  it("writes out every setting, and reads its own answer as the same", () => {
    const spec = parseSpec(cnn);
    expect(spec.layers[0]).toMatchObject({
      type: "conv2d",
      filters: 32,
      kernelSize: [3, 3],
      strides: [1, 1],
      padding: "valid",
      dilations: [1, 1],
      activation: "relu",
      useBias: true,
      kernelInitializer: { type: "glorotUniform" },
      biasInitializer: { type: "zeros" },
    });
    expect(parseSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    expect(Sequential.fromSpec(spec).toSpec()).toEqual(spec);
  });

  it("suggests the layer or field that was meant", () => {
    expect(ofLayers({ type: "conv2D", filters: 1, kernelSize: 1 })[0]).toContain(
      'unknown layer "conv2D" (did you mean "conv2d"?)',
    );
    expect(ofLayers({ type: "flatten", unit: 3 })[0]).toContain("layers[0] (flatten).unit: unknown field");
    expect(ofLayers({ type: "dense", unit: 3 })[0]).toContain('unknown field (did you mean "units"?)');
    expect(ofLayers({ type: "activation", activation: "Relu" })[0]).toContain('did you mean "relu"');
    expect(ofLayers({ type: "__proto__" })[0]).toContain("unknown layer");
    expect(ofLayers({ type: "dense", units: 1, kernelInitializer: "glorot" })[0]).toContain("unknown initializer");
  });

  it("lists all problems at once, each with its place, what was expected and what was received", () => {
    expect(
      problems({
        inputShape: [28, 0],
        extra: 1,
        layers: [
          { type: "conv2d", filters: -1, kernelSize: [3, 3, 3] },
          "dense",
          { type: "dropout", rate: 1 },
          { type: "dense", units: 2, name: "a b" },
        ],
      }),
    ).toEqual([
      "extra: unknown field; expected inputShape, layers",
      "inputShape: expected sizes of one sample's axes, such as [28, 28, 1] or [null, 8], received [28,0]",
    ]);
    expect(
      ofLayers(
        { type: "conv2d", filters: -1, kernelSize: [3, 3, 3] },
        "dense",
        { type: "dropout", rate: 1 },
        { type: "dense", units: 2, name: "a b" },
      ),
    ).toEqual([
      "layers[0] (conv2d).filters: expected a whole number from 1, received -1",
      "layers[0] (conv2d).kernelSize: expected a whole number from 1, or two of them as [height, width], received [3,3,3]",
      expect.stringContaining('layers[1]: expected {"type": layer, ...}'),
      "layers[2] (dropout).rate: expected a number from 0 up to but without 1, received 1",
      expect.stringContaining("layers[3] (a b).name: expected a letter"),
    ]);
  });

  it("names the layer whose shape does not fit, with expected and received", () => {
    const dense = { type: "dense", units: 3 };
    const conv = { type: "conv2d", filters: 2, kernelSize: 3 };
    expect(ofLayers({ type: "flatten" }, conv)).toEqual([
      expect.stringContaining("layers[1] (conv2d_1): expected samples of [height, width, channels], received [784]"),
    ]);
    expect(ofLayers({ type: "maxPooling2d", poolSize: 14 }, conv)).toEqual([
      expect.stringContaining(
        "layers[1] (conv2d_1): expected an image of at least [3, 3] for its window, received [2, 2, 1]",
      ),
    ]);
    expect(ofLayers(dense, { ...dense, inputShape: [5] })[0]).toContain("expected inputShape [28, 28, 3]");
    expect(ofLayers({ ...dense, name: "a" }, { ...dense, name: "a" })[0]).toContain('received "a" again');
    expect(ofLayers({ ...conv, strides: 2, dilations: 2 })[0]).toContain("expected strides or dilations of 1");
    expect(ofLayers({ type: "dense", units: 2_000_000_000 })[0]).toContain("at most 2 GiB");
    expect(problems({ layers: [dense] })[0]).toContain("inputShape: expected sizes of one sample");
    expect(problems({ inputShape: [1], layers: [] })[0]).toContain("at least one layer");
  });

  it("refuses anything that is no description", () => {
    for (const wrong of [undefined, null, 3, "cnn", [], { layers: 3 }, { layers: {} }, () => 1])
      expect(problems(wrong).length).toBeGreaterThan(0);
    expect(
      problems({ inputShape: [1], layers: Array.from({ length: 1001 }, () => ({ type: "flatten" })) })[0],
    ).toContain("at most 1000 layers");
  });

  it("does not load the native runtime", () => {
    const script = `
      const { parseSpec, parseCompileSpec } = await import("@gristmill/nn");
      parseSpec(${JSON.stringify(cnn)});
      parseCompileSpec({ optimizer: "adam", loss: "meanSquaredError" });
      const loaded = process.report.getReport().sharedObjects.filter((path) => path.includes("onnxruntime"));
      console.log(JSON.stringify(loaded));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: import.meta.dirname,
      encoding: "utf8",
    });
    expect(JSON.parse(output)).toEqual([]);
  });

  it("has an entry for each layer under its own name", () => {
    for (const [name, kind] of Object.entries(layerKinds)) expect(kind.type).toBe(name);
  });
});

describe("parseCompileSpec", () => {
  const compile = (value: unknown) => problemsOf(() => parseCompileSpec(value, parseSpec(cnn)));

  it("writes out every setting", () => {
    expect(
      parseCompileSpec({
        optimizer: { type: "adam", learningRate: 0.01 },
        loss: "sparseCategoricalCrossentropy",
        metrics: ["accuracy"],
      }),
    ).toMatchObject({
      optimizer: { type: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: null },
      loss: { type: "sparseCategoricalCrossentropy" },
      metrics: [{ type: "accuracy" }],
    });
    expect(parseCompileSpec({ optimizer: "sgd", loss: "meanSquaredError" }).optimizer).toMatchObject({
      type: "sgd",
      learningRate: 0.01,
      momentum: 0,
      nesterov: false,
    });
  });

  it("lists all problems at once", () => {
    expect(compile({ optimizer: "adm", loss: { type: "crossentropy" }, metrics: ["acuracy"], epochs: 3 })).toEqual([
      "epochs: unknown field; expected optimizer, loss, metrics, lossWeights",
      expect.stringContaining('optimizer: unknown optimizer "adm" (did you mean "adam"?); known: sgd, '),
      expect.stringContaining('loss: unknown loss "crossentropy"'),
      expect.stringContaining('metrics[0]: unknown metric "acuracy" (did you mean "accuracy"?); known: accuracy'),
    ]);
    expect(
      compile({
        optimizer: { type: "adam", learningRate: 0 },
        loss: "meanSquaredError",
        metrics: ["accuracy", "accuracy"],
      }),
    ).toEqual([
      "optimizer.learningRate: expected a number above 0, received 0",
      expect.stringContaining("metrics: expected each metric once"),
    ]);
  });

  it("says when the loss does not fit the model's output", () => {
    const one = parseSpec({ inputShape: [4], layers: [{ type: "dense", units: 1 }] });
    expect(
      problemsOf(() => parseCompileSpec({ optimizer: "sgd", loss: "sparseCategoricalCrossentropy" }, one))[0],
    ).toContain("for one output use binaryCrossentropy");
  });
});
