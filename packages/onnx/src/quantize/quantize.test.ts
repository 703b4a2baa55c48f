/** @file Quantized models against the float models they come from, in ONNX Runtime. */
import { describe, expect, it } from "vitest";
import { decodeModel } from "../format/decode.ts";
import { encodeModel } from "../format/encode.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { assertModel } from "../graph/check.ts";
import type { Model, Value } from "../graph/graph.ts";
import { model } from "../graph/model.ts";
import { createSession, type SessionOptions } from "../session/session.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { quantizeModel } from "./quantize.ts";

/** Numbers from -1 to 1 that depend on the seed and their place only. */
function noise(seed: number, ...shape: number[]): Tensor<"float32"> {
  const count = shape.reduce((a, b) => a * b, 1);
  const mixed = (i: number): number => Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453;
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: count }, (_, i) => (mixed(i) - Math.floor(mixed(i))) * 2 - 1),
  );
}

async function run(
  of: Model,
  feeds: Readonly<Record<string, Tensor>>,
  optimization: SessionOptions["optimization"] = "all",
): Promise<Float32Array> {
  const session = await createSession(of, { threads: 1, optimization });
  try {
    const [first] = Object.values((await session.run(feeds)).outputs);
    if (!(first?.data instanceof Float32Array)) throw new Error("expected a float32 output");
    return first.data;
  } finally {
    await session.close();
  }
}

/** Root of the mean square of the difference, over that of what is expected. */
function relativeError(expected: Float32Array, actual: Float32Array): number {
  const square = (list: Float32Array): number => list.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(expected.map((value, i) => value - (actual[i] ?? Number.NaN))) / square(expected));
}

/** A model of one input that `write` continues. */
function modelOf(shape: readonly (number | string)[], write: (g: GraphBuilder, x: Value) => Value): Model {
  const g = new GraphBuilder("net");
  g.output(write(g, g.input("x", "float32", shape)), "y");
  return model(g.build());
}

const gemm = (attributes: object, bias?: Tensor): Model =>
  modelOf(["n", 48], (g, x) => {
    const turned = "transB" in attributes;
    const a = "transA" in attributes ? g.op("Transpose", [x], { perm: [1, 0] }) : x;
    const w = g.initializer("w", noise(2, ...(turned ? [40, 48] : [48, 40])));
    return g.op("Gemm", [a, w, bias === undefined ? undefined : g.initializer("c", bias)], attributes);
  });

const nets: Readonly<
  Record<string, { readonly made: Model; readonly shape: readonly number[]; readonly least: number }>
> = {
  "a MatMul": {
    made: modelOf(["n", 48], (g, x) => g.op("MatMul", [x, g.initializer("w", noise(1, 48, 40))])),
    shape: [6, 48],
    least: 1,
  },
  "a MatMul of a batch": {
    made: modelOf(["n", 5, 48], (g, x) => g.op("MatMul", [x, g.initializer("w", noise(1, 48, 40))])),
    shape: [2, 5, 48],
    least: 1,
  },
  "a Gemm": { made: gemm({}), shape: [6, 48], least: 1 },
  "a Gemm with all its settings": {
    made: gemm({ transA: 1, transB: 1, alpha: 0.5, beta: 2 }, noise(3, 40)),
    shape: [6, 48],
    least: 1,
  },
  "a Gemm with a bias that does not count": { made: gemm({ beta: 0 }, noise(3, 40)), shape: [6, 48], least: 1 },
  "three products of one input": {
    made: modelOf(["n", 48], (g, x) =>
      [1, 2, 3]
        .map((i) => g.op("MatMul", [x, g.initializer(`w${i}`, noise(i, 48, 40))]))
        .reduce((sum, y) => g.op("Add", [sum, y])),
    ),
    shape: [4, 48],
    least: 1,
  },
};

