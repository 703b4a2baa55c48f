/** @file safetensors against the reference implementation's bytes (fixtures/safetensors/generate.py). */
import { readFileSync } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MemorySink } from "../byte-sink.ts";
import { bytesSource, fileSource } from "../byte-source.ts";
import { type ElementType, elementBytes, type StoredTensor, toFloat32, toShortFloats } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { nameOf } from "./dtype.ts";
import { decodeSafetensors, encodeSafetensors, SafetensorsFile, SafetensorsShards, writeSafetensors } from "./index.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/safetensors/${name}`, import.meta.url)));
const reference = fixture("reference.safetensors");

const halfBits = toShortFloats("float16", Float32Array.of(1, 0.1, 65504, 6e-8));
const tensors: Readonly<Record<string, StoredTensor>> = {
  float32: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1.5, -2.25, 0.1, Infinity, -0, 3e38) },
  float64: { dtype: "float64", shape: [2], data: Float64Array.of(Math.PI, -1e300) },
  float16: { dtype: "float16", shape: [4], data: halfBits },
  bfloat16: { dtype: "bfloat16", shape: [5], data: Uint16Array.of(0, 0x3f80, 0xc000, 0x7f80, 1) },
  int8: { dtype: "int8", shape: [2], data: Int8Array.of(-128, 127) },
  int16: { dtype: "int16", shape: [2], data: Int16Array.of(-32768, 32767) },
  int32: { dtype: "int32", shape: [2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  int64: { dtype: "int64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  uint8: { dtype: "uint8", shape: [3], data: Uint8Array.of(0, 255, 7) },
  uint16: { dtype: "uint16", shape: [1], data: Uint16Array.of(65535) },
  uint32: { dtype: "uint32", shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
  uint64: { dtype: "uint64", shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
  bool: { dtype: "bool", shape: [1, 3], data: Uint8Array.of(1, 0, 1) },
  scalar: { dtype: "float32", shape: [], data: Float32Array.of(2.5) },
  empty: { dtype: "float32", shape: [0, 4], data: new Float32Array() },
  "10": { dtype: "uint8", shape: [1], data: Uint8Array.of(3) },
  'a "name"\n/é😀': { dtype: "uint8", shape: [1], data: Uint8Array.of(1) },
  "a \uffee": { dtype: "uint8", shape: [1], data: Uint8Array.of(2) },
};

describe("safetensors", () => {
  it("reads every element type that the reference writes, number by number", () => {
    const decoded = decodeSafetensors(reference);
    expect(decoded.metadata).toEqual({ format: "np" });
    expect(Object.fromEntries(decoded.tensors)).toEqual(tensors);
  });

  it("writes the reference's bytes", () => {
    expect(Buffer.from(encodeSafetensors(tensors, { format: "np" })).equals(reference)).toBe(true);
    expect(Buffer.from(encodeSafetensors(new Map(Object.entries(tensors)), { format: "np" })).equals(reference)).toBe(
      true,
    );
  });

  it("writes the same bytes to a sink, loading each tensor when its turn comes", async () => {
    const sink = new MemorySink();
    const loaded: string[] = [];
    const lazy = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const load = async () => {
        loaded.push(name);
        return data;
      };
      return [name, { dtype, shape, load }] as const;
    });
    await writeSafetensors(sink, new Map(lazy), { format: "np" });
    expect(Buffer.from(sink.bytes()).equals(reference)).toBe(true);
    expect(loaded).toEqual([...decodeSafetensors(reference).tensors.keys()]);
  });

  it("reads bytes that begin at any address", () => {
    for (const shift of [1, 2, 3, 4]) {
      const larger = new Uint8Array(reference.length + 9);
      larger.set(reference, shift);
      const decoded = decodeSafetensors(larger.subarray(shift, shift + reference.length));
      expect(Object.fromEntries(decoded.tensors)).toEqual(tensors);
    }
  });

  it("takes and gives a file without tensors", () => {
    const bytes = encodeSafetensors({});
    expect(bytes.length).toBe(16);
    expect(decodeSafetensors(bytes)).toEqual({ metadata: {}, tensors: new Map() });
  });

  it("refuses element types of the format that it does not read, by name", () => {
    expect(() => decodeSafetensors(fixture("float8.safetensors"))).toThrow(
      'safetensors, tensor "w": the element type F8_E4M3 is not supported; convert the tensor to F16, BF16 or F32',
    );
  });

  it("refuses to write numbers that do not fit their shape, and the format's own name", () => {
    const data = Float32Array.of(1, 2, 3);
    expect(() => encodeSafetensors({ w: { dtype: "float32", shape: [2], data } })).toThrow(
      'tensor "w": expected 8 bytes for float32 [2], received 12',
    );
    expect(() => encodeSafetensors({ __metadata__: { dtype: "float32", shape: [3], data } })).toThrow(
      "the format's own",
    );
  });

  it("has a name for every element type", () => {
    const types: readonly ElementType[] = Object.values(tensors).map(({ dtype }) => dtype);
    expect(types.map((dtype) => nameOf(dtype)).every((name) => /^(BOOL|[BUFI]+\d+)$/.test(name))).toBe(true);
    expect(types.map(elementBytes)).toContain(8);
  });

  it("turns float16 and bfloat16 into numbers, and NaN and infinity too", () => {
    const values = Float32Array.of(1, -0.5, 65504, Infinity, NaN, 2 ** -24, 0);
    for (const dtype of ["float16", "bfloat16"] as const) {
      const back = toFloat32({ dtype, data: toShortFloats(dtype, values) });
      for (const [i, value] of values.entries())
        if (dtype === "float16" || value !== 65504) expect(back[i]).toBe(value);
        else expect(back[i]).toBe(65536);
    }
    expect(toFloat32({ dtype: "int64", data: BigInt64Array.of(5n, -1n) })).toEqual(Float32Array.of(5, -1));
  });
});

describe("a safetensors file", () => {
  it("is read tensor by tensor, and by rows", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gristmill-safetensors-"));
    try {
      await writeFile(join(folder, "model.safetensors"), reference);
      await using handle = await open(join(folder, "model.safetensors"));
      const file = await SafetensorsFile.open(await fileSource(handle));
      for (const [name, tensor] of Object.entries(tensors)) expect(await file.read(name)).toEqual(tensor);
      const row = await file.readRows("float32", 1, 1);
      expect(row).toEqual({ dtype: "float32", shape: [1, 3], data: Float32Array.of(Infinity, -0, 3e38) });
      expect(await file.readRows("empty", 0, 0)).toEqual(tensors["empty"]);
      await expect(file.read("nothing")).rejects.toThrow('tensor "nothing": the file has none of that name; it has 18');
      for (const [first, count] of [
        [1, 2],
        [-1, 1],
        [0.5, 1],
        [3, 0],
      ] as const)
        await expect(file.readRows("float32", first, count)).rejects.toThrow("expected rows within its shape [2,3]");
      await expect(file.readRows("scalar", 0, 1)).rejects.toThrow("expected rows within its shape []");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("gives an error, and no other bytes, when it became shorter", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gristmill-safetensors-"));
    try {
      const path = join(folder, "model.safetensors");
      await writeFile(path, reference);
      await using handle = await open(path, "r+");
      const file = await SafetensorsFile.open(await fileSource(handle));
      await handle.truncate(reference.length - 3);
      await expect(file.read("bool")).rejects.toThrow(FileFormatError);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("several safetensors files", () => {
  const a: StoredTensor = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) };
  const b: StoredTensor = { dtype: "int8", shape: [1], data: Int8Array.of(3) };
  const files: Readonly<Record<string, Uint8Array>> = {
    "model-1.safetensors": encodeSafetensors({ a }),
    "model-2.safetensors": encodeSafetensors({ b }),
  };
  const index = (map: unknown): Uint8Array =>
    new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 9 }, weight_map: map }));
  const right = { a: "model-1.safetensors", b: "model-2.safetensors" };
  const openFrom =
    (opened: string[] = []) =>
    async (name: string) => {
      opened.push(name);
      return bytesSource(files[name] ?? new Uint8Array());
    };

  it("are opened when a tensor of theirs is asked for, once", async () => {
    const opened: string[] = [];
    const shards = new SafetensorsShards(index(right), openFrom(opened));
    expect(await shards.read("a")).toEqual(a);
    expect(await shards.readRows("a", 1, 1)).toEqual({ ...a, shape: [1], data: Float32Array.of(2) });
    expect(opened).toEqual(["model-1.safetensors"]);
    await shards.verify();
    expect(opened).toEqual(["model-1.safetensors", "model-2.safetensors"]);
    await expect(shards.read("c")).rejects.toThrow('tensor "c": the index has none of that name');
  });

  it("are compared with the index", async () => {
    const swapped = new SafetensorsShards(index({ a: right.b, b: right.b }), openFrom());
    await expect(swapped.read("a")).rejects.toThrow("the index says that it is in model-2.safetensors");
    await expect(swapped.verify()).rejects.toThrow(FileFormatError);
    const less = new SafetensorsShards(index({ a: right.a }), openFrom());
    await expect(less.verify()).resolves.toBeUndefined();
    const unnamed = new SafetensorsShards(index({ b: right.b, c: right.a }), openFrom());
    await expect(unnamed.verify()).rejects.toThrow("it is in model-1.safetensors, where the index does not have it");
  });

  it("are opened again after a failure", async () => {
    let tries = 0;
    const shards = new SafetensorsShards(index(right), async (name) => {
      if (tries++ === 0) throw new Error("disk asleep");
      return openFrom()(name);
    });
    await expect(shards.read("a")).rejects.toThrow("disk asleep");
    expect(await shards.read("a")).toEqual(a);
  });

  it("must lie in the index's folder", () => {
    for (const file of ["../secret", "/etc/passwd", "a/b", "a\\b", "..", "c:x", "", ".hidden", 7, "x".repeat(300)])
      expect(() => new SafetensorsShards(index({ a: file }), openFrom())).toThrow(
        "expected the name of a file in the same folder",
      );
    expect(() => new SafetensorsShards(index([]), openFrom())).toThrow('expected { "weight_map"');
  });
});
