import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dtype, dtypes } from "../dtype.ts";
import { OnnxFormatError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { assertModel, checkGraph } from "../graph/check.ts";
import type { Attribute, Graph, Model, Node, Value } from "../graph/graph.ts";
import { model } from "../graph/model.ts";
import { isUnknownShape, unknownShape } from "../shape.ts";
import { emptyArray, type Tensor, tensor } from "../tensor.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";
import { modelMessage } from "./schema.ts";

const x: Value = { name: "x", dtype: "float32", shape: ["batch", 2] };
const y: Value = { name: "y", dtype: "float32", shape: ["batch", 2] };

/** A model around one node of an operator that no table knows, so that nothing is inferred. */
function around(more: Partial<Node>, initializers: Graph["initializers"] = new Map()): Model {
  const node: Node = {
    name: "n",
    operator: "Thing",
    domain: "test",
    inputs: [x],
    outputs: [y],
    attributes: {},
    ...more,
  };
  return model({ name: "g", inputs: [x], outputs: [y], initializers, nodes: [node] });
}

const roundTrip = (before: Model): Model => decodeModel(encodeModel(before));

function bytesOf(dtype: Dtype, bytes: readonly number[]): Tensor {
  const data = emptyArray(dtype, 2);
  if (Array.isArray(data)) return tensor("string", [2], ["", String.fromCodePoint(...bytes.map((b) => b + 1))]);
  const raw = new Uint8Array(data.buffer);
  for (let i = 0; i < raw.length; i++) raw[i] = dtype === "bool" ? (bytes[i] ?? 0) & 1 : (bytes[i] ?? 0);
  return tensor(dtype, [2], data as never);
}

/** Bits decide: NaNs with other payloads, and -0, are other tensors. */
function sameBits(a: Tensor, b: Tensor | undefined): boolean {
  if (b === undefined || a.dtype !== b.dtype || a.dtype === "string") return isDeepStrictEqual(a, b);
  if (b.dtype === "string") return false;
  return Buffer.from(a.data.buffer).equals(Buffer.from(b.data.buffer)) && isDeepStrictEqual(a.shape, b.shape);
}

describe("encodeModel and decodeModel", () => {
  const attributes: Readonly<Record<string, Attribute>> = {
    int: -3,
    zero: 0,
    most: Number.MAX_SAFE_INTEGER,
    least: Number.MIN_SAFE_INTEGER,
    float: { float: 1 },
    smallest: { float: 1.401298464324817e-45 },
    infinite: { float: Number.NEGATIVE_INFINITY },
    string: "naïve 漢字 \0 𝄞",
    empty: "",
    ints: [1, -2, 2 ** 40],
    noInts: [],
    floats: { floats: [1, 0.5, -0] },
    noFloats: { floats: [] },
    strings: ["", "a", "é"],
    tensor: { tensor: tensor("int32", [2, 1], Int32Array.of(-1, 2)) },
    ["__proto__x"]: 1,
  };
  for (const [name, attribute] of Object.entries(attributes))
    it(`keep attribute ${name} exactly`, () => {
      const before = around({ attributes: { [name]: attribute } });
      expect(roundTrip(before)).toEqual(before);
    });

  it("keep the kind of an empty list by the operator's table", () => {
    const node: Node = {
      name: "c",
      operator: "Constant",
      domain: "",
      inputs: [],
      outputs: [{ ...y, name: "s", dtype: "string", shape: [0] }],
      attributes: { value_strings: [] },
    };
    const before = model({
      name: "g",
      inputs: [],
      outputs: [node.outputs[0] ?? y],
      initializers: new Map(),
      nodes: [node],
    });
    expect(roundTrip(before)).toEqual(before);
    expect(checkGraph(roundTrip(before))).toEqual([]);
  });

  for (const dtype of dtypes)
    it(`keep ${dtype} tensors bit for bit`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(255), { minLength: 16, maxLength: 16 }), (bytes) => {
          const before = bytesOf(dtype, bytes);
          const after = roundTrip(around({}, new Map([["w", before]]))).graph.initializers.get("w");
          expect(sameBits(before, after)).toBe(true);
        }),
        { numRuns: 50 },
      );
    });

  it("keep scalars, empty tensors and large shapes", () => {
    const initializers = new Map<string, Tensor>([
      ["scalar", tensor("float64", [], Float64Array.of(Math.PI))],
      ["empty", tensor("float32", [0, 1000000], new Float32Array(0))],
      ["nothing", tensor("string", [0], [])],
    ]);
    const before = around({}, initializers);
    expect(roundTrip(before)).toEqual(before);
  });

  it("keep missing inputs and outputs, names, metadata, producer and opset", () => {
    const node = { inputs: [undefined, x, undefined], outputs: [undefined, y] };
    const before = { ...around(node), opset: 22, producer: "someone", metadata: { labels: '["a"]', "": "é" } };
    expect(roundTrip(before)).toEqual(before);
  });

  it("keep the versions of other domains", () => {
    const before = { ...around({}), domains: { test: 3, "ai.onnx.ml": 2 } };
    expect(roundTrip(before)).toEqual(before);
  });

  it("keep types that only the file tells, and leave the rest unknown", () => {
    const inner: Value = { name: "inner", dtype: "int64", shape: [3, "n"] };
    const dark: Value = { name: "dark", dtype: "float32", shape: unknownShape };
    const nodes: Node[] = [
      { name: "a", operator: "Thing", domain: "test", inputs: [x], outputs: [inner, dark], attributes: {} },
      { name: "b", operator: "Thing", domain: "test", inputs: [inner, dark], outputs: [y], attributes: {} },
    ];
    const before = model({ name: "g", inputs: [x], outputs: [y], initializers: new Map(), nodes });
    const after = roundTrip(before);
    expect(after).toEqual(before);
    expect(isUnknownShape(after.graph.nodes[0]?.outputs[1]?.shape ?? [])).toBe(true);
  });

  it("infer the same types in a decoded network, with sub-graphs that read from outside", () => {
    const before = model(network());
    const after = roundTrip(before);
    expect(after).toEqual(before);
    assertModel(after);
  });

  it("give the same bytes again", () => {
    const bytes = encodeModel(model(network()));
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  });

  it("type the body of a Loop and a Scan from what enters, where the file says nothing", () => {
    const before = model(network());
    const wire = modelMessage.toObject(modelMessage.decode(encodeModel(before)), { longs: Number }) as WireModel;
    for (const node of wire.graph.node)
      for (const attribute of node.attribute ?? []) for (const value of attribute.g?.input ?? []) delete value.type;
    const after = decodeModel(modelMessage.encode(wire).finish());
    const scan = after.graph.nodes.find((node) => node.operator === "Scan");
    expect(bodyOf(scan).inputs.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual([
      { dtype: "float32", shape: ["batch", 4] },
      { dtype: "float32", shape: ["batch", 4] },
    ]);
    const loop = after.graph.nodes.find((node) => node.operator === "Loop");
    expect(bodyOf(loop).inputs.map(({ dtype, shape }) => [dtype, shape.length])).toEqual([
      ["int64", 0],
      ["bool", 0],
      ["float32", 2],
    ]);
    expect(checkGraph(after)).toEqual([]);
  });
});