describe("quantized models give nearly what float models give", () => {
  for (const [name, { made, shape, least }] of Object.entries(nets))
    for (const mode of ["dynamic", "weightOnly"] as const)
      it(`${name}, ${mode}: within 1 % of the outputs`, async () => {
        const { model: small, quantized, left } = quantizeModel(made, { mode, leastElements: least });
        expect(left).toEqual([]);
        expect(quantized.length).toBeGreaterThan(0);
        assertModel(small);
        expect(decodeModel(encodeModel(small)).graph.nodes).toHaveLength(small.graph.nodes.length);
        const feeds = { x: noise(9, ...shape) };
        const error = relativeError(await run(made, feeds), await run(small, feeds));
        // rounding to 8 bits moves a number by 1/254 of the largest at most; errors of a sum partly cancel
        expect(error).toBeLessThan(0.01);
        expect(error).toBeGreaterThan(0);
      });

  it("embeddings: rows by their own scale, exactly the rounded rows", async () => {
    const g = new GraphBuilder("words");
    const table = noise(5, 30, 16);
    const large = tensor(
      "float32",
      [30, 16],
      table.data.map((value, i) => value * 10 ** (Math.floor(i / 16) % 5)),
    );
    g.output(g.op("Gather", [g.initializer("table", large), g.input("words", "int64", ["n", 3])]), "y");
    const made = model(g.build());
    const { model: small } = quantizeModel(made, { leastElements: 1 });
    const feeds = { words: tensor("int64", [2, 3], BigInt64Array.of(0n, 29n, -1n, 4n, 4n, 7n)) };
    const [expected, actual] = [await run(made, feeds), await run(small, feeds)];
    for (let row = 0; row < 6; row++) {
      const [a, b] = [expected.subarray(row * 16, row * 16 + 16), actual.subarray(row * 16, row * 16 + 16)];
      const scale = Math.max(...a.map(Math.abs)) / 127;
      expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))))).toBeLessThanOrEqual(scale * 0.50002);
    }
  });

  it("convolutions keep their sums, and stay as they are unless only weights are asked for", async () => {
    const made = modelOf(["n", 4, 9, 9], (g, x) =>
      g.op("Conv", [x, g.initializer("w", noise(1, 16, 4, 3, 3)), g.initializer("b", noise(2, 16))], {
        pads: [1, 1, 1, 1],
      }),
    );
    const dynamic = quantizeModel(made, { leastElements: 1 });
    expect(dynamic.quantized).toEqual([]);
    expect(dynamic.left).toEqual([
      { node: "Conv", operator: "Conv", reason: "whole numbers do not make it faster; weightOnly makes it smaller" },
    ]);
    expect(dynamic.model.graph).toEqual(made.graph);
    const { model: small } = quantizeModel(made, { mode: "weightOnly", leastElements: 1 });
    const feeds = { x: noise(9, 2, 4, 9, 9) };
    expect(relativeError(await run(made, feeds), await run(small, feeds))).toBeLessThan(0.01);
  });

  const unequal = {
    "a MatMul": modelOf(["n", 256], (g, x) => g.op("MatMul", [x, g.initializer("w", noise(1, 256, 128))])),
    "a Gemm": modelOf(["n", 256], (g, x) =>
      g.op("Gemm", [x, g.initializer("w", noise(1, 128, 256)), g.initializer("b", noise(2, 128))], { transB: 1 }),
    ),
    "a Conv": modelOf(["n", 64, 2, 2], (g, x) => g.op("Conv", [x, g.initializer("w", noise(1, 32, 64, 2, 2))])),
  };
  for (const [name, made] of Object.entries(unequal))
    it(`${name}, weightOnly: rounds no activation, at any level of the runtime's optimizations`, async () => {
      const { model: small } = quantizeModel(made, { mode: "weightOnly", leastElements: 1 });
      const feeds = { x: noise(9, 3, ...(made.graph.inputs[0]?.shape ?? []).slice(1).map(Number)) };
      const asWritten = await run(small, feeds, "none");
      // rounded activations are apart by more than 1e-3
      for (const level of ["basic", "all"] as const)
        expect(relativeError(asWritten, await run(small, feeds, level))).toBeLessThan(2e-6);
    });

  it("weightOnly makes a weight that a loop reads fractions once, outside of it", async () => {
    const g = new GraphBuilder("loop");
    const x = g.input("x", "float32", [2, 32]);
    const w = g.initializer("w", noise(1, 32, 32));
    const body = new GraphBuilder("body", { outer: g });
    body.input("trip", "int64", []);
    body.output(body.input("goes_on", "bool", []));
    const state = body.input("state", "float32", [2, 32]);
    body.output(body.op("Tanh", [body.op("MatMul", [body.op("Tanh", [body.op("MatMul", [state, w])]), w])]));
    g.output(g.op("Loop", [g.scalar(3, "int64"), undefined, x], { body: body.build() }), "y");
    const made = model(g.build());
    const { model: small, quantized } = quantizeModel(made, { mode: "weightOnly" });
    assertModel(small);
    expect(quantized).toHaveLength(2);
    expect(small.graph.nodes.map(({ operator }) => operator)).toEqual(["Cast", "Mul", "Loop", "Identity"]);
    const feeds = { x: noise(9, 2, 32) };
    expect(relativeError(await run(made, feeds), await run(small, feeds))).toBeLessThan(0.03);
  });

  it("a deep network stays within 3 %, and 7 bits within 5 %", async () => {
    const made = modelOf(["n", 64], (g, x) => {
      let y = x;
      for (let i = 0; i < 6; i++) {
        // near Glorot's scale: larger weights would make the float network itself chaotic
        const { shape, data } = noise(i, 64, 64);
        const w = tensor(
          "float32",
          shape,
          data.map((value) => value * 0.22),
        );
        y = g.op("Tanh", [g.op("Gemm", [y, g.initializer(`w${i}`, w), g.initializer(`b${i}`, noise(-i, 64))])]);
      }
      return y;
    });
    const feeds = { x: noise(9, 8, 64) };
    const expected = await run(made, feeds);
    expect(relativeError(expected, await run(quantizeModel(made).model, feeds))).toBeLessThan(0.03);
    expect(relativeError(expected, await run(quantizeModel(made, { bits: 7 }).model, feeds))).toBeLessThan(0.05);
  });

  it("a batch of none gives none", async () => {
    const made = nets["a Gemm with all its settings"]?.made;
    if (made === undefined) throw new Error("the case is gone");
    const { model: small } = quantizeModel(made, { leastElements: 1 });
    expect(await run(small, { x: noise(9, 0, 48) })).toHaveLength(0);
  });
});

