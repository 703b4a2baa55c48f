/** @file Files that are well formed as messages and hostile as graphs: what they say is wrong, huge, or does not end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dtypeCode } from "../dtype.ts";
import { OnnxFormatError } from "../errors.ts";
import { checkGraph } from "../graph/check.ts";
import { formatGraph } from "../graph/format.ts";
import type { AttributeKind } from "../operators/attribute.ts";
import { findOperator, operatorNames } from "../operators/table.ts";
import { upgrades } from "../upgrade/table.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";
import { attributeTypes, modelMessage } from "./schema.ts";

type Wire = Readonly<Record<string, unknown>>;

const fileOf = (graph: Wire, opset = 21): Uint8Array =>
  modelMessage.encode({ irVersion: 10, opsetImport: [{ version: opset }], graph: { name: "g", ...graph } }).finish();
const typeOf = (dims: readonly (number | string)[], elemType = 1) => ({
  tensorType: {
    elemType,
    shape: { dim: dims.map((dim) => (typeof dim === "string" ? { dimParam: dim } : { dimValue: dim })) },
  },
});
const value = (name: string, ...dims: (number | string)[]) => ({ name, type: typeOf(dims) });

/** What the checker says of a graph, each with its place. */
const problemsOf = (graph: Wire, opset?: number): string[] =>
  checkGraph(decodeModel(fileOf(graph, opset))).map(({ where, message }) => `${where}: ${message}`);

/** Reads, checks, prints, writes and reads again: nothing but an OnnxFormatError may come out of reading. */
function survives(bytes: Uint8Array): void {
  let decoded: ReturnType<typeof decodeModel>;
  try {
    decoded = decodeModel(bytes);
  } catch (error) {
    if (error instanceof OnnxFormatError) return;
    throw error;
  }
  checkGraph(decoded);
  expect(formatGraph(decodeModel(encodeModel(decoded)).graph)).toBe(formatGraph(decoded.graph));
}

describe("graphs that say what cannot be", () => {
  const x = value("x", 2);
  const neg = (input: string, output: string) => ({ name: output, opType: "Neg", input: [input], output: [output] });

  it("a cycle is told with its nodes", () => {
    const graph = { input: [x], output: [value("a", 2)], node: [neg("c", "a"), neg("a", "b"), neg("b", "c")] };
    expect(problemsOf(graph)).toEqual([expect.stringMatching(/nodes in a cycle: a -> b -> c -> a/)]);
  });

  it("a node that reads itself is a cycle of one", () => {
    expect(problemsOf({ output: [value("a", 2)], node: [neg("a", "a")] })).toEqual([
      expect.stringMatching(/nodes in a cycle: a -> a/),
    ]);
  });

  it("a node before what it reads is told with both", () => {
    const graph = { input: [x], output: [value("b", 2)], node: [neg("a", "b"), neg("x", "a")] };
    expect(problemsOf(graph)).toEqual([expect.stringMatching(/reads "a" before node "a" makes it/)]);
  });

  it("an input that nothing makes is told by name, also inside a branch", () => {
    expect(problemsOf({ output: [value("y", 2)], node: [neg("gone", "y")] })).toEqual([
      expect.stringMatching(/input "gone" is made by no node, input or initializer/),
    ]);
    const branch = (output: string) => ({ name: "branch", node: [neg("gone", output)], output: [value(output, 2)] });
    const node = {
      name: "if",
      opType: "If",
      input: ["c"],
      output: ["y"],
      attribute: [
        { name: "then_branch", type: attributeTypes.graph, g: branch("t") },
        { name: "else_branch", type: attributeTypes.graph, g: branch("e") },
      ],
    };
    const graph = { input: [{ name: "c", type: typeOf([], 9) }], output: [value("y", 2)], node: [node] };
    expect(problemsOf(graph).filter((problem) => problem.includes('"gone" is made by no node'))).toHaveLength(2);
  });

  it("names that two things have are told, whichever the two are", () => {
    const twice = /defined twice/;
    const w = { name: "x", dims: [2], dataType: 1, rawData: new Uint8Array(8) };
    expect(problemsOf({ input: [x, x], output: [value("y", 2)], node: [neg("x", "y")] })[0]).toMatch(twice);
    expect(problemsOf({ input: [x], output: [value("y", 2)], node: [neg("x", "y"), neg("x", "y")] })[0]).toMatch(twice);
    expect(problemsOf({ input: [x], output: [value("x", 2)], node: [neg("x", "x")] })[0]).toMatch(twice);
    expect(() => decodeModel(fileOf({ initializer: [w, w] }))).toThrow(/two initializers have the same name/);
    const outputs = [value("y", 2), value("y", 2)];
    expect(problemsOf({ input: [x], output: outputs, node: [neg("x", "y")] })[0]).toMatch(/listed twice/);
    const attribute = { name: "axis", type: attributeTypes.int, i: 0 };
    const node = { opType: "Softmax", input: ["x"], output: ["y"], attribute: [attribute, attribute] };
    expect(() => decodeModel(fileOf({ input: [x], node: [node] }))).toThrow(/attribute axis: given twice/);
  });

  it("sizes that no memory holds are told apart from the bytes that are there", () => {
    const weight = (dims: readonly number[], extra: Wire) => () =>
      decodeModel(fileOf({ initializer: [{ name: "w", dims, dataType: 1, ...extra }] }));
    expect(weight([2 ** 40], { rawData: new Uint8Array(4) })).toThrow(/expected 4398046511104 bytes .* received 4/);
    expect(weight([2 ** 30, 2 ** 30], { rawData: new Uint8Array(4) })).toThrow(/too many elements/);
    expect(weight([2 ** 40], { floatData: [1] })).toThrow(/expected 1099511627776 elements .* received 1/);
    expect(weight([-1], { rawData: new Uint8Array(4) })).toThrow(/expected sizes from 0, received -1/);
    expect(weight([0, 2 ** 52], {})).not.toThrow();
  });
});

