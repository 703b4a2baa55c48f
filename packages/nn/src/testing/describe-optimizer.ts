/** @file What every optimizer must hold. A new optimizer gets its tests by one call. */
import { tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { NnError } from "../errors.ts";
import { dense } from "../layers/core/dense.ts";
import { Sequential } from "../model/sequential.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Made } from "../schema/kind.ts";

/** One setting of an optimizer. */
export interface OptimizerCase {
  readonly name: string;
  readonly make: () => Made<Optimizer>;
  /** A weight of 1 after one and two steps with the gradient 2, then -1, worked out by hand. */
  readonly afterGradients2And1: readonly [number, number];
}

/** Smallest float32 that is not a denormal. */
const smallestNormal = 2 ** -126;

/** y = w x with one weight, so that mean squared error's gradient is 2 x (w x - t): t is chosen to make it what a test wants. */
async function oneWeight(optimizer: Made<Optimizer>, gradients: readonly number[]): Promise<number[]> {
  const model = new Sequential([dense(1, { useBias: false, inputShape: [1] })]);
  model.compile({ optimizer, loss: "meanSquaredError" });
  model.setWeights([{ name: "dense_1/kernel", value: tensor("float32", [1, 1], Float32Array.of(1)) }]);
  const weights: number[] = [];
  let w = 1;
  for (const gradient of gradients) {
    await model.fit([[1]], [[w - gradient / 2]], { threads: 1 });
    w = model.getWeights()[0]?.value.data[0] ?? Number.NaN;
    weights.push(w);
  }
  await model.close();
  return weights;
}

/** Runs the suite for each setting. */
export function describeOptimizer(type: string, cases: readonly OptimizerCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, { make, afterGradients2And1 }) => {
    it("takes the steps of its formula", async () => {
      const received = await oneWeight(make(), [2, -1]);
      afterGradients2And1.forEach((expected, i) => void expect(received[i]).toBeCloseTo(expected, 5));
    });

    it("comes nearer to a line", async () => {
      const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 1 });
      model.compile({ optimizer: make(), loss: "meanSquaredError" });
      const x = [[-1], [-0.5], [0], [0.5], [1]];
      const before = (await (await fitted(model, x, 1)).evaluate(x, lineOf(x), { threads: 1 })).loss;
      const after = (await (await fitted(model, x, 400)).evaluate(x, lineOf(x), { threads: 1 })).loss;
      expect(after).toBeLessThan(0.9 * before); // the slowest moves by 0.001 a step
      await model.close();
    });

    it("keeps its memory clear of denormals, which slow arithmetic, when a gradient stays 0", async () => {
      const model = new Sequential([dense(2, { inputShape: [2], useBias: false })]);
      model.compile({ optimizer: make(), loss: "meanSquaredError" });
      // the second input is 1 once and 0 ever after: its weights' gradients vanish
      await model.fit([[1, 1]], [[1, 1]], { threads: 1 });
      await model.fit([[1, 0]], [[1, 1]], { epochs: 1500, threads: 1 });
      const denormals = statesOf(model.save()).filter((value) => value !== 0 && Math.abs(value) < smallestNormal);
      expect(denormals).toEqual([]);
      await model.close();
    });

    it("comes back from its JSON", () => {
      const model = new Sequential([dense(1, { inputShape: [1] })]);
      model.compile({ optimizer: make(), loss: "meanSquaredError" });
      const again = new Sequential([dense(1, { inputShape: [1] })]);
      again.compile(JSON.parse(JSON.stringify(model.compileSpec)));
      expect(again.compileSpec).toEqual(model.compileSpec);
      expect(() => again.compile({ optimizer: { type, learningRate: -1 }, loss: "meanSquaredError" })).toThrow(NnError);
    });
  });
}

const lineOf = (x: readonly (readonly number[])[]): number[][] => x.map(([value = 0]) => [3 * value + 1]);

async function fitted(model: Sequential, x: number[][], epochs: number): Promise<Sequential> {
  await model.fit(x, lineOf(x), { epochs, threads: 1 });
  return model;
}

/** All float32 numbers of a saved model, weights and optimizer's memory. */
function statesOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 12 + view.getUint32(8, true);
  return Array.from({ length: (bytes.length - 32 - start) / 4 }, (_, i) => view.getFloat32(start + 4 * i, true));
}