interface WireGraph {
  initializer: object[];
  input: object[];
  node: { attribute: object[] }[];
}

interface WireModel {
  graph: { node: { attribute?: { g?: { input: { type?: unknown }[] } }[] }[] };
}

function bodyOf(node: Node | undefined): Graph {
  const body = node?.attributes["body"];
  if (typeof body !== "object" || !("graph" in body)) throw new Error("no body");
  return body.graph;
}

function network(): Graph {
  const g = new GraphBuilder("net");
  const sequence = g.input("sequence", "float32", ["time", "batch", 4]);
  const start = g.input("start", "float32", ["batch", 4]);
  const scan = new GraphBuilder("scan", { outer: g });
  const state = scan.input("state", "float32", ["batch", 4]);
  const row = scan.input("row", "float32", ["batch", 4]);
  const next = scan.op("Tanh", [scan.op("Add", [state, scan.op("Mul", [row, start])])]);
  scan.output(next);
  scan.output(scan.op("Neg", [next]));
  const [last, rows] = g.ops("Scan", [start, sequence], { body: scan.build(), num_scan_inputs: 1 }, 2);
  const loop = new GraphBuilder("loop", { outer: g });
  loop.input("trip", "int64", []);
  loop.output(loop.input("goes_on", "bool", []));
  const value = loop.input("value", "float32", ["batch", 4]);
  loop.output(loop.op("Exp", [value]));
  const looped = g.op("Loop", [g.scalar(2, "int64"), undefined, last], { body: loop.build() });
  g.output(g.op("Reshape", [rows, g.ints(-1, 4)]), "rows");
  g.output(g.op("Gemm", [looped, g.constant(tensor("float32", [4, 3], new Float32Array(12).fill(0.5)))], { alpha: 1 }));
  return g.build();
}

