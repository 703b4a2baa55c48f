/** @file Older operator sets: ONNX Runtime runs the file as it is, and what we read of it; both must give the same. */
import { describe, expect, it } from "vitest";
import { difference } from "../conformance/difference.ts";
import { toleranceOf } from "../conformance/tolerance.ts";
import { decodeModel } from "../format/decode.ts";
import { attributeTypes, modelMessage } from "../format/schema.ts";
import { assertModel } from "../graph/check.ts";
import { createSession } from "../session/session.ts";
import { type Tensor, tensor } from "../tensor.ts";

type WireAttributes = readonly Readonly<Record<string, unknown>>[];
const int = (name: string, i: number) => ({ name, type: attributeTypes.int, i });
const ints = (name: string, ...list: number[]) => ({ name, type: attributeTypes.ints, ints: list });
const float = (name: string, f: number) => ({ name, type: attributeTypes.float, f });
const floats = (name: string, ...list: number[]) => ({ name, type: attributeTypes.floats, floats: list });
const text = (name: string, s: string) => ({ name, type: attributeTypes.string, s: Buffer.from(s) });

interface Old {
  readonly opset: number;
  readonly operator: string;
  /** Sizes of the fed float32 inputs. */
  readonly inputs: readonly (readonly number[])[];
  readonly attributes?: WireAttributes;
  readonly outputs?: number;
  /** Weights after the fed inputs. */
  readonly weights?: readonly Tensor[];
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const numbers = (shape: readonly number[]): Tensor =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: count(shape) }, (_, i) => (((i * 7919 + 13) % 19) - 9) / 4),
  );
const floatType = (shape: readonly number[]) => ({
  tensorType: { elemType: 1, shape: { dim: shape.map((dimValue) => ({ dimValue })) } },
});

/** A file of one node, in an old operator set. */
function fileOf({ opset, operator, inputs, attributes = [], outputs = 1, weights = [] }: Old): Uint8Array {
  const fed = inputs.map((_, i) => `x${i}`);
  const kept = weights.map((_, i) => `w${i}`);
  const made = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const graph = {
    name: "old",
    input: inputs.map((shape, i) => ({ name: `x${i}`, type: floatType(shape) })),
    output: made.map((name) => ({
      name,
      type: { tensorType: { elemType: name === "y1" && operator === "TopK" ? 7 : 1 } },
    })),
    initializer: weights.map(({ shape, data, dtype }, i) => ({
      name: `w${i}`,
      dims: shape,
      dataType: dtype === "int64" ? 7 : 1,
      rawData: new Uint8Array((data as Float32Array).buffer),
    })),
    node: [{ name: "node", opType: operator, input: [...fed, ...kept], output: made, attribute: attributes }],
  };
  return modelMessage.encode({ irVersion: 4, opsetImport: [{ version: opset }], graph }).finish();
}

async function run(model: Parameters<typeof createSession>[0], feeds: Readonly<Record<string, Tensor>>) {
  const session = await createSession(model, { threads: 1, optimization: "none" });
  try {
    return (await session.run(feeds)).outputs;
  } finally {
    await session.close();
  }
}

const scales = (...list: number[]): Tensor => tensor("float32", [list.length], Float32Array.from(list));

