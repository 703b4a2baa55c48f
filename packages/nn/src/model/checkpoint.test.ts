import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../errors.ts";
import { conv2d } from "../layers/convolution/conv.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { maxPooling2d } from "../layers/pooling/max-pooling.ts";
import { Sequential } from "./sequential.ts";

async function trained(): Promise<Sequential> {
  const model = new Sequential(
    [
      conv2d(2, 3, { inputShape: [5, 5, 2], activation: "relu" }),
      maxPooling2d(),
      flatten(),
      dense(3, { activation: "softmax" }),
    ],
    { seed: 11 },
  );
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const data = Float32Array.from({ length: 6 * 50 }, (_, i) => ((i * 37) % 101) / 101);
  await model.fit({ shape: [6, 5, 5, 2], data }, [0, 1, 2, 0, 1, 2], { epochs: 2, batchSize: 4, threads: 1 });
  await model.close();
  return model;
}

const start = 8 + 4;

/** The file with another header, and a checksum that fits: what a forger would send. */
function withHeader(bytes: Uint8Array, change: (header: Record<string, unknown>) => unknown): Uint8Array {
  const length = new DataView(bytes.buffer).getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + length))) as Record<string, unknown>;
  const text = new TextEncoder().encode(JSON.stringify(change(header)));
  const body = Buffer.concat([
    bytes.subarray(0, 8),
    Buffer.alloc(4),
    text,
    bytes.subarray(start + length, bytes.length - 32),
  ]);
  body.writeUInt32LE(text.length, 8);
  return new Uint8Array(Buffer.concat([body, createHash("sha256").update(body).digest()]));
}

describe("a saved model", () => {
  it("is loaded as it was, bit for bit, with optimizer and progress", async () => {
    const model = await trained();
    const bytes = model.save();
    const loaded = Sequential.load(bytes);
    expect(loaded.getWeights()).toEqual(model.getWeights());
    expect([loaded.seed, loaded.epoch, loaded.step]).toEqual([11, 2, 4]);
    expect(loaded.compileSpec).toEqual(model.compileSpec);
    expect(loaded.toSpec()).toEqual(model.toSpec());
    expect(Buffer.from(loaded.save()).equals(bytes)).toBe(true);
  });

  it("may be saved before it is compiled, and compiled after", () => {
    const model = new Sequential([dense(1, { inputShape: [2] })], { seed: 4 });
    const loaded = Sequential.load(model.save());
    expect(loaded.compileSpec).toBeUndefined();
    expect(loaded.getWeights()).toEqual(model.getWeights());
  });

  it("is read from the middle of a larger buffer", async () => {
    const bytes = (await trained()).save();
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 7);
    expect(Sequential.load(larger.subarray(7, 7 + bytes.length)).epoch).toBe(2);
  });

  it("is refused when it is cut off anywhere, empty, or another file", async () => {
    const bytes = (await trained()).save();
    for (let length = 0; length < bytes.length; length += 13)
      expect(() => Sequential.load(bytes.subarray(0, length))).toThrow(CheckpointError);
    expect(() => Sequential.load(new TextEncoder().encode("a".repeat(100)))).toThrow("no saved model");
  });

  it("is refused when any byte is changed", async () => {
    const bytes = (await trained()).save();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const damaged = Uint8Array.from(bytes);
        damaged[place] = (damaged[place] ?? 0) ^ change;
        expect(() => Sequential.load(damaged)).toThrow(CheckpointError);
      }),
      { numRuns: 200 },
    );
  });

  it("is refused when its checksum fits and its content does not", async () => {
    const bytes = (await trained()).save();
    const load = (change: (header: Record<string, unknown>) => unknown) => () =>
      Sequential.load(withHeader(bytes, change));
    expect(load((header) => header)).not.toThrow();
    expect(load(() => 7)).toThrow("expected an object");
    expect(load((header) => ({ ...header, epoch: -1 }))).toThrow("expected epoch to be a whole number");
    expect(load((header) => ({ ...header, spec: { layers: [{ type: "dens", units: 1 }] } }))).toThrow(
      'did you mean "dense"',
    );
    expect(load((header) => ({ ...header, compile: { optimizer: "adam" } }))).toThrow("loss");
    expect(load((header) => ({ ...header, compile: undefined }))).toThrow("not those of the model");
    expect(load((header) => ({ ...header, tensors: [] }))).toThrow("not those of the model");
  });

  it("allocates nothing that its description only claims: a layer of a thousand million units", async () => {
    const bytes = (await trained()).save();
    const huge = { inputShape: [1], layers: [{ type: "dense", units: 500_000_000, useBias: false }] };
    const tensors = [{ id: "dense_1/kernel", shape: [1, 500_000_000] }];
    const before = process.memoryUsage().arrayBuffers;
    expect(() =>
      Sequential.load(withHeader(bytes, (header) => ({ ...header, spec: huge, compile: undefined, tensors }))),
    ).toThrow("expected 2000000000 bytes");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });
});
