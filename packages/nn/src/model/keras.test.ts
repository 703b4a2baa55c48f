import { tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { parseCompileSpec } from "../spec/compile-spec.ts";
import { type FixtureArray, kerasFixture } from "../testing/keras-fixture.ts";
import { Sequential } from "./sequential.ts";

const { about, cases } = kerasFixture();

// float32 on both sides, sums in another order, a few steps: a fault in a formula shows in the second or third digit
const tolerance = 2e-5;

const samples = ({ shape, data }: FixtureArray) => ({ shape, data: Float32Array.from(data) });

/** Largest difference, relative to the largest number. */
function difference(received: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(received.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (received[i] ?? Number.NaN)))) / scale;
}

describe(`trainings by Keras ${about["keras"]} (seed ${about["seed"]}) are repeated`, () => {
  it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const model = Sequential.fromSpec(one.spec);
    model.compile(parseCompileSpec(one.compile));
    const names = model.getWeights().map(({ name }) => name);
    model.setWeights(
      one.weights.map(({ shape, data }, i) => ({
        name: names[i] ?? "",
        value: tensor("float32", shape, Float32Array.from(data)),
      })),
    );
    const [x, y] = [samples(one.x), samples(one.y)];
    const count = one.x.shape[0] ?? 1;
    const { history } = await model.fit(x, y, {
      epochs: one.losses.length,
      batchSize: count,
      shuffle: false,
      threads: 1,
    });
    expect(difference(history["loss"] ?? [], one.losses)).toBeLessThan(tolerance);
    for (const [i, { name, value }] of model.getWeights().entries()) {
      const expected = one.finalWeights[i];
      expect([name, value.shape]).toEqual([name, expected?.shape]);
      expect(difference(value.data, expected?.data ?? [])).toBeLessThan(tolerance);
    }
    const final = await model.evaluate(x, y, { threads: 1 });
    expect(Math.abs(final.loss - one.finalLoss)).toBeLessThan(tolerance * Math.max(1, one.finalLoss));
    expect(final.metrics["accuracy"]).toBeCloseTo(one.finalAccuracy, 6);
    expect(difference((await model.predict(x, { threads: 1 })).data, one.predictions.data)).toBeLessThan(tolerance);
    await model.close();
  });
});