const cases: Readonly<Record<string, Old>> = {
  "Softmax over two axes": { opset: 11, operator: "Softmax", inputs: [[2, 3, 4]], attributes: [int("axis", 1)] },
  "Softmax over all axes": { opset: 11, operator: "Softmax", inputs: [[2, 3, 4]], attributes: [int("axis", 0)] },
  "Softmax with nothing said": { opset: 8, operator: "Softmax", inputs: [[2, 3, 4]] },
  "LogSoftmax over two axes": { opset: 12, operator: "LogSoftmax", inputs: [[2, 3, 4]], attributes: [int("axis", -2)] },
  "Hardmax over two axes": { opset: 11, operator: "Hardmax", inputs: [[2, 3, 4]], attributes: [int("axis", 1)] },
  "Clip by attributes": {
    opset: 7,
    operator: "Clip",
    inputs: [[3, 4]],
    attributes: [float("min", -1), float("max", 1)],
  },
  "Clip from below": { opset: 10, operator: "Clip", inputs: [[3, 4]], attributes: [float("min", 0)] },
  "Pad by attributes": {
    opset: 10,
    operator: "Pad",
    inputs: [[2, 3]],
    attributes: [ints("pads", 0, 1, 2, 0), float("value", 5), text("mode", "constant")],
  },
  "Slice by attributes": {
    opset: 9,
    operator: "Slice",
    inputs: [[4, 5]],
    attributes: [ints("starts", 1, -3), ints("ends", 3, 1000), ints("axes", 0, 1)],
  },
  "Slice of first axes": {
    opset: 9,
    operator: "Slice",
    inputs: [[4, 5]],
    attributes: [ints("starts", 1), ints("ends", 3)],
  },
  "TopK by attribute": { opset: 9, operator: "TopK", inputs: [[3, 6]], attributes: [int("k", 2)], outputs: 2 },
  "Split by attribute": {
    opset: 12,
    operator: "Split",
    inputs: [[6, 2]],
    attributes: [ints("split", 1, 5)],
    outputs: 2,
  },
  "Split evenly": { opset: 17, operator: "Split", inputs: [[6, 2]], outputs: 3 },
  "ReduceMean by attribute": {
    opset: 17,
    operator: "ReduceMean",
    inputs: [[2, 3, 4]],
    attributes: [ints("axes", -1, 0)],
  },
  "ReduceSum of all": { opset: 12, operator: "ReduceSum", inputs: [[2, 3]], attributes: [int("keepdims", 0)] },
  "Squeeze by attribute": { opset: 12, operator: "Squeeze", inputs: [[2, 1, 3]], attributes: [ints("axes", 1)] },
  "Unsqueeze by attribute": { opset: 11, operator: "Unsqueeze", inputs: [[2, 3]], attributes: [ints("axes", 0, 3)] },
  "Upsample, nearest": { opset: 9, operator: "Upsample", inputs: [[1, 1, 2, 3]], weights: [scales(1, 1, 2, 3)] },
  "Upsample, linear": {
    opset: 7,
    operator: "Upsample",
    inputs: [[1, 1, 3, 3]],
    attributes: [text("mode", "linear"), floats("scales", 1, 1, 2, 2)],
  },
  "Resize of opset 10, larger": {
    opset: 10,
    operator: "Resize",
    inputs: [[1, 1, 3, 4]],
    weights: [scales(1, 1, 1.5, 2)],
  },
  "Resize of opset 10, smaller": {
    opset: 10,
    operator: "Resize",
    inputs: [[1, 1, 6, 7]],
    weights: [scales(1, 1, 0.6, 0.5)],
  },
  "Dropout by attribute": { opset: 7, operator: "Dropout", inputs: [[3, 4]], attributes: [float("ratio", 0.9)] },
  "BatchNormalization with spatial 1": {
    opset: 8,
    operator: "BatchNormalization",
    inputs: [[2, 3, 4]],
    attributes: [int("spatial", 1), float("epsilon", 0.1)],
    weights: [scales(1, 2, 3), scales(0, 1, 0), scales(0.5, 0, 0), scales(1, 4, 9)],
  },
  "GroupNormalization by group": {
    opset: 18,
    operator: "GroupNormalization",
    inputs: [[2, 4, 3]],
    attributes: [int("num_groups", 2)],
    weights: [scales(2, 3), scales(1, -1)],
  },
  "GridSample by its old names": {
    opset: 16,
    operator: "GridSample",
    inputs: [
      [1, 1, 4, 4],
      [1, 3, 3, 2],
    ],
    attributes: [text("mode", "bicubic"), text("padding_mode", "border")],
  },
  "DFT by attribute": { opset: 17, operator: "DFT", inputs: [[2, 4, 3, 1]], attributes: [int("axis", 2)] },
};

