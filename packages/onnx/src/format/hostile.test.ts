import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OnnxFormatError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import { formatGraph } from "../graph/format.ts";
import { model } from "../graph/model.ts";
import { tensor } from "../tensor.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";
import { modelMessage } from "./schema.ts";

/** A small file with something of everything: attributes, sub-graph, weights, strings. */
function sample(): Uint8Array {
  const g = new GraphBuilder("sample");
  const x = g.input("x", "float32", ["batch", 1, 4, 4]);
  const w = g.initializer("w", tensor("float32", [2, 1, 3, 3], new Float32Array(18).fill(0.25)));
  const conv = g.op("Conv", [x, w], { strides: [1, 1], auto_pad: "NOTSET" });
  const body = new GraphBuilder("body", { outer: g });
  body.input("trip", "int64", []);
  body.output(body.input("goes_on", "bool", []));
  const state = body.input("state", "float32", ["batch", 2, 2, 2]);
  body.output(body.op("LeakyRelu", [state], { alpha: 0.5 }));
  const looped = g.op("Loop", [g.scalar(2, "int64"), undefined, conv], { body: body.build() });
  const labels = g.op("Constant", [], { value: tensor("string", [2], ["cat", "dog"]) });
  g.output(labels, "labels");
  g.output(g.op("Reshape", [looped, g.ints(0, -1)]), "y");
  return encodeModel(model(g.build(), { metadata: { task: "image" } }));
}

/** Decodes, and where that works, checks, prints and encodes: only OnnxFormatError may come out. */
function survives(bytes: Uint8Array): void {
  let decoded: ReturnType<typeof decodeModel>;
  try {
    decoded = decodeModel(bytes);
  } catch (error) {
    if (error instanceof OnnxFormatError) return;
    throw error;
  }
  checkGraph(decoded);
  formatGraph(decoded.graph);
  const again = decodeModel(encodeModel(decoded));
  expect(formatGraph(again.graph)).toBe(formatGraph(decoded.graph));
}

/** Length-delimited field: tag, length, bytes. */
function field(number: number, content: Uint8Array): Uint8Array {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  return Buffer.concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length)]), content]);
}

