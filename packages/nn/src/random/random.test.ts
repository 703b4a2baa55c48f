import { createSession, GraphBuilder, model, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { GraphMath } from "../graph/graph-math.ts";
import { keyOf, mix, normalAt, uniformAt, wordAt } from "./hash.ts";
import { keepMask } from "./random-words.ts";
import { shuffledOrder } from "./shuffle.ts";

describe("the counting hash", () => {
  it("is MurmurHash3's finalizer", () => {
    // values of the reference implementation, fmix32
    expect([mix(0), mix(1), mix(0xffffffff)]).toEqual([0, 0x514e28b7, 0x81f16f39]);
  });

  it("is even: mean and variance of uniform and normal numbers are as they should be", () => {
    const count = 20_000;
    const key = keyOf(1, 2, 3);
    const moments = (value: (i: number) => number) => {
      const list = Array.from({ length: count }, (_, i) => value(i));
      const mean = list.reduce((a, b) => a + b, 0) / count;
      return [mean, list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / count];
    };
    const [mean = 0, variance = 0] = moments((i) => uniformAt(key, i));
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01); // five standard errors
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
    const [normalMean = 0, normalVariance = 0] = moments((i) => normalAt(key, i));
    expect(Math.abs(normalMean)).toBeLessThan(0.035);
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.05);
  });

  it("gives every part of a key a say, large numbers too", () => {
    const keys = [keyOf(0), keyOf(1), keyOf(0, 0), keyOf(0, 1), keyOf(1, 0), keyOf(2 ** 32), keyOf(2 ** 40)];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("the order of samples", () => {
  it("holds each once, is the same for the same seed and epoch, and another for others", () => {
    const order = shuffledOrder(1000, 7, 2);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(shuffledOrder(1000, 7, 2)).toEqual(order);
    expect(shuffledOrder(1000, 7, 3)).not.toEqual(order);
    expect(shuffledOrder(1000, 8, 2)).not.toEqual(order);
  });

  it("puts each sample everywhere about equally often", () => {
    const first = new Array<number>(5).fill(0);
    for (let epoch = 0; epoch < 5000; epoch++) {
      const at = shuffledOrder(5, 1, epoch)[0] ?? 0;
      first[at] = (first[at] ?? 0) + 1;
    }
    for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(150); // five standard deviations
  });
});

it("a mask in a graph keeps the very elements that the hash says", async () => {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const key = builder.input("key", "uint32", []);
  const like = builder.constant(tensor("float32", [7, 30], new Float32Array(210)));
  builder.output(keepMask(math, like, key, 0.3), "kept");
  const session = await createSession(model(builder.build()), { threads: 1 });
  for (const seed of [1, 2]) {
    const word = keyOf(seed);
    const { outputs } = await session.run({ key: tensor("uint32", [], Uint32Array.of(word)) });
    const limit = Math.round(0.7 * 2 ** 32);
    const expected = Array.from({ length: 210 }, (_, i) => Number(wordAt(word, i) < limit));
    expect(Array.from(outputs["kept"]?.data ?? [], Number)).toEqual(expected);
  }
  await session.close();
});