describe("models of older operator sets give the same as they are, and as opset 21", () => {
  for (const [name, old] of Object.entries(cases))
    it(`${name}, opset ${old.opset}`, async () => {
      const bytes = fileOf(old);
      const model = decodeModel(bytes);
      expect([model.opset, model.writtenOpset]).toEqual([21, old.opset]);
      assertModel(model);
      const feeds = Object.fromEntries(old.inputs.map((shape, i) => [`x${i}`, numbers(shape)]));
      const [expected, actual] = [await run(bytes, feeds), await run(model, feeds)];
      for (const { name: output, shape } of model.graph.outputs) {
        const [want, got] = [expected[output], actual[output]];
        if (want === undefined || got === undefined) throw new Error(`output ${output} is missing`);
        expect(difference(want, got, toleranceOf(""))).toBeUndefined();
        expect(shape).toEqual(want.shape);
      }
    });
});

describe("operator sets that ONNX Runtime no longer runs", () => {
  const outputOf = async (old: Old, ...feeds: Tensor[]) =>
    (await run(decodeModel(fileOf(old)), Object.fromEntries(feeds.map((feed, i) => [`x${i}`, feed]))))["y0"];

  it("an operand lies where attribute axis puts it", async () => {
    const old: Old = {
      opset: 6,
      operator: "Add",
      inputs: [[2, 3, 2], [3]],
      attributes: [int("broadcast", 1), int("axis", 1)],
    };
    const sum = await outputOf(old, tensor("float32", [2, 3, 2], new Float32Array(12)), scales(1, 2, 3));
    expect(sum?.data).toEqual(Float32Array.of(1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3));
  });

  it("an operand without an axis lies at the end", async () => {
    const old: Old = { opset: 6, operator: "Mul", inputs: [[2, 3], [3]], attributes: [int("broadcast", 1)] };
    const product = await outputOf(old, tensor("float32", [2, 3], new Float32Array(6).fill(2)), scales(1, 2, 3));
    expect(product?.data).toEqual(Float32Array.of(2, 4, 6, 2, 4, 6));
  });

  it("slopes of PRelu lie along the channels", async () => {
    const old: Old = { opset: 6, operator: "PRelu", inputs: [[1, 2, 2], [2]] };
    const y = await outputOf(old, tensor("float32", [1, 2, 2], Float32Array.of(-1, 1, -1, -2)), scales(0.5, 0.25));
    expect(y?.data).toEqual(Float32Array.of(-0.5, 1, -0.25, -0.5));
  });

  it("a shape is an attribute, a type is a name, and inputs are destroyed", async () => {
    const reshape: Old = {
      opset: 4,
      operator: "Reshape",
      inputs: [[2, 3]],
      attributes: [ints("shape", 3, 2), ints("consumed_inputs", 0)],
    };
    expect((await outputOf(reshape, numbers([2, 3])))?.shape).toEqual([3, 2]);
    const cast: Old = { opset: 5, operator: "Cast", inputs: [[2]], attributes: [text("to", "FLOAT")] };
    expect((await outputOf(cast, scales(1, 2)))?.data).toEqual(Float32Array.of(1, 2));
  });
});