describe("what is quantized and what not", () => {
  it("weights shrink to a quarter, one weight is quantized once, inputs are quantized once", () => {
    const made = modelOf(["n", 64], (g, x) => {
      const w = g.initializer("w", noise(1, 64, 64));
      return g.op("Add", [g.op("MatMul", [x, w]), g.op("MatMul", [g.op("MatMul", [x, w]), w])]);
    });
    const { model: small, quantized, weightBytes } = quantizeModel(made);
    expect(quantized.map(({ weight, operator, shape }) => [weight, operator, shape])).toEqual(
      Array(3).fill(["w", "MatMul", [64, 64]]),
    );
    expect([...small.graph.initializers.keys()]).toEqual(["w.int8", "w.scale"]);
    expect(weightBytes).toEqual({ before: 64 * 64 * 4, after: 64 * 64 + 64 * 4 });
    const operators = small.graph.nodes.map((node) => node.operator);
    expect(operators.filter((operator) => operator === "DynamicQuantizeLinear")).toHaveLength(2);
    expect(made.graph.nodes.map((node) => node.operator)).toEqual(["MatMul", "MatMul", "MatMul", "Add", "Identity"]);
  });

  it("says of each that is left why", () => {
    const g = new GraphBuilder("left");
    const x = g.input("x", "float32", [64, 64]);
    const constant = (name: string, value: Tensor) => g.initializer(name, value);
    const nan = noise(1, 64, 64);
    nan.data[5] = Number.NaN;
    const half = tensor("float16", [64, 64], new Uint16Array(4096));
    const xHalf = g.op("Cast", [x], { to: 10 });
    const made = [
      g.op("MatMul", [x, x]),
      g.op("MatMul", [constant("first", noise(1, 64, 64)), x]),
      g.op("MatMul", [x, constant("small", noise(1, 64, 2))]),
      g.op("MatMul", [x, constant("batch", noise(1, 2, 64, 64))]),
      g.op("MatMul", [x, constant("nan", nan)]),
      g.op("MatMul", [xHalf, constant("half", half)]),
      g.op("Gather", [constant("columns", noise(1, 64, 64)), g.ints(0, 1)], { axis: 1 }),
      g.op("MatMul", [x, constant("skipped", noise(1, 64, 64))]),
    ];
    for (const value of made) g.output(value);
    const {
      quantized,
      left,
      model: same,
    } = quantizeModel(model(g.build()), {
      skip: (node) => node.inputs[1]?.name === "skipped",
    });
    expect(quantized).toEqual([]);
    expect(left.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      "MatMul: its weight is no constant of the model",
      "MatMul_1: its weight is no constant of the model",
      "MatMul_2: its weight has fewer than 1024 elements",
      "MatMul_3: its weight is no matrix",
      "MatMul_4: the weight has values that are not finite",
      "MatMul_5: its weight is float16, and only float32 is quantized",
      "Gather: only rows of a matrix are gathered with a scale each",
      "MatMul_6: it was to be left",
    ]);
    assertModel(same);
    expect([...same.graph.initializers.keys()]).toContain("nan");
  });

  it("weights in Constant nodes are found too, and tables of indices are no weights", () => {
    const made = modelOf(["n", 64], (g, x) => {
      const sizes = g.op("Gather", [g.op("Shape", [x]), g.ints(0)]);
      const y = g.op("MatMul", [x, g.op("Constant", [], { value: noise(1, 64, 64) })]);
      return g.op("Reshape", [y, g.op("Concat", [sizes, g.ints(64)], { axis: 0 })]);
    });
    const { quantized, left, model: small } = quantizeModel(made);
    expect(quantized.map(({ weight }) => weight)).toEqual(["Constant"]);
    expect(left).toEqual([]);
    expect(small.graph.nodes.some((node) => node.operator === "Constant")).toBe(false);
  });

  it("an initializer that is an input's default is no constant", () => {
    const graph = modelOf(["n", 64], (g, x) => g.op("MatMul", [x, g.initializer("w", noise(1, 64, 64))])).graph;
    const w: Value = { name: "w", dtype: "float32", shape: [64, 64] };
    const { left } = quantizeModel(model({ ...graph, inputs: [...graph.inputs, w] }));
    expect(left.map(({ reason }) => reason)).toEqual(["its weight is no constant of the model"]);
  });

  it("goes into bodies, whose weights lie outside", async () => {
    const g = new GraphBuilder("loop");
    const x = g.input("x", "float32", [2, 32]);
    const w = g.initializer("w", noise(1, 32, 32));
    const body = new GraphBuilder("body", { outer: g });
    body.input("trip", "int64", []);
    body.output(body.input("goes_on", "bool", []));
    const state = body.input("state", "float32", [2, 32]);
    body.output(body.op("Tanh", [body.op("MatMul", [state, w])]));
    g.output(g.op("Loop", [g.scalar(3, "int64"), undefined, x], { body: body.build() }), "y");
    const made = model(g.build());
    const { model: small, quantized } = quantizeModel(made);
    assertModel(small);
    expect(quantized).toHaveLength(1);
    expect([...small.graph.initializers.keys()].filter((name) => name.startsWith("w"))).toEqual(["w.int8", "w.scale"]);
    const feeds = { x: noise(9, 2, 32) };
    expect(relativeError(await run(made, feeds), await run(small, feeds))).toBeLessThan(0.03);
  });
});
