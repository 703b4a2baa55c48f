import { describe, expect, it } from "vitest";
import { OnnxError } from "../errors.ts";
import { tensor } from "../tensor.ts";
import { assertModel, checkGraph } from "./check.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { model } from "./model.ts";

const value = (name: string, shape: Value["shape"] = [2], dtype: Value["dtype"] = "float32"): Value => ({
  name,
  dtype,
  shape,
});
const node = (operator: string, inputs: Node["inputs"], outputs: Node["outputs"], more: Partial<Node> = {}): Node => ({
  name: `${operator}_node`,
  operator,
  domain: "",
  inputs,
  outputs,
  attributes: {},
  ...more,
});
const graph = (nodes: readonly Node[], outputs: readonly Value[], more: Partial<Graph> = {}): Graph => ({
  name: "g",
  inputs: [value("x")],
  outputs,
  initializers: new Map(),
  nodes,
  ...more,
});
const problems = (bad: Graph, opset = 21) => checkGraph(model(bad, { opset })).map((p) => `${p.where}: ${p.message}`);

const x = value("x");
const y = value("y");
const z = value("z");

describe("checkGraph", () => {
  it("finds nothing wrong with a right graph", () => {
    expect(problems(graph([node("Neg", [x], [y]), node("Add", [x, y], [z])], [z]))).toEqual([]);
  });

  it("finds a graph without outputs", () => {
    expect(problems(graph([], []))).toEqual(["g: the graph has no outputs; name at least one"]);
  });

  it("finds an output that nothing makes, and one listed twice", () => {
    expect(problems(graph([], [y]))).toEqual(["y: expected a node that makes this output, found none"]);
    expect(problems(graph([node("Neg", [x], [y])], [y, y]))).toEqual(["y: this output is listed twice"]);
  });

  it("finds an input that nothing makes", () => {
    expect(problems(graph([node("Neg", [z], [y])], [y]))).toEqual([
      'Neg_node: input "z" is made by no node, input or initializer',
    ]);
  });

  it("finds a name defined twice: by two nodes, by node and input, by input and initializer of another type", () => {
    expect(problems(graph([node("Neg", [x], [y]), node("Abs", [x], [y])], [y]))).toEqual([
      'y: defined twice, the second time as node "Abs_node"; each name is used once',
    ]);
    expect(problems(graph([node("Neg", [x], [x])], [x]))[0]).toMatch(/^x: defined twice/);
    const twice = { inputs: [x, x] };
    expect(problems(graph([node("Neg", [x], [y])], [y], twice))[0]).toMatch(/^x: defined twice/);
    const initializers = new Map([["x", tensor("int64", [2], new BigInt64Array(2))]]);
    expect(problems(graph([node("Neg", [x], [y])], [y], { initializers }))).toEqual([
      "x: declared as input is declared float32, but is int64",
    ]);
  });

  it("lets an initializer be the default of an input", () => {
    const initializers = new Map([["x", tensor("float32", [2], new Float32Array(2))]]);
    expect(problems(graph([node("Neg", [x], [y])], [y], { initializers }))).toEqual([]);
  });

  it("finds nodes in the wrong order", () => {
    expect(problems(graph([node("Neg", [y], [z]), node("Abs", [x], [y])], [z]))).toEqual([
      'Neg_node: reads "y" before node "Abs_node" makes it; move it behind that node',
    ]);
  });

  it("finds a cycle, and tells who is in it", () => {
    const w = value("w");
    const found = problems(graph([node("Neg", [z], [y]), node("Abs", [y], [z]), node("Exp", [z], [w])], [w]));
    expect(found).toEqual([
      expect.stringMatching(/nodes in a cycle: (Neg_node -> Abs_node -> Neg_node|Abs_node -> Neg_node -> Abs_node)$/),
    ]);
    expect(problems(graph([node("Add", [x, y], [y])], [y]))).toEqual([
      "Add_node: nodes in a cycle: Add_node -> Add_node",
    ]);
  });

  it("finds a cycle in 20,000 nodes without running out of stack", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) =>
      node("Neg", [value(`v${i}`)], [value(`v${(i + 1) % 20_000}`)], { name: `n${i}` }),
    );
    expect(problems(graph(nodes, [value("v0")]))[0]).toMatch(/nodes in a cycle/);
  });

  it("finds operators that are not in the table", () => {
    expect(problems(graph([node("Frobnicate", [x], [y])], [y]))).toEqual([
      "Frobnicate_node: operator Frobnicate has no rule in this package's table of operators",
    ]);
    expect(problems(graph([node("Gelu", [x], [y], { domain: "com.microsoft" })], [y]))).toEqual([
      "Gelu_node: operator com.microsoft.Gelu has no rule in this package's table of operators",
    ]);
  });

  it("finds attributes that are unknown, missing, or of another kind", () => {
    const softmax = (attributes: Node["attributes"]) =>
      problems(graph([node("Softmax", [x], [y], { attributes })], [y]));
    expect(softmax({ axes: 1 })).toEqual(["Softmax_node: there is no attribute axes; the operator has: axis"]);
    expect(softmax({ axis: { float: 1 } })).toEqual(["Softmax_node: attribute axis must be int, received float"]);
    expect(problems(graph([node("Concat", [x], [y])], [y]))).toEqual(["Concat_node: attribute axis (int) is missing"]);
  });

  it("finds too few and too many inputs and outputs", () => {
    expect(problems(graph([node("Add", [x], [y])], [y]))).toEqual(["Add_node: Add takes 2 inputs, received 1"]);
    expect(problems(graph([node("Neg", [x], [y, z])], [y]))).toEqual(["Neg_node: Neg takes 1 outputs, received 2"]);
  });

  it("finds types and shapes that are not what the rule says", () => {
    expect(problems(graph([node("Neg", [x], [value("y", [3])])], [value("y", [3])]))).toEqual([
      'Neg_node: output "y" is declared [3], but is [2]',
    ]);
    expect(problems(graph([node("Greater", [x, x], [y])], [y]))).toEqual([
      'Greater_node: output "y" is declared float32, but is bool',
    ]);
    expect(problems(graph([node("Neg", [x], [y])], [value("y", [2, 1])]))).toEqual([
      "y: declared as graph output is declared [2, 1], but is [2]",
    ]);
    expect(problems(graph([node("Neg", [value("x", [4])], [value("y", [4])])], [value("y", [4])]))).toEqual([
      'Neg_node: input "x" is declared [4], but is [2]',
    ]);
  });

  it("finds inputs that do not fit the operator", () => {
    const n = value("n", [3], "int64");
    const inputs = [x, n];
    expect(problems(graph([node("Add", [x, n], [y])], [y], { inputs }))).toEqual([
      'Add_node: expected float32, as "x" has, for "n", received int64',
    ]);
  });

  it("finds initializers with another number of elements", () => {
    const wrong = { ...tensor("float32", [2], new Float32Array(2)), shape: [3] };
    const initializers = new Map([["w", wrong]]);
    expect(problems(graph([node("Neg", [x], [y])], [y], { initializers }))).toEqual([
      "w: expected 3 elements for [3], received 2",
    ]);
  });

  it("finds names that are empty, or hide one of an outer graph", () => {
    expect(problems(graph([node("Neg", [x], [y])], [y], { inputs: [x, value("")] }))).toEqual([
      "a graph input: expected a name, received none",
    ]);
    const then_branch: Graph = { ...graph([node("Neg", [x], [y])], [y]), name: "then", inputs: [] };
    const attributes = { then_branch: { graph: then_branch }, else_branch: { graph: then_branch } };
    const b = value("b", [], "bool");
    const inputs = [x, b, y];
    expect(problems(graph([node("If", [b], [z], { attributes })], [z], { inputs }))).toEqual([
      'If_node.then_branch: y: node "Neg_node" hides a value of an outer graph with the same name',
      'If_node.else_branch: y: node "Neg_node" hides a value of an outer graph with the same name',
    ]);
  });

  it("finds faults inside sub-graphs, and says in which", () => {
    const branch: Graph = { ...graph([node("Neg", [value("nowhere")], [y])], [y]), name: "then", inputs: [] };
    const right: Graph = { ...graph([node("Abs", [x], [z])], [z]), name: "else", inputs: [] };
    const attributes = { then_branch: { graph: branch }, else_branch: { graph: right } };
    const b = value("b", [], "bool");
    const out = value("out");
    expect(problems(graph([node("If", [b], [out], { attributes })], [out], { inputs: [x, b] }))).toEqual([
      'If_node.then_branch: Neg_node: input "nowhere" is made by no node, input or initializer',
    ]);
  });

  it("finds operator sets that are too old, for the table or for one operator", () => {
    expect(problems(graph([node("Neg", [x], [y])], [y]), 13)).toEqual([
      "g: expected opset 19 or newer, received 13; convert the model",
    ]);
    expect(problems(graph([node("Gelu", [x], [y])], [y]), 19)).toEqual([
      "Gelu_node: Gelu needs opset 20, the model is written in opset 19",
    ]);
  });

  it("lists every problem in one error", () => {
    const bad = model(graph([node("Add", [x], [y]), node("Frobnicate", [x], [z])], [y, z]));
    expect(() => assertModel(bad)).toThrow(OnnxError);
    expect(() => assertModel(bad)).toThrow(/the graph has 2 problems:\n- Add_node: .*\n- Frobnicate_node: /);
  });
});