describe("decodeModel refuses what it does not read", () => {
  const change = (edit: (wire: Record<string, never>) => void): (() => Model) => {
    const initializers = new Map([["w", tensor("float32", [2], Float32Array.of(1, 2))]]);
    const bytes = encodeModel(around({ attributes: { a: [1] } }, initializers));
    const wire = modelMessage.toObject(modelMessage.decode(bytes), { longs: Number }) as Record<string, never>;
    edit(wire);
    return () => decodeModel(modelMessage.encode(wire).finish());
  };
  const inGraph = (edit: (graph: WireGraph) => void): (() => Model) =>
    change((wire) => edit((wire as unknown as { graph: WireGraph }).graph));
  const initializer = (edit: object) => inGraph((graph) => Object.assign(graph.initializer[0] ?? {}, edit));
  const attribute = (edit: object) => inGraph((graph) => Object.assign(graph.node[0]?.attribute[0] ?? {}, edit));

  it.each([
    ["weights in another file", initializer({ dataLocation: 1, rawData: undefined }), /lies in another file/],
    [
      "external data entries",
      initializer({ externalData: [{ key: "location", value: "/etc/passwd" }] }),
      /lies in another file/,
    ],
    [
      "raw data of the wrong length",
      initializer({ rawData: new Uint8Array(7) }),
      /expected 8 bytes for float32\[2\], received 7/,
    ],
    ["sizes without their data", initializer({ dims: [2 ** 40, 2 ** 10] }), /expected \d+ bytes/],
    ["sizes whose product has no exact number", initializer({ dims: [2 ** 50, 2 ** 50] }), /too many elements/],
    ["negative sizes", initializer({ dims: [-1] }), /expected sizes from 0, received -1/],
    [
      "element types without support",
      initializer({ dataType: 16 }),
      /element type 16 \(bfloat16\) is not supported; export/,
    ],
    [
      "element types that are none",
      initializer({ dataType: 99 }),
      /the number of an element type of ONNX, received 99/,
    ],
    ["numbers in two places", initializer({ floatData: [3, 4] }), /in one place, received several: rawData, floatData/],
    [
      "nodes without operator",
      inGraph((graph) => Object.assign(graph.node[0] ?? {}, { opType: "" })),
      /of an operator/,
    ],
    [
      "two versions of the operators",
      change((wire) => Object.assign(wire, { opsetImport: [{ version: 21 }, { domain: "ai.onnx", version: 7 }] })),
      /one version for each set of operators, received several for "ai.onnx"/,
    ],
    ["bools other than 0 and 1", initializer({ dataType: 9, dims: [8] }), /expected 0 or 1 for each bool/],
    [
      "numbers of another count",
      initializer({ rawData: undefined, floatData: [1] }),
      /expected 2 elements for \[2\], received 1/,
    ],
    ["numbers out of range", initializer({ rawData: undefined, dataType: 3, int32Data: [1, 200] }), /200 is no int8/],
    [
      "text that is not UTF-8",
      initializer({ rawData: undefined, dataType: 8, stringData: [Buffer.of(0xff), Buffer.of(65)] }),
      /expected UTF-8 text/,
    ],
    ["segments", initializer({ segment: Buffer.of(8, 1) }), /segments are not supported/],
    ["attributes of unknown types", attribute({ type: 99 }), /attributes of type 99/],
    ["attributes without type", attribute({ type: 0 }), /attributes of type 0/],
    ["tensor attributes without tensor", attribute({ type: 4 }), /says it is a tensor and has none/],
    ["graph attributes without graph", attribute({ type: 5 }), /says it is a graph and has none/],
    ["references of functions", attribute({ refAttrName: "a" }), /references to attributes/],
    ["files without graph", change((wire) => Object.assign(wire, { graph: undefined })), /found no graph in it/],
    ["files without opset", change((wire) => Object.assign(wire, { opsetImport: [] })), /does not say which opset/],
    ["functions", change((wire) => Object.assign(wire, { functions: [Buffer.of(1)] })), /functions are not supported/],
    [
      "sequences",
      inGraph((graph) => Object.assign(graph.input[0] ?? {}, { type: { sequenceType: Buffer.of(1) } })),
      /expected a tensor; sequences/,
    ],
  ])("%s", (_, decode, message) => {
    expect(decode).toThrow(OnnxFormatError);
    expect(decode).toThrow(message);
  });

  it("reads numbers written one by one as well as raw data", () => {
    const read = (edit: Record<string, unknown>) =>
      initializer({ rawData: undefined, ...edit })().graph.initializers.get("w")?.data;
    expect(read({ floatData: [1, 0.1] })).toEqual(Float32Array.of(1, 0.1));
    expect(read({ dataType: 11, doubleData: [1, 0.1] })).toEqual(Float64Array.of(1, 0.1));
    expect(read({ dataType: 7, int64Data: [1, -2] })).toEqual(BigInt64Array.of(1n, -2n));
    expect(read({ dataType: 13, uint64Data: [1, 2] })).toEqual(BigUint64Array.of(1n, 2n));
    expect(read({ dataType: 12, uint64Data: [1, 2] })).toEqual(Uint32Array.of(1, 2));
    expect(read({ dataType: 10, int32Data: [0x3c00, 0] })).toEqual(Uint16Array.of(0x3c00, 0));
    expect(read({ dataType: 9, int32Data: [1, 0] })).toEqual(Uint8Array.of(1, 0));
  });
});

