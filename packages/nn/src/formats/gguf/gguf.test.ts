/** @file GGUF against ggml's own Python package (fixtures/gguf/generate.py). */
import { readFileSync } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MemorySink } from "../byte-sink.ts";
import { bytesSource, fileSource } from "../byte-source.ts";
import { decodeBlocks, encodeBlocks, type GgufWritableType, writableTypes } from "./codec.ts";
import { GgufFile, type GgufTensor, type GgufValue, writeGguf } from "./index.ts";

const reference = new Uint8Array(readFileSync(new URL("../../../fixtures/gguf/reference.gguf", import.meta.url)));
const file = await GgufFile.open(bytesSource(reference));

const metadata: readonly (readonly [string, GgufValue])[] = [
  ["general.architecture", { type: "string", value: "test" }],
  ["test.uint8", { type: "uint8", value: 255 }],
  ["test.int8", { type: "int8", value: -128 }],
  ["test.uint16", { type: "uint16", value: 65535 }],
  ["test.int16", { type: "int16", value: -32768 }],
  ["test.uint32", { type: "uint32", value: 2 ** 32 - 1 }],
  ["test.int32", { type: "int32", value: -(2 ** 31) }],
  ["test.float32", { type: "float32", value: Math.fround(0.1) }],
  ["test.bool", { type: "bool", value: true }],
  ["test.string", { type: "string", value: "é😀 \n" }],
  ["test.empty", { type: "string", value: "" }],
  ["test.uint64", { type: "uint64", value: 2n ** 64n - 1n }],
  ["test.int64", { type: "int64", value: -(2n ** 63n) }],
  ["test.float64", { type: "float64", value: 0.1 }],
  ["test.int32s", { type: "array", value: { of: "int32", values: Int32Array.of(1, -2, 3) } }],
  ["test.float32s", { type: "array", value: { of: "float32", values: Float32Array.of(0.5, 0.1) } }],
  ["test.bools", { type: "array", value: { of: "bool", values: Uint8Array.of(1, 0) } }],
  ["test.strings", { type: "array", value: { of: "string", values: ["a", "", "é"] } }],
  ["test.uint64s", { type: "array", value: { of: "uint64", values: BigUint64Array.of(0n, 2n ** 63n) } }],
];

async function written(contents: { metadata?: typeof metadata; tensors?: readonly GgufTensor[] }): Promise<Uint8Array> {
  const sink = new MemorySink();
  await writeGguf(sink, { metadata: [], tensors: [], ...contents });
  return sink.bytes();
}