describe("decodeModel on hostile bytes", () => {
  const bytes = sample();

  it("takes the whole file", () => {
    expect(checkGraph(decodeModel(bytes))).toEqual([]);
  });

  it("survives truncation at every byte", () => {
    for (let length = 0; length < bytes.length; length++) survives(bytes.subarray(0, length));
  });

  it("survives every byte changed to each of four values", () => {
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 0x7f, 0xff, (bytes[at] ?? 0) ^ 0x08]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        survives(changed);
      }
  });

  it("survives random mutation: bytes changed, cut out, repeated", () => {
    const place = fc.nat(bytes.length - 1);
    const edit = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), at: place, value: fc.nat(255) }),
      fc.record({ kind: fc.constant("cut" as const), at: place, value: fc.nat(40) }),
      fc.record({ kind: fc.constant("repeat" as const), at: place, value: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
        let changed = Buffer.from(bytes);
        for (const { kind, at, value } of edits) {
          if (kind === "set") changed[at] = value;
          if (kind === "cut") changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + value)]);
          if (kind === "repeat") changed = Buffer.concat([changed.subarray(0, at + value), changed.subarray(at)]);
        }
        survives(changed);
      }),
      { numRuns: 2000 },
    );
  });

  it("survives bytes that were never a model", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => survives(noise)),
      { numRuns: 2000 },
    );
    expect(() => decodeModel(new Uint8Array())).toThrow(/received 0 bytes/);
    expect(() => decodeModel(Buffer.from("PK\x03\x04 not a model"))).toThrow(OnnxFormatError);
  });

  it("refuses graphs nested too deep, before decoding them", () => {
    // graph { node { attribute { g: graph { ... } } } }, a thousand times
    let nested = new Uint8Array();
    for (let i = 0; i < 1000; i++) nested = field(1, field(5, field(6, nested))) as Uint8Array<ArrayBuffer>;
    expect(() => decodeModel(field(7, nested))).toThrow(/expected at most 16 graphs inside each other/);
  });

  it("refuses millions of empty nodes by the memory that they would need", () => {
    // two bytes each in the file, hundreds in memory
    const nodes = new Uint8Array(40_000_000);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a;
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeModel(field(7, nodes))).toThrow(/would need more than 1073741824 bytes of memory/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });

  it("refuses packed numbers by the memory that they would need", () => {
    const packed = field(7, field(5, field(7, new Uint8Array(20_000_000))));
    expect(() => decodeModel(packed)).toThrow(/bytes of memory/);
  });

  it("keeps to the limits that the caller sets", () => {
    expect(() => decodeModel(bytes, { bytes: 100 })).toThrow(/expected at most 100 bytes, received/);
    expect(() => decodeModel(bytes, { depth: 1 })).toThrow(/at most 1 graphs/);
    expect(() => decodeModel(bytes, { memoryBytes: 1000 })).toThrow(/more than 1000 bytes of memory/);
  });

  it("does not allocate what sizes claim", () => {
    const wire = {
      graph: { initializer: [{ name: "w", dataType: 1, dims: [2 ** 31, 1024] }] },
      opsetImport: [{ version: 21 }],
    };
    expect(() => decodeModel(modelMessage.encode(wire).finish())).toThrow(/expected 2199023255552 elements/);
    const types = {
      graph: {
        output: [{ name: "y", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 ** 52 }] } } } }],
      },
      opsetImport: [{ version: 21 }],
    };
    survives(modelMessage.encode(types).finish());
  });

  it("keeps names such as __proto__ harmless", () => {
    const wire = {
      opsetImport: [{ version: 21 }],
      metadataProps: [{ key: "__proto__", value: "x" }],
      graph: {
        node: [
          {
            opType: "Relu",
            input: ["__proto__"],
            output: ["constructor"],
            attribute: [{ name: "__proto__", type: 2, i: 1 }],
          },
        ],
      },
    };
    const decoded = decodeModel(modelMessage.encode(wire).finish());
    expect(Object.keys(decoded.metadata)).toEqual(["__proto__"]);
    expect(checkGraph(decoded).length).toBeGreaterThan(0);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  // Each of these would take minutes, or the whole stack, where a rule compares all with all or writes names out.
  const axes = (...dims: (string | number)[]) => ({
    tensorType: {
      elemType: 1,
      shape: { dim: dims.map((dim) => (typeof dim === "string" ? { dimParam: dim } : { dimValue: dim })) },
    },
  });
  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const long = (name: string, terms: number) => many(terms, (i) => `${name}${i}`).join("+");
  const ints = { name: "axis", type: 2, i: 0 };
  const graphs: Readonly<Record<string, object>> = {
    "sizes that multiply sums of thousands of names": {
      input: [{ name: "x", type: axes(long("a", 20_000), long("b", 20_000)) }],
      node: [{ opType: "Flatten", input: ["x"], output: ["y"], attribute: [{ ...ints, i: 2 }] }],
    },
    "sizes that multiply many sums of short names": {
      input: [{ name: "x", type: axes(...many(60, (i) => long(`a${i}_`, 20))) }],
      node: [{ opType: "Flatten", input: ["x"], output: ["y"], attribute: [ints] }],
    },
    "a tensor of a hundred thousand axes": {
      input: [{ name: "x", type: axes(...many(100_000, () => 1)) }],
      node: [{ opType: "Transpose", input: ["x"], output: ["y"] }],
    },
    "axes that are added thousands of times": {
      input: [{ name: "x0", type: axes("n") }],
      initializer: [{ name: "a", dims: [1], dataType: 7, rawData: new Uint8Array(8) }],
      node: many(2000, (i) => ({ opType: "Unsqueeze", input: [`x${i}`, "a"], output: [`x${i + 1}`] })),
    },
    "thirty thousand nodes in a chain": {
      input: [{ name: "x0", type: axes(1) }],
      node: many(30_000, (i) => ({ opType: "Identity", input: [`x${i}`], output: [`x${i + 1}`] })),
    },
    "a node with a hundred thousand inputs that nothing makes": {
      node: [{ opType: "Max", input: many(100_000, (i) => `x${i}`), output: ["y"] }],
    },
    "a node with a hundred thousand inputs": {
      input: [{ name: "x", type: axes("n") }],
      node: [{ opType: "Max", input: many(100_000, () => "x"), output: ["y"] }],
    },
    "a list joined from itself a hundred thousand times": {
      initializer: [{ name: "a", dims: [250], dataType: 7, rawData: new Uint8Array(2000) }],
      node: [{ opType: "Concat", input: many(100_000, () => "a"), output: ["y"], attribute: [ints] }],
    },
    "a size doubled two thousand times": {
      input: [{ name: "x0", type: axes("n", "m") }],
      node: many(2000, (i) => ({
        opType: "Concat",
        input: [`x${i}`, `x${i}`],
        output: [`x${i + 1}`],
        attribute: [ints],
      })),
    },
    "an equation of a million letters": {
      input: [{ name: "x", type: axes(1) }],
      node: [
        {
          opType: "Einsum",
          input: ["x"],
          output: ["y"],
          attribute: [{ name: "equation", type: 3, s: Buffer.from("a".repeat(1e6)) }],
        },
      ],
    },
  };
  for (const [what, graph] of Object.entries(graphs))
    it(`survives ${what}`, () => {
      const wire = { opsetImport: [{ version: 21 }], graph: { output: [{ name: "y" }], ...graph } };
      survives(modelMessage.encode(wire).finish());
    });
});