describe("what exporters write that ONNX does not", () => {
  const read = (type: object, input: object = { tensorType: { elemType: 1 } }) => {
    const graph = {
      name: "g",
      input: [{ name: "x", type: input }],
      output: [{ name: "y", type }],
      node: [{ opType: "Neg", input: ["x"], output: ["y"] }],
    };
    return decodeModel(modelMessage.encode({ opsetImport: [{ version: 21 }], graph }).finish()).graph;
  };

  it("a size of -1 is one that only the run tells", () => {
    const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: -1 }, { dimValue: 3 }] } } };
    expect(read(type, type).inputs[0]?.shape).toEqual(["x.axis0", 3]);
    const worse = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: -2 }] } } };
    expect(() => read(worse)).toThrow(/expected sizes from 0, received -2/);
  });

  it("an empty type says nothing, and a sequence is refused", () => {
    const input = { tensorType: { elemType: 11, shape: { dim: [{ dimValue: 3 }] } } };
    expect(read({}, input).outputs[0]).toEqual({ name: "y", dtype: "float64", shape: [3] });
    expect(() => read({ sequenceType: new Uint8Array() })).toThrow(/sequences, maps and optional values/);
  });
});

it("branches of different numbers of axes leave the result's unknown, and what follows is not blamed", () => {
  const g = new GraphBuilder("squeeze");
  const x = g.input("x", "float32", [1, 3]);
  const branch = (operator: "Squeeze" | "Neg") => {
    const inner = new GraphBuilder(operator, { outer: g });
    inner.output(operator === "Neg" ? inner.op("Neg", [x]) : inner.op("Squeeze", [x]));
    return inner.build();
  };
  const y = g.op("If", [g.input("c", "bool", [])], { then_branch: branch("Squeeze"), else_branch: branch("Neg") });
  expect(isUnknownShape(y.shape)).toBe(true);
  g.output(y);
  const made = model(g.build());
  const again = decodeModel(encodeModel(made));
  expect(isUnknownShape(again.graph.outputs[0]?.shape ?? [])).toBe(true);
  expect(checkGraph(again)).toEqual([]);
});
