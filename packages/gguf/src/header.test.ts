/** @file Fronts that are right: written, read back, and read from the disk no further than needed. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bytesSource } from "./bytes-source.ts";
import { type GgufHeaderContents, type GgufValue, openGgufHeader, readGgufHeader, writeGgufHeader } from "./index.ts";

const metadata: GgufHeaderContents["metadata"] = [
  ["a.uint8", { type: "uint8", value: 255 }],
  ["a.int8", { type: "int8", value: -128 }],
  ["a.uint16", { type: "uint16", value: 65_535 }],
  ["a.int16", { type: "int16", value: -32_768 }],
  ["a.uint32", { type: "uint32", value: 2 ** 32 - 1 }],
  ["a.int32", { type: "int32", value: -(2 ** 31) }],
  ["a.float32", { type: "float32", value: Math.fround(0.1) }],
  ["a.bool", { type: "bool", value: false }],
  ["a.string", { type: "string", value: "é😀\0\n" }],
  ["a.uint64", { type: "uint64", value: 2n ** 64n - 1n }],
  ["a.int64", { type: "int64", value: -(2n ** 63n) }],
  ["a.float64", { type: "float64", value: Number.NEGATIVE_INFINITY }],
  ["a.strings", { type: "array", value: { of: "string", values: ["a", "", "é"] } }],
  ["a.nothing", { type: "array", value: { of: "int32", values: new Int32Array() } }],
  ["a.bools", { type: "array", value: { of: "bool", values: Uint8Array.of(1, 0) } }],
  ["a.int64s", { type: "array", value: { of: "int64", values: BigInt64Array.of(-1n, 2n ** 62n) } }],
];

/** A whole file: the front and zeros for its tensors. */
function fileOf(contents: GgufHeaderContents): Uint8Array {
  const { bytes, tensors } = writeGgufHeader(contents);
  const last = tensors.at(-1);
  return Buffer.concat([bytes, new Uint8Array(last === undefined ? 0 : last.offset + last.sizeBytes)]);
}

it("reads what it wrote: every kind of value, and where tensors lie", async () => {
  const tensors = [
    { name: "w", shape: [2, 32], type: "Q4_0" },
    { name: "scalar", shape: [1], type: "F32" },
    { name: "k", shape: [3, 1, 256], type: "Q6_K" },
  ] as const;
  const header = await readGgufHeader(bytesSource(fileOf({ metadata, tensors })));
  expect([...header.metadata]).toEqual(metadata);
  expect([...header.tensors.values()]).toEqual([
    { ...tensors[0], offset: 0, sizeBytes: 36 },
    { ...tensors[1], offset: 64, sizeBytes: 4 },
    { ...tensors[2], offset: 96, sizeBytes: 630 },
  ]);
  expect(header.dataStart % 32).toBe(0);
});

it("reads a file without anything", async () => {
  const header = await readGgufHeader(bytesSource(fileOf({ metadata: [], tensors: [] })));
  expect([header.metadata.size, header.tensors.size, header.version, header.alignment]).toEqual([0, 0, 3, 32]);
});

describe("a file on the disk", () => {
  const tokens: GgufValue = {
    type: "array",
    value: { of: "string", values: Array.from({ length: 30_000 }, (_, i) => `token ${i}`) },
  };
  const bytes = fileOf({
    metadata: [["tokens", tokens]],
    tensors: [{ name: "w", shape: [2 ** 20], type: "F32" }],
  });
  const onDisk = async (work: (path: string) => Promise<void>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), "gristmill-gguf-"));
    try {
      await writeFile(join(folder, "a.gguf"), bytes);
      await work(join(folder, "a.gguf"));
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it("is read where its front is longer than the first bytes", () =>
    onDisk(async (path) => {
      expect((await openGgufHeader(path)).metadata.get("tokens")).toEqual(tokens);
    }));

  it("is refused where it asks for more than it may", () =>
    onDisk(async (path) => {
      const opening = openGgufHeader(path, { headerBytes: 100_000 });
      await expect(opening).rejects.toMatchObject({ code: "gguf.limit" });
      await expect(opening).rejects.toThrow("expected at most 100000 bytes before the tensors");
      await expect(openGgufHeader(path, { texts: 30_000 })).rejects.toThrow("more texts and lists than the limit");
    }));

  it("asks the source for no more than twice its front, beside the first bytes", async () => {
    let most = 0;
    const source = bytesSource(bytes);
    const { dataStart } = await readGgufHeader({
      ...source,
      read: (position, length) => {
        most = Math.max(most, length);
        return source.read(position, length);
      },
    });
    expect(most).toBeLessThan(4 * dataStart);
    expect(most).toBeLessThan(bytes.length / 2);
  });
});

describe("writeGgufHeader refuses", () => {
  const one: GgufValue = { type: "uint8", value: 1 };
  const tensor = { name: "a", shape: [1], type: "F32" } as const;
  it.each<[string, Partial<GgufHeaderContents>, string]>([
    ["a tensor said twice", { tensors: [tensor, tensor] }, 'tensor "a": it appears twice'],
    ["half a block", { tensors: [{ ...tensor, shape: [4, 33], type: "Q8_0" }] }, "a multiple of it, received [4,33]"],
    ["an axis of nothing", { tensors: [{ ...tensor, shape: [0] }] }, "1 to 4 axes of sizes from 1, received [0]"],
    ["no axes", { tensors: [{ ...tensor, shape: [] }] }, "expected 1 to 4 axes"],
    ["too many elements", { tensors: [{ ...tensor, shape: [2 ** 40, 2 ** 40] }] }, "has too many elements"],
    ["a long name", { tensors: [{ ...tensor, name: "é".repeat(32) }] }, "a name of 1 to 63 bytes, received 64"],
    ["a key said twice", { metadata: [["a", one], ["a", one]] }, 'key "a": it appears twice'], // biome-ignore format: a row of the table
    ["a key of other letters", { metadata: [["a b", one]] }, "expected letters, digits"],
    ["an alignment", { metadata: [["general.alignment", one]] }, "not general.alignment"],
    ["a number too large", { metadata: [["a", { type: "uint8", value: 256 }]] }, "0 to 255 for uint8, received 256"],
    ["a number too small", { metadata: [["a", { type: "uint64", value: -1n }]] }, "for uint64, received -1"],
    ["a fraction", { metadata: [["a", { type: "int32", value: 0.5 }]] }, "a whole number for int32, received 0.5"],
  ])("%s", (_what, contents, message) => {
    expect(() => writeGgufHeader({ metadata: [], tensors: [], ...contents })).toThrow(message);
  });
});