describe("GgufFile", () => {
  it("reads every kind of metadata that ggml's package writes", () => {
    expect([...file.header.metadata]).toEqual(metadata);
    expect([file.header.version, file.header.alignment]).toEqual([3, 32]);
  });

  it("reads shapes row-major, and the numbers of every type", async () => {
    expect(file.header.tensors.get("source")).toMatchObject({ type: "F32", shape: [7, 96] });
    expect(file.header.tensors.get("i8")).toMatchObject({ type: "I8", shape: [2, 1, 1] });
    for (const type of ["F16", "BF16", "Q8_0", "Q4_0"])
      expect(await file.read(type)).toEqual(await file.read(`${type}.back`));
    expect(await file.read("f64")).toEqual(Float32Array.of(0.5, -Infinity));
    expect(await file.read("i8")).toEqual(Float32Array.of(-128, 127));
  });

  it("gives the bytes of types that it only knows by size, and refuses their numbers", async () => {
    expect(await file.readBytes("q6_k")).toEqual(new Uint8Array(210));
    await expect(file.read("q6_k")).rejects.toThrow(
      'tensor "q6_k": numbers of type Q6_K are not read; expected one of F32, F16',
    );
    await expect(file.read("nothing")).rejects.toThrow("the file has none of that name; it has 12 others");
  });

  it("reads a front that is longer than the first bytes it looks at, from a file", async () => {
    const tokens = Array.from({ length: 30_000 }, (_, i) => `token ${i}`);
    const tensor: GgufTensor = { name: "w", shape: [2, 3], type: "F32", load: () => Float32Array.of(1, 2, 3, 4, 5, 6) };
    const bytes = await written({
      metadata: [["t", { type: "array", value: { of: "string", values: tokens } }]],
      tensors: [tensor],
    });
    const folder = await mkdtemp(join(tmpdir(), "gristmill-gguf-"));
    try {
      await writeFile(join(folder, "a.gguf"), bytes);
      await using handle = await open(join(folder, "a.gguf"));
      const large = await GgufFile.open(await fileSource(handle));
      expect(large.header.metadata.get("t")?.value).toEqual({ of: "string", values: tokens });
      expect(await large.read("w")).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
      await expect(GgufFile.open(await fileSource(handle), { headerBytes: 100_000 })).rejects.toThrow(
        "expected at most 100000 bytes before the tensors",
      );
      await expect(GgufFile.open(await fileSource(handle), { texts: 30_000 })).rejects.toThrow(
        "more texts and lists than the limit allows",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("writeGguf", () => {
  it("makes the bytes of ggml's package for each type, scale by scale", async () => {
    const source = await file.read("source");
    for (const type of ["F16", "BF16", "Q8_0", "Q4_0"] as const)
      expect(Buffer.from(encodeBlocks("test", type, source)).equals(await file.readBytes(type)), type).toBe(true);
  });

  it("makes zeros of numbers whose scale float16 cannot hold", () => {
    for (const [type, size] of [
      ["Q8_0", 34],
      ["Q4_0", 18],
    ] as const) {
      const bytes = encodeBlocks("test", type, new Float32Array(32).fill(1e-39));
      expect(bytes.length).toBe(size);
      expect(decodeBlocks("test", type, bytes).every((value) => Math.abs(value) === 0)).toBe(true);
    }
  });

  it("makes the same file as ggml's package, byte for byte", async () => {
    const source = await file.read("source");
    const plain = (
      name: string,
      shape: readonly number[],
      type: GgufWritableType = "F32",
      load = () => file.read(name),
    ): GgufTensor => ({ name, shape, type, load });
    const types = ["F16", "BF16", "Q8_0", "Q4_0"] as const;
    const tensors = [
      plain("source", [7, 96]),
      ...types.flatMap((type) => [plain(type, [7, 96], type, async () => source), plain(`${type}.back`, [7, 96])]),
    ];
    const bytes = await written({ metadata, tensors });
    // three tensors of types that are not written come behind: their descriptions move what follows
    const mine = await GgufFile.open(bytesSource(bytes));
    const dataStart = (of: GgufFile): number => of.header.dataStart;
    const dataBytes = bytes.length - dataStart(mine);
    const theirs = reference.subarray(dataStart(file), dataStart(file) + dataBytes);
    expect(Buffer.from(bytes.subarray(dataStart(mine))).equals(theirs)).toBe(true);
    const metadataEnd = Buffer.from(reference).indexOf("source") - 8;
    expect(Buffer.from(bytes.subarray(24, metadataEnd)).equals(reference.subarray(24, metadataEnd))).toBe(true);
    expect([...mine.header.metadata]).toEqual(metadata);
  });

  it("encodes large tensors in pieces, each loaded once and only when its turn comes", async () => {
    const numbers = Float32Array.from({ length: 600 * 1024 }, (_, i) => Math.sin(i));
    const log: string[] = [];
    const loaded = (name: string): Float32Array => {
      log.push(name);
      return numbers;
    };
    const write = async (bytes: Uint8Array): Promise<void> => {
      sizes.push(bytes.length);
      log.push("w");
    };
    const tensors = ["a", "b"].map(
      (name): GgufTensor => ({ name, shape: [600, 1024], type: "Q8_0", load: () => loaded(name) }),
    );
    const sizes: number[] = [];
    await writeGguf({ write }, { metadata: [], tensors });
    expect(log.join("")).toBe("wawwwwbwwww");
    expect(Math.max(...sizes)).toBeLessThan(2 ** 20);
    expect(sizes.reduce((a, b) => a + b)).toBe(128 + 2 * ((600 * 1024) / 32) * 34);
  });

  it("refuses what llama.cpp or ggml would not take, before writing anything", async () => {
    const sink = new MemorySink();
    const refuse = async (
      contents: { metadata?: typeof metadata; tensors?: readonly GgufTensor[] },
      message: string,
    ) => {
      await expect(writeGguf(sink, { metadata: [], tensors: [], ...contents })).rejects.toThrow(message);
      expect(sink.bytes().length).toBe(0);
    };
    const tensor = (name: string, shape: readonly number[], type: GgufWritableType = "F32"): GgufTensor => ({
      name,
      shape,
      type,
      load: () => new Float32Array(),
    });
    await refuse({ tensors: [tensor("a", [1]), tensor("a", [1])] }, 'tensor "a": it appears twice');
    await refuse(
      { tensors: [tensor("a", [4, 33], "Q8_0")] },
      "Q8_0 keeps blocks of 32 elements: expected a last axis that is a multiple of it, received [4,33]",
    );
    await refuse({ tensors: [tensor("a", [0])] }, "expected 1 to 4 axes of sizes from 1, received [0]");
    await refuse({ tensors: [tensor("a", [])] }, "expected 1 to 4 axes");
    await refuse({ tensors: [tensor("a", [1, 1, 1, 1, 1])] }, "expected 1 to 4 axes");
    await refuse({ tensors: [tensor("é".repeat(32), [1])] }, "expected a name of 1 to 63 bytes, received 64");
    await refuse({ tensors: [tensor("a", [2 ** 40, 2 ** 40])] }, "has too many elements");
    await refuse(
      { tensors: [tensor("a", [32], "Q6_K" as "F32")] },
      "expected a type out of F32, F16, BF16, Q8_0, Q4_0",
    );
    const one: GgufValue = { type: "uint8", value: 1 };
    await refuse(
      {
        metadata: [
          ["a", one],
          ["a", one],
        ],
      },
      'key "a": it appears twice',
    );
    await refuse({ metadata: [["a b", one]] }, "expected letters, digits");
    await refuse({ metadata: [["general.alignment", one]] }, "not general.alignment");
    await refuse({ metadata: [["a", { type: "uint8", value: 256 }]] }, "expected 0 to 255 for uint8, received 256");
    await refuse({ metadata: [["a", { type: "int64", value: 2n ** 63n }]] }, "for int64, received 9223372036854775808");
    await refuse(
      { metadata: [["a", { type: "int32", value: 0.5 }]] },
      "expected a whole number for int32, received 0.5",
    );
  });

  it("refuses numbers that do not fit their shape or type", async () => {
    const write = (type: GgufWritableType, ...numbers: number[]) =>
      written({
        tensors: [
          { name: "w", shape: [32], type, load: () => Float32Array.from({ length: 32 }, (_, i) => numbers[i] ?? 0) },
        ],
      });
    await expect(
      written({ tensors: [{ name: "w", shape: [3], type: "F32", load: () => new Float32Array(2) }] }),
    ).rejects.toThrow('tensor "w": expected 3 numbers for [3], received 2');
    await expect(write("F16", 65520)).rejects.toThrow(
      "65520 is too large for float16; write the tensor as BF16 or F32",
    );
    await expect(write("BF16", 3.4e38)).rejects.toThrow("too large for bfloat16");
    for (const type of ["Q8_0", "Q4_0"] as const) {
      await expect(write(type, 1, NaN)).rejects.toThrow("has no infinity and no NaN");
      await expect(write(type, 1e7)).rejects.toThrow(
        type === "Q4_0" ? "too large; write the tensor as F32" : "float16, for which",
      );
    }
    for (const type of ["F32", "F16", "BF16"] as const) await expect(write(type, Infinity, NaN)).resolves.toBeDefined();
    expect(writableTypes.length).toBe(5);
  });
});