describe("graphs that would take memory or time without end", () => {
  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const huge = 2 ** 50;
  const int64 = (name: string, ...dims: number[]) => ({ name, type: typeOf(dims, 7) });
  const on = (opType: string, inputs: readonly object[], attribute: readonly object[] = []) => ({
    input: inputs,
    node: [{ opType, input: inputs.map((input) => (input as { name: string }).name), output: ["y"], attribute }],
  });
  const nested = (depth: number): Wire => ({
    name: `g${depth}`,
    output: [value("y", 1)],
    node:
      depth === 0
        ? [{ opType: "Neg", input: ["x"], output: ["y"] }]
        : [
            {
              opType: "If",
              input: ["c"],
              output: [`y${depth}`],
              attribute: ["then_branch", "else_branch"].map((name) => ({
                name,
                type: attributeTypes.graph,
                g: nested(depth - 1),
              })),
            },
          ],
  });
  const graphs: Readonly<Record<string, Wire>> = {
    "a shape of 2^50 axes for Reshape": on("Reshape", [value("x", 2), int64("s", huge)]),
    "a shape of 2^50 axes for ConstantOfShape": on("ConstantOfShape", [int64("s", huge)]),
    "2^50 axes for Unsqueeze": on("Unsqueeze", [value("x", 2), int64("s", huge)]),
    "2^50 axes for Squeeze": on("Squeeze", [value("x", 2), int64("s", huge)]),
    "2^50 axes for ReduceSum": on(
      "ReduceSum",
      [value("x", 2), int64("s", huge)],
      [{ name: "keepdims", type: 2, i: 0 }],
    ),
    "an image of 2^50 axes for Col2Im": on("Col2Im", [value("x", 1, 2, 3), int64("s", huge), int64("t", huge)]),
    "a grid of 2^50 axes": on("AffineGrid", [value("x", 1, huge, huge), int64("s", 4)]),
    "a kernel of a hundred thousand axes": on(
      "MaxPool",
      [value("x", 1, 1, 4)],
      [{ name: "kernel_shape", type: 7, ints: many(1e5, () => 1) }],
    ),
    "a permutation of a hundred thousand axes": on(
      "Transpose",
      [value("x", 2)],
      [{ name: "perm", type: 7, ints: many(1e5, (i) => i) }],
    ),
    "a shape of a hundred thousand axes": on(
      "RandomNormal",
      [],
      [{ name: "shape", type: 7, ints: many(1e5, () => 1) }],
    ),
    "thirty thousand attributes": on(
      "Neg",
      [value("x", 2)],
      many(30_000, (i) => ({ name: `a${i}`, type: 2, i })),
    ),
    "an attribute of ten million letters": on(
      "Einsum",
      [value("x", 2)],
      [{ name: "equation", type: 3, s: new Uint8Array(1e7).fill(97) }],
    ),
    "thirty thousand strings": {
      initializer: [
        { name: "w", dims: [30_000], dataType: 8, stringData: many(30_000, () => new Uint8Array(100).fill(97)) },
      ],
    },
    "a name of ten million letters": on("Neg", [value("n".repeat(1e7), 2)]),
    "a size with a name of a million terms": on("Flatten", [value("x", many(1e5, (i) => `a${i}`).join("*"), "b")]),
    "branches in branches, two thousand in all": {
      input: [{ name: "c", type: typeOf([], 9) }, value("x", 1)],
      ...{ node: nested(10)["node"] },
    },
    "a body that is thousands of nodes deep in names": {
      input: [value("x", 1)],
      node: many(2000, (i) => ({ opType: "Neg", input: [i === 0 ? "x" : "n".repeat(i)], output: ["n".repeat(i + 1)] })),
    },
    "ten thousand outputs of one Split": {
      input: [value("x", 1e6)],
      node: [
        {
          opType: "Split",
          input: ["x"],
          output: many(10_000, (i) => `y${i}`),
          attribute: [{ name: "num_outputs", type: 2, i: 10_000 }],
        },
      ],
    },
  };
  for (const [what, graph] of Object.entries(graphs))
    it(`survives ${what}, in under 5 seconds`, () => {
      const start = performance.now();
      survives(fileOf({ output: [value("y", "n")], ...graph }));
      expect(performance.now() - start).toBeLessThan(5000);
    });

  it("survives an axis of -2^50 where old operators align", () => {
    const attribute = [
      { name: "broadcast", type: 2, i: 1 },
      { name: "axis", type: 2, i: -(2 ** 50) },
    ];
    expect(() => decodeModel(fileOf(on("Add", [value("x", 2), value("z", 2)], attribute), 6))).toThrow(OnnxFormatError);
  });
});

