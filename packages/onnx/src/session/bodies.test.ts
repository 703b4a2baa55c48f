/** @file Bodies that ONNX allows and ONNX Runtime answers wrongly, through every door that leads to the runtime. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Dtype } from "../dtype.ts";
import { decodeModel } from "../format/decode.ts";
import { encodeModel } from "../format/encode.ts";
import { writeModelFile } from "../format/model-file.ts";
import { checkGraph } from "../graph/check.ts";
import type { Attributes, Graph, Model, Node, Value } from "../graph/graph.ts";
import { withOwnOutputs } from "../graph/own-outputs.ts";
import type { Shape } from "../shape.ts";
import { tensor } from "../tensor.ts";
import { createSession } from "./session.ts";

const value = (name: string, shape: Shape = [2], dtype: Dtype = "float32"): Value => ({ name, dtype, shape });
const node = (
  operator: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  attributes: Attributes = {},
): Node => ({ name: `${outputs[0]?.name}@`, operator, domain: "", inputs, outputs, attributes });

// outside: a sequence, a state, another value, a condition, a number of trips
const x = value("x", [3, 2]);
const h = value("h");
const c = value("c");
const yes = value("yes", [], "bool");
const trips = value("trips", [], "int64");
// inside
const [s, t, slice, a, w] = ["s", "t", "slice", "a", "w"].map((name) => value(name)) as [
  Value,
  Value,
  Value,
  Value,
  Value,
];
const on = value("on", [], "bool");
const trip = value("trip", [], "int64");
const seven = tensor("float32", [2], Float32Array.of(7, 8));

const floats = (...numbers: number[]) => Float32Array.from(numbers);
const feeds = {
  x: tensor("float32", [3, 2], floats(1, 2, 3, 4, 5, 6)),
  h: tensor("float32", [2], floats(10, 20)),
  c: tensor("float32", [2], floats(100, 200)),
  yes: tensor("bool", [], Uint8Array.of(1)),
  trips: tensor("int64", [], BigInt64Array.of(3n)),
};

const body = (inputs: readonly Value[], outputs: readonly Value[], nodes: readonly Node[] = []): Graph => {
  const isRead = [...outputs, ...nodes.flatMap((one) => one.inputs)].some((one) => one?.name === "w");
  return { name: "body", inputs, outputs, nodes, initializers: new Map(isRead ? [["w", seven]] : []) };
};
const added = node("Add", [slice, s], [a]);
const grown = node("Add", [s, c], [a]);
const outputs = (...shapes: Shape[]) => shapes.map((shape, i) => value(`y${i}`, shape));
const scan = (inside: Graph, states: readonly Value[] = [h], shapes: readonly Shape[] = [[2], [3, 2]]): Node =>
  node("Scan", [...states, x], outputs(...shapes), { num_scan_inputs: 1, body: { graph: inside } });
const loop = (inside: Graph, rows: Value = value("y1", [3, 2])): Node =>
  node("Loop", [trips, yes, h], [value("y0"), rows], { body: { graph: inside } });

const rows = (...row: number[]) => [...row, ...row, ...row];
type Case = readonly [made: Node, ...answers: readonly (readonly number[])[]];
const cases: Readonly<Record<string, Case>> = {
  "a Scan's state straight on": [scan(body([s, slice], [s, a], [added])), [10, 20], [11, 22, 13, 24, 15, 26]],
  "a Scan's state that nobody reads": [
    scan(body([s, slice], [s, a], [node("Neg", [slice], [a])])),
    [10, 20],
    [-1, -2, -3, -4, -5, -6],
  ],
  "a Scan's slice as its row": [scan(body([s, slice], [a, slice], [added])), [19, 32], [1, 2, 3, 4, 5, 6]],
  "a Scan's state as a row": [scan(body([s, slice], [a, s], [added])), [19, 32], [10, 20, 11, 22, 14, 26]],
  "a Scan's slice as its state": [scan(body([s, slice], [slice, a], [added])), [5, 6], [11, 22, 4, 6, 8, 10]],
  "one result as a Scan's state and row": [scan(body([s, slice], [a, a], [added])), [19, 32], [11, 22, 14, 26, 19, 32]],
  "two states of a Scan that change places": [
    scan(body([s, t, slice], [t, s]), [h, c], [[2], [2]]),
    [100, 200],
    [10, 20],
  ],
  "one constant as a Scan's state and row": [scan(body([s, slice], [w, w])), [7, 8], rows(7, 8)],
  "a value from around as a Scan's row": [scan(body([s, slice], [a, c], [added])), [19, 32], rows(100, 200)],
  "a Loop's trip as a row": [
    loop(body([trip, on, s], [on, a, trip], [grown]), value("y1", [3], "int64")),
    [310, 620],
    [0, 1, 2],
  ],
  "a value from around as a Loop's state": [
    loop(body([trip, on, s], [on, c, a], [grown])),
    [100, 200],
    [110, 220, 200, 400, 200, 400],
  ],
  "one result as both outputs of a branch": [
    node("If", [yes], outputs([2], [2]), {
      then_branch: { graph: body([], [a, a], [node("Add", [h, c], [a])]) },
      else_branch: { graph: body([], [h, c]) },
    }),
    [110, 220],
    [110, 220],
  ],
};

const modelOf = (made: Node): Model => ({
  graph: {
    name: "g",
    inputs: [x, h, c, yes, trips],
    outputs: made.outputs.filter((output) => output !== undefined),
    initializers: new Map(),
    nodes: [made],
  },
  opset: 21,
  producer: "",
  metadata: {},
});

async function answers(model: Model | Uint8Array | string, optimization: "all" | "none"): Promise<number[][]> {
  const session = await createSession(model, { threads: 1, optimization });
  const { outputs: made } = await session.run(feeds);
  await session.close();
  return Object.values(made).map(({ data }) => Array.from(data, Number));
}

describe("bodies that hand values straight on answer as ONNX says", () => {
  const folder = mkdtempSync(join(tmpdir(), "gristmill-bodies-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const [what, [made, ...expected]] of Object.entries(cases))
    it(what, async () => {
      const model = modelOf(made);
      const bytes = encodeModel(model);
      const decoded = decodeModel(bytes);
      expect(checkGraph(decoded)).toEqual([]);
      expect(withOwnOutputs(decoded.graph)).toBe(decoded.graph);
      const path = join(folder, "model.onnx");
      writeFileSync(path, bytes);
      for (const optimization of ["all", "none"] as const)
        for (const door of [model, bytes, path, decoded]) expect(await answers(door, optimization)).toEqual(expected);
    });

  it("with weights beside the file, and in bodies inside bodies", async () => {
    const weights = value("weights");
    const inner = scan(body([s, slice], [s, a], [node("Mul", [slice, weights], [a])]));
    const branch = (name: string): Attributes[string] => ({
      graph: { name, inputs: [], outputs: outputs([2], [3, 2]), nodes: [inner], initializers: new Map() },
    });
    const made = node("If", [yes], [value("z0"), value("z1", [3, 2])], {
      then_branch: branch("then"),
      else_branch: branch("else"),
    });
    const { graph, ...others } = modelOf(made);
    const model = { ...others, graph: { ...graph, initializers: new Map([["weights", seven]]) } };
    const path = join(folder, "beside.onnx");
    expect(writeModelFile(path, model, { oneFileUpToBytes: 0, externalFromBytes: 1 })).toHaveLength(2);
    expect(await answers(path, "all")).toEqual([
      [10, 20],
      [7, 16, 21, 32, 35, 48],
    ]);
  });

  it("are not changed where nothing is handed on, and what is no model is left to the runtime", async () => {
    const { graph } = modelOf(scan(body([s, slice], [a], [added]), [h], [[2]]));
    expect(withOwnOutputs(graph)).toBe(graph);
    await expect(createSession(Uint8Array.of(1, 2, 3))).rejects.toThrow("the model cannot be loaded");
    await expect(createSession(join(folder, "none.onnx"))).rejects.toThrow("the model cannot be loaded");
  });
});
