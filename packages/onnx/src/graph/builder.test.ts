import { describe, expect, it } from "vitest";
import { DtypeError, OnnxError, ShapeError } from "../errors.ts";
import { createSession } from "../session/session.ts";
import { tensor } from "../tensor.ts";
import { GraphBuilder } from "./builder.ts";
import { formatGraph } from "./format.ts";
import { model } from "./model.ts";

const weights = (...shape: number[]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: count }, (_, i) => (i % 7) / 10),
  );
};

describe("GraphBuilder", () => {
  it("carries a named batch through a whole network", () => {
    const g = new GraphBuilder("cnn");
    const x = g.input("x", "float32", ["batch", 1, 28, 28]);
    const conv = g.op("Conv", [x, g.initializer("w", weights(8, 1, 3, 3))]);
    const [pooled] = g.ops("MaxPool", [g.op("Relu", [conv])], { kernel_shape: [2, 2], strides: [2, 2] }, 2);
    const flat = g.op("Reshape", [pooled, g.ints(0, -1)]);
    const logits = g.op("Gemm", [flat, g.initializer("u", weights(10, 1352))], { transB: 1 });
    const loss = g.op("ReduceMean", [g.op("LogSoftmax", [logits])], { keepdims: 0 });
    expect([conv, pooled, flat, logits, loss].map((value) => value?.shape)).toEqual([
      ["batch", 8, 26, 26],
      ["batch", 8, 13, 13],
      ["batch", 1352],
      ["batch", 10],
      [],
    ]);
  });

  it("gives sizes without a name of their own a derived one, and finds the name again", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 26, 3]);
    const rows = g.op("Reshape", [x, g.ints(-1, 3)]);
    expect(rows.shape).toEqual(["batch*26", 3]);
    expect(g.op("Reshape", [rows, g.ints(-1, 26, 3)]).shape).toEqual(["batch", 26, 3]);
    expect(g.op("Concat", [x, x], { axis: 0 }).shape).toEqual(["batch*2", 26, 3]);
    expect(g.op("Reshape", [x, g.ints(-1, 5)]).shape).toEqual(["floor((batch*78)/5)", 5]);
  });

  it("follows sizes through Shape, Gather, arithmetic and Concat to a Reshape", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", "time", 8]);
    const sizes = g.op("Shape", [x]);
    const batch = g.op("Gather", [sizes, g.ints(0)]);
    const time = g.op("Slice", [sizes, g.ints(1), g.ints(2)]);
    const joined = g.op("Mul", [batch, time]);
    const heads = g.op("Concat", [joined, g.ints(2), g.ints(-1)], { axis: 0 });
    expect(g.op("Reshape", [x, heads]).shape).toEqual(["batch*time", 2, 4]);
    const whole = g.op("Squeeze", [batch, g.ints(0)]);
    expect(g.op("Range", [g.scalar(0, "int64"), whole, g.scalar(1, "int64")]).shape).toEqual(["batch"]);
    expect(g.op("ConstantOfShape", [g.op("Concat", [batch, g.ints(3)], { axis: 0 })]).shape).toEqual(["batch", 3]);
    expect(g.op("Expand", [g.scalar(1), g.op("Unsqueeze", [whole, g.ints(0)])]).shape).toEqual(["batch"]);
  });

  it("stretches names as numbers", () => {
    const g = new GraphBuilder();
    let fed = 0;
    const add = (...shapes: (string | number)[][]) =>
      g.op(
        "Add",
        shapes.map((shape) => g.input(`x${fed++}`, "float32", shape)),
      ).shape;
    expect(add(["batch", 3], ["batch", 1])).toEqual(["batch", 3]);
    expect(add(["batch", 1, 3], [5, 1])).toEqual(["batch", 5, 3]);
    expect(add(["n", 3], [4, 3])).toEqual([4, 3]);
    expect(add(["n", 3, 1], ["m", 1])).toEqual(["n", 3, 1]);
    expect(add(["n", 2], ["m", 2])).toEqual(["broadcast(n,m)", 2]);
  });

  it("names nodes by their scopes, so that an error names the layer", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", ["batch", 3]);
    const make = () =>
      g.within("encoder", () =>
        g.within("dense_1", () => g.op("Gemm", [x, g.constant(tensor("float32", [4, 2], new Float32Array(8)))])),
      );
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(/^encoder\/dense_1\/Gemm\S*: .*inner size 3, received 4/);
    const value = g.within("encoder", () => g.op("Relu", [x]));
    expect(value.name).toBe("encoder/Relu");
    expect(g.op("Relu", [x]).name).toBe("Relu");
  });

  it("leaves a scope when its body throws", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [3]);
    expect(() => g.within("broken", () => g.op("Reshape", [x, g.ints(2)]))).toThrow("broken/Reshape");
    expect(g.op("Neg", [x]).name).toBe("Neg");
  });

  it("says which element types do not fit", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [3]);
    const n = g.input("n", "int64", [3]);
    expect(() => g.op("Add", [x, n])).toThrow(DtypeError);
    expect(() => g.op("Add", [x, n])).toThrow(/Add\S*: expected float32, as "x" has, for "n", received int64/);
    expect(() => g.op("Not", [x])).toThrow(/expected bool for "x" \(input 0\), received float32/);
  });

  it("says which attributes, inputs and outputs do not fit", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [2, 3]);
    // @ts-expect-error there is no such attribute
    expect(() => g.op("Softmax", [x], { axes: 1 })).toThrow(/there is no attribute axes; the operator has: axis/);
    // @ts-expect-error axis is a number
    expect(() => g.op("Softmax", [x], { axis: "1" })).toThrow(/attribute axis must be int, received "1"/);
    expect(() => g.op("Softmax", [x], { axis: 0.5 })).toThrow(/attribute axis must be int, received 0.5/);
    // @ts-expect-error perm is a list of numbers
    expect(() => g.op("Transpose", [x], { perm: 1 })).toThrow(/attribute perm must be ints, received 1/);
    expect(() => g.op("Cast", [x])).toThrow(/attribute to \(int\) is missing/);
    expect(() => g.op("Add", [x])).toThrow(/Add takes 2 inputs, received 1/);
    expect(() => g.op("Add", [x, undefined])).toThrow(/Add needs its input 1/);
    expect(() => g.ops("Relu", [x], {}, 2)).toThrow(/Relu takes 1 outputs, received 2/);
    expect(() => g.op("Softmax", [x], { axis: 2 })).toThrow(/expected an axis from -2 to 1, received 2/);
  });

  it("keeps float attributes floats, whole or not, and ints ints", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [2, 2]);
    g.output(g.op("Gemm", [x, x], { alpha: 1, beta: 0.1, transA: 1 }));
    expect(g.nodes[0]?.attributes).toEqual({ alpha: { float: 1 }, beta: { float: Math.fround(0.1) }, transA: 1 });
  });

  it("shares equal small constants, also with the graphs around", () => {
    const g = new GraphBuilder();
    expect(g.scalar(1)).toBe(g.scalar(1));
    expect(g.ints(1, 2)).toBe(g.ints(1, 2));
    expect(g.scalar(0)).not.toBe(g.scalar(-0));
    expect(g.scalar(1)).not.toBe(g.scalar(1, "float64"));
    expect(g.ints(1)).not.toBe(g.scalar(1, "int64"));
    const inner = new GraphBuilder("body", { outer: g });
    expect(inner.scalar(1)).toBe(g.scalar(1));
    const large = () => g.constant(tensor("float32", [65], new Float32Array(65)));
    expect(large()).not.toBe(large());
  });

  it("makes scalars of every type but strings", () => {
    const g = new GraphBuilder();
    expect(g.constantOf(g.scalar(2.5))?.data).toEqual(Float32Array.of(2.5));
    expect(g.constantOf(g.scalar(1.5, "float16"))?.data).toEqual(Uint16Array.of(0x3e00));
    expect(g.constantOf(g.scalar(2n ** 60n, "int64"))?.data).toEqual(BigInt64Array.of(2n ** 60n));
    expect(g.constantOf(g.scalar(true, "bool"))?.data).toEqual(Uint8Array.of(1));
    expect(g.constantOf(g.scalar(-3, "int8"))?.data).toEqual(Int8Array.of(-3));
    expect(() => g.scalar(1, "string")).toThrow(DtypeError);
    expect(() => g.scalar(2n ** 60n, "float32")).toThrow(/expected int64 or uint64/);
  });

  it("finds the constant behind a value, through graphs and Constant nodes", () => {
    const g = new GraphBuilder();
    const w = g.initializer("w", weights(2));
    const inner = new GraphBuilder("body", { outer: g });
    expect(inner.constantOf(w)).toEqual(weights(2));
    expect(g.constantOf(g.op("Constant", [], { value_ints: [1, 2] }))?.data).toEqual(BigInt64Array.of(1n, 2n));
    expect(g.constantOf(g.input("x", "float32", []))).toBeUndefined();
  });

  it("refuses values of another graph, and names used twice", () => {
    const g = new GraphBuilder("one");
    const foreign = new GraphBuilder("other").input("x", "float32", [2]);
    g.input("x", "float32", [2]);
    expect(() => g.op("Neg", [foreign])).toThrow(/"x" is no value of graph "one"/);
    expect(() => g.input("x", "float32", [2])).toThrow(/x: this name is already used/);
    expect(() => g.initializer("", weights(1))).toThrow(OnnxError);
    expect(() => g.build()).toThrow(/the graph has no outputs/);
  });

  it("refuses sizes and numbers that are none", () => {
    const g = new GraphBuilder();
    for (const dim of [-1, 1.5, Number.NaN, "", "5"])
      expect(() => g.input("x", "float32", [dim])).toThrow(/x: expected whole sizes from 0, or names such as "batch"/);
    expect(() => g.ints(1, 0.5)).toThrow(/ints: expected whole numbers, received 0.5/);
    expect(() => g.scalar(0.5, "int64")).toThrow(/expected a whole number for int64, received 0.5/);
  });

  it("puts an Identity where an output needs a name, is an input, or is given twice", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [2]);
    const y = g.op("Neg", [x]);
    expect(g.output(y)).toBe(y);
    expect(g.output(y, "again").name).toBe("again");
    expect(g.output(x).name).not.toBe("x");
    expect(g.build().outputs).toHaveLength(3);
    expect(g.nodes.map((node) => node.operator)).toEqual(["Neg", "Identity", "Identity"]);
  });

  it("builds a Loop that reads from outside, and it runs", async () => {
    const g = new GraphBuilder("power");
    const x = g.input("x", "float32", ["batch"]);
    const body = new GraphBuilder("step", { outer: g });
    body.input("trip", "int64", []);
    const goesOn = body.input("goes_on", "bool", []);
    const before = body.input("before", "float32", ["batch"]);
    const after = body.within("inner", () => body.op("Mul", [before, x]));
    body.output(goesOn);
    body.output(after);
    body.output(body.op("ReduceSum", [after], { keepdims: 0 }));
    const [last, sums] = g.ops("Loop", [g.scalar(3, "int64"), undefined, x], { body: body.build() }, 2);
    if (last === undefined || sums === undefined) throw new Error("the Loop has two outputs");
    expect([last.shape, sums.shape]).toEqual([["batch"], [3]]);
    g.output(last, "power");
    g.output(sums, "sums");
    await using session = await opened(g);
    const { outputs } = await session.run({ x: tensor("float32", [2], Float32Array.of(2, 3)) });
    expect(outputs["power"]?.data).toEqual(Float32Array.of(16, 81));
    expect(outputs["sums"]?.data).toEqual(Float32Array.of(4 + 9, 8 + 27, 16 + 81));
  });

  it("refuses a body whose inputs do not fit what enters", () => {
    const g = new GraphBuilder();
    const x = g.input("x", "float32", [2]);
    const body = new GraphBuilder("step", { outer: g });
    body.input("trip", "int64", []);
    body.output(body.input("goes_on", "bool", []));
    body.output(body.input("before", "float32", [3]));
    expect(() => g.op("Loop", [g.scalar(3, "int64"), undefined, x], { body: body.build() })).toThrow(
      /expected \[2\] for body input "before", received \[3\]/,
    );
  });

  it("is listed as text, one line a node, the same each time", () => {
    const g = new GraphBuilder("tiny");
    const x = g.input("x", "float32", ["batch", 4]);
    const y = g.within("dense", () => g.op("Gemm", [x, g.initializer("w", weights(4, 3))], { alpha: 2 }));
    g.output(g.op("Softmax", [y], { axis: -1 }), "p");
    expect(formatGraph(g.build())).toBe(
      [
        "graph tiny(x: float32[batch, 4])",
        "  w: float32[4, 3]",
        "  dense/Gemm: float32[batch, 3] = Gemm(x, w) {alpha=2.0}",
        "  Softmax: float32[batch, 3] = Softmax(dense/Gemm) {axis=-1}",
        "  p: float32[batch, 3] = Identity(Softmax) # Identity",
        "  return p",
      ].join("\n"),
    );
  });
});

async function opened(builder: GraphBuilder) {
  const session = await createSession(model(builder.build()), { threads: 1 });
  return Object.assign(session, { [Symbol.asyncDispose]: () => session.close() });
}