describe("graphs of operators with inputs, attributes and opsets by chance", () => {
  const dim = fc.constantFrom(
    0,
    1,
    2,
    3,
    7,
    2 ** 31,
    2 ** 52,
    "n",
    "m",
    "n*m",
    "n+1",
    "max(n,m)",
    "?",
    "floor((n-1)/2)",
  );
  const types = ["float32", "int64", "bool", "uint8", "string"] as const;
  const input = fc.record({ dims: fc.array(dim, { maxLength: 5 }), type: fc.constantFrom(...types) });
  const number = fc.constantFrom(0, 1, -1, 2, 3, -2, 5, 100, 2 ** 31, -(2 ** 50), Number.MAX_SAFE_INTEGER);
  const text = fc.constantFrom(
    "",
    "NOTSET",
    "SAME_UPPER",
    "ab,bc->ac",
    "linear",
    "none",
    "add",
    "constructor",
    "__proto__",
  );
  const attribute: { readonly [K in AttributeKind]: fc.Arbitrary<Wire> } = {
    int: number.map((i) => ({ type: attributeTypes.int, i })),
    float: fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY).map((f) => ({ type: attributeTypes.float, f })),
    string: text.map((s) => ({ type: attributeTypes.string, s: Buffer.from(s) })),
    ints: fc.array(number, { maxLength: 6 }).map((ints) => ({ type: attributeTypes.ints, ints })),
    floats: fc.constant({ type: attributeTypes.floats, floats: [1, 0.5] }),
    strings: fc.constant({ type: attributeTypes.strings, strings: [Buffer.from("a")] }),
    tensor: fc.constant({ type: attributeTypes.tensor, t: { dims: [1], dataType: 7, int64Data: [2] } }),
    graph: fc.constant({ type: attributeTypes.graph, g: { name: "b", output: [value("x0", 2)] } }),
  };
  // attributes that an operator had in older sets come by these names
  const olderNames = [
    "axes",
    "axis",
    "broadcast",
    "k",
    "shape",
    "pads",
    "starts",
    "ends",
    "scales",
    "mode",
    "ratio",
    "is_test",
    "split",
    "min",
    "to",
  ];
  const kinds = Object.keys(attribute) as AttributeKind[];
  const operator = fc.constantFrom(...operatorNames, ...upgrades.keys(), "Unknown");
  const node = operator.chain((name) => {
    const specs = Object.entries(findOperator(name)?.attributes ?? {});
    const known = specs.map(([key, { kind }]) => fc.option(attribute[kind].map((kept) => ({ name: key, ...kept }))));
    const older = fc
      .tuple(fc.constantFrom(...olderNames), fc.constantFrom(...kinds))
      .chain(([key, kind]) => attribute[kind].map((kept) => ({ name: key, ...kept })));
    return fc.record({
      name: fc.constant(name),
      attributes: fc.tuple(...known, fc.option(older)),
      reads: fc.array(fc.nat(8), { maxLength: 6 }),
      outputs: fc.nat(4),
    });
  });

  it("survives them all", () => {
    const graph = fc.record({
      inputs: fc.array(input, { minLength: 1, maxLength: 5 }),
      lists: fc.array(fc.array(number, { maxLength: 5 }), { maxLength: 3 }),
      nodes: fc.array(node, { minLength: 1, maxLength: 4 }),
      opset: fc.constantFrom(1, 5, 6, 8, 9, 11, 12, 17, 18, 20, 21, 24),
    });
    fc.assert(
      fc.property(graph, ({ inputs, lists, nodes, opset }) => {
        const names = [...inputs.map((_, i) => `x${i}`), ...lists.map((_, i) => `l${i}`)];
        const wires = nodes.map(({ name, attributes, reads, outputs }, i) => {
          const made = Array.from({ length: outputs }, (_, k) => `n${i}.${k}`);
          const read = reads.map((at) => names[at] ?? "");
          names.push(...made);
          const given = new Map(attributes.filter((kept) => kept !== null).map((kept) => [kept.name, kept]));
          return { name: `node${i}`, opType: name, input: read, output: made, attribute: [...given.values()] };
        });
        const file = {
          input: inputs.map(({ dims, type }, i) => ({ name: `x${i}`, type: typeOf(dims, dtypeCode(type)) })),
          initializer: lists.map((list, i) => ({ name: `l${i}`, dims: [list.length], dataType: 7, int64Data: list })),
          output: [{ name: names.at(-1) ?? "" }],
          node: wires,
        };
        survives(fileOf(file, opset));
      }),
      { numRuns: 1500 },
    );
  });
});