describe("what has no counterpart is refused by name", () => {
  const refusals: Readonly<Record<string, readonly [Old, RegExp]>> = {
    "statistics for each element": [
      { opset: 8, operator: "BatchNormalization", inputs: [[2, 3]], attributes: [int("spatial", 0)] },
      /^node: BatchNormalization of opset 8 cannot be read as opset 21: statistics for each element \(spatial 0\)/,
    ],
    "a Dropout that trains": [{ opset: 6, operator: "Dropout", inputs: [[2, 3]] }, /it trains, as is_test is not 1/],
    "training outputs": [
      { opset: 9, operator: "BatchNormalization", inputs: [[2, 3]], outputs: 3 },
      /training outputs before opset 14 are not supported/,
    ],
    "a Scan with a batch": [{ opset: 8, operator: "Scan", inputs: [[2, 3]] }, /a batch axis of its own before opset 9/],
    "an axis that does not fit": [
      { opset: 6, operator: "Add", inputs: [[2, 3], [3]], attributes: [int("broadcast", 1), int("axis", 2)] },
      /axis 2 leaves no room for the 1 axes of "x1"/,
    ],
    "a softmax of an axis that is not there": [
      { opset: 11, operator: "Softmax", inputs: [[2, 3]], attributes: [int("axis", 5)] },
      /expected an axis from -2 to 1, received 5/,
    ],
    "an attribute of another kind": [
      { opset: 12, operator: "Squeeze", inputs: [[1, 3]], attributes: [float("axes", 1)] },
      /attribute axes must be ints/,
    ],
    "an Upsample of unknown mode": [
      {
        opset: 9,
        operator: "Upsample",
        inputs: [[1, 1, 2, 2]],
        attributes: [text("mode", "x")],
        weights: [scales(1, 1, 2, 2)],
      },
      /mode "x" is not supported/,
    ],
  };
  for (const [what, [old, message]] of Object.entries(refusals))
    it(what, () => {
      expect(() => decodeModel(fileOf(old))).toThrow(message);
    });

  it("an opset below 1", () => {
    expect(() => decodeModel(fileOf({ opset: 0, operator: "Neg", inputs: [[1]] }))).toThrow(
      /expected an opset from 1, received 0/,
    );
  });
});

describe("what reading adds", () => {
  it("has names that nobody has, also in bodies", () => {
    const node = { name: "s", opType: "Squeeze", input: ["x"], output: ["s/axes"], attribute: [ints("axes", 0)] };
    const inner = { ...node, name: "s", output: ["s/axes_1"] };
    const branch = (output: string) => ({
      name: "branch",
      node: [{ ...inner, output: [output] }],
      output: [{ name: output, type: { tensorType: { elemType: 1 } } }],
    });
    const graph = {
      name: "g",
      input: [
        { name: "x", type: floatType([1, 3]) },
        { name: "c", type: { tensorType: { elemType: 9, shape: { dim: [] } } } },
      ],
      output: [
        { name: "s/axes", type: floatType([3]) },
        { name: "y", type: floatType([3]) },
      ],
      node: [
        node,
        {
          opType: "If",
          input: ["c"],
          output: ["y"],
          attribute: [
            { name: "then_branch", type: attributeTypes.graph, g: branch("s/axes_1") },
            { name: "else_branch", type: attributeTypes.graph, g: branch("s/axes_2") },
          ],
        },
      ],
    };
    const model = decodeModel(modelMessage.encode({ irVersion: 7, opsetImport: [{ version: 11 }], graph }).finish());
    assertModel(model);
    expect([...model.graph.initializers.keys()]).toEqual(["s/axes_3"]);
  });

  it("takes weights for constants that files before IR version 4 list as inputs too", () => {
    const graph = {
      name: "g",
      input: [
        { name: "x", type: floatType([2, 1]) },
        { name: "w", type: floatType([1, 3]) },
      ],
      initializer: [{ name: "w", dims: [1, 3], dataType: 1, rawData: new Uint8Array(12) }],
      output: [{ name: "y", type: floatType([2, 3]) }],
      node: [{ opType: "MatMul", input: ["x", "w"], output: ["y"] }],
    };
    const read = (irVersion: number) =>
      decodeModel(modelMessage.encode({ irVersion, opsetImport: [{ version: 9 }], graph }).finish()).graph;
    expect(read(3).inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(read(4).inputs.map(({ name }) => name)).toEqual(["x", "w"]);
    expect([...read(3).initializers.keys()]).toEqual(["w"]);
  });
});
