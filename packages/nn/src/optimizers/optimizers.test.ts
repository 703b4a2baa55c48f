import { tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { dense } from "../layers/core/dense.ts";
import { Sequential } from "../model/sequential.ts";
import { cosineDecay } from "../schedules/cosine.ts";
import { describeOptimizer } from "../testing/describe-optimizer.ts";
import { adadelta } from "./adadelta.ts";
import { adafactor } from "./adafactor.ts";
import { adagrad } from "./adagrad.ts";
import { adam, adamw } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { lion } from "./lion.ts";
import { nadam } from "./nadam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

/** A weight of 1 after the gradients 2 and -1 by a formula that is written out for one number. */
function after(step: (w: number, g: number, t: number) => number): [number, number] {
  const first = step(1, 2, 1);
  return [first, step(first, -1, 2)];
}

describeOptimizer("sgd", [
  { name: "plain", make: () => sgd({ learningRate: 0.1 }), afterGradients2And1: [0.8, 0.9] },
  // v = 0.2, then 0.9 * 0.2 - 0.1 = 0.08
  { name: "momentum", make: () => sgd({ learningRate: 0.1, momentum: 0.9 }), afterGradients2And1: [0.8, 0.72] },
  // moves by 0.9 v + 0.1 g: 0.18 + 0.2, then 0.072 - 0.1
  {
    name: "nesterov",
    make: () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
    afterGradients2And1: [0.62, 0.648],
  },
]);

/** Keras' formula, step by step. */
function adamByHand(
  rate: number,
  b1: number,
  b2: number,
  epsilon: number,
  decay = 0,
  amsgrad = false,
): [number, number] {
  let [m, v, largest] = [0, 0, 0];
  return after((w, g, t) => {
    m += (g - m) * (1 - b1);
    v += (g * g - v) * (1 - b2);
    largest = Math.max(largest, v);
    const alpha = (rate * Math.sqrt(1 - b2 ** t)) / (1 - b1 ** t);
    return w - w * decay * rate - (alpha * m) / (Math.sqrt(amsgrad ? largest : v) + epsilon);
  });
}

describeOptimizer("adam", [
  { name: "by default", make: () => adam(), afterGradients2And1: adamByHand(0.001, 0.9, 0.999, 1e-7) },
  {
    name: "with other settings",
    make: () => adam({ learningRate: 0.05, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }),
    afterGradients2And1: adamByHand(0.05, 0.5, 0.9, 0.01),
  },
  {
    name: "amsgrad",
    make: () => adam({ learningRate: 0.05, beta2: 0.5, amsgrad: true }),
    afterGradients2And1: adamByHand(0.05, 0.9, 0.5, 1e-7, 0, true),
  },
]);

describeOptimizer("adamw", [
  { name: "by default", make: () => adamw(), afterGradients2And1: adamByHand(0.001, 0.9, 0.999, 1e-7, 0.004) },
  {
    name: "strong decay",
    make: () => adamw({ learningRate: 0.1, weightDecay: 0.5 }),
    afterGradients2And1: adamByHand(0.1, 0.9, 0.999, 1e-7, 0.5),
  },
]);

describeOptimizer("lion", [
  // signs of 0.2 and then 0.9 * 0.02 - 0.1
  { name: "by default", make: () => lion({ learningRate: 0.1 }), afterGradients2And1: [0.9, 1] },
]);

const rmspropByHand = (rate: number, rho: number, momentum: number, centered: boolean): [number, number] => {
  let [v, mean, m] = [0, 0, 0];
  return after((w, g) => {
    v = rho * v + (1 - rho) * g * g;
    mean = rho * mean + (1 - rho) * g;
    m = momentum * m + (rate * g) / Math.sqrt(v - (centered ? mean * mean : 0) + 1e-7);
    return w - m;
  });
};
describeOptimizer("rmsprop", [
  { name: "by default", make: () => rmsprop(), afterGradients2And1: rmspropByHand(0.001, 0.9, 0, false) },
  {
    name: "centered, with momentum",
    make: () => rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
    afterGradients2And1: rmspropByHand(0.01, 0.9, 0.5, true),
  },
]);

let squares = 0.1;
describeOptimizer("adagrad", [
  {
    name: "faster than by default",
    make: () => adagrad({ learningRate: 0.01 }),
    afterGradients2And1: after((w, g) => {
      squares += g * g;
      return w - (0.01 * g) / Math.sqrt(squares + 1e-7);
    }),
  },
]);

let [gradients, moves] = [0, 0];
describeOptimizer("adadelta", [
  {
    name: "the paper's rate",
    make: () => adadelta({ learningRate: 1, epsilon: 1e-5 }),
    afterGradients2And1: after((w, g) => {
      gradients = 0.95 * gradients + 0.05 * g * g;
      const delta = (Math.sqrt(moves + 1e-5) / Math.sqrt(gradients + 1e-5)) * g;
      moves = 0.95 * moves + 0.05 * delta * delta;
      return w - delta;
    }),
  },
]);

let [m, u] = [0, 0];
describeOptimizer("adamax", [
  {
    name: "by default",
    make: () => adamax(),
    afterGradients2And1: after((w, g, t) => {
      m = 0.9 * m + 0.1 * g;
      u = Math.max(0.999 * u, Math.abs(g));
      return w - ((0.001 / (1 - 0.9 ** t)) * m) / (u + 1e-7);
    }),
  },
]);

const share = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** t);
let [nm, nv] = [0, 0];
describeOptimizer("nadam", [
  {
    name: "by default",
    make: () => nadam(),
    afterGradients2And1: after((w, g, t) => {
      nm = 0.9 * nm + 0.1 * g;
      nv = 0.999 * nv + 0.001 * g * g;
      const product = t === 1 ? share(1) : share(1) * share(2);
      const ahead = (share(t + 1) * nm) / (1 - product * share(t + 1)) + ((1 - share(t)) * g) / (1 - product);
      return w - (0.001 * ahead) / (Math.sqrt(nv / (1 - 0.999 ** t)) + 1e-7);
    }),
  },
]);

let [factored] = [0];
describeOptimizer("adafactor", [
  {
    // of a single number: r / mean(r) is 1, so the mean square of its column is left
    name: "fixed rate",
    make: () => adafactor({ learningRate: 0.05, relativeStep: false }),
    afterGradients2And1: after((w, g, t) => {
      const kept = 1 - t ** -0.8;
      factored = kept * factored + (1 - kept) * g * g;
      const move = g / Math.sqrt(factored);
      return w - (Math.max(1e-3, Math.abs(w)) * 0.05 * move) / Math.max(1, Math.abs(move));
    }),
  },
]);

/** Weights of a two-number model after steps of fixed gradients; the loss (w x - t)² is steered by its target. */
async function walk(
  optimizer: ReturnType<typeof sgd>,
  steps: readonly (readonly [number, number])[],
): Promise<number[][]> {
  const model = new Sequential([dense(1, { useBias: false, inputShape: [1] }), dense(1, { useBias: false })]);
  model.compile({ optimizer, loss: "meanSquaredError" });
  const set = (a: number, b: number) =>
    model.setWeights([
      { name: "dense_1/kernel", value: tensor("float32", [1, 1], Float32Array.of(a)) },
      { name: "dense_2/kernel", value: tensor("float32", [1, 1], Float32Array.of(b)) },
    ]);
  set(1, 1);
  const trace: number[][] = [];
  for (const [x, t] of steps) {
    await model.fit([[x]], [[t]], { threads: 1 });
    trace.push(model.getWeights().map(({ value }) => value.data[0] ?? Number.NaN));
  }
  await model.close();
  return trace;
}

describe("what is chained around every optimizer", () => {
  // both gradients of (a b x - t)² at a = b = 1, x = 1 are 2 (1 - t)
  it("clips by value, by each weight's norm, and by the norm of all", async () => {
    const [value] = await walk(sgd({ learningRate: 1, clipvalue: 0.25 }), [[1, -1]]);
    expect(value).toEqual([0.75, 0.75]);
    const [norm] = await walk(sgd({ learningRate: 1, clipnorm: 0.5 }), [[1, -1]]);
    expect(norm).toEqual([0.5, 0.5]);
    const [all = []] = await walk(sgd({ learningRate: 1, globalClipnorm: 0.5 }), [[1, -1]]);
    for (const weight of all) expect(weight).toBeCloseTo(1 - 0.5 / Math.SQRT2, 6);
    const [short] = await walk(sgd({ learningRate: 0.125, globalClipnorm: 100 }), [[1, 0]]);
    expect(short).toEqual([0.75, 0.75]);
  });

  it("moves by the mean of accumulated gradients, at the last of the steps alone", async () => {
    const trace = await walk(sgd({ learningRate: 0.125, gradientAccumulationSteps: 2 }), [
      [1, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(trace[0]).toEqual([1, 1]);
    expect(trace[1]).toEqual([0.875, 0.875]); // gradients 2 and 0
    expect(trace[2]).toEqual(trace[1]);
  });

  it("does not let weights decay that are left out", async () => {
    const [trace = []] = await walk(sgd({ learningRate: 0.5, weightDecay: 0.5, excludeFromWeightDecay: ["dense_2"] }), [
      [1, 1],
    ]);
    expect(trace).toEqual([0.75, 1]);
  });

  it("takes the learning rate of a schedule, step by step", async () => {
    const learningRate = cosineDecay({ initialLearningRate: 0.125, decaySteps: 1 });
    const trace = await walk(sgd({ learningRate }), [
      [1, 0],
      [1, 0],
    ]);
    expect(trace).toEqual([
      [0.75, 0.75],
      [0.75, 0.75],
    ]);
  });

  it("keeps an average of the weights that the model can take over", async () => {
    const model = new Sequential([dense(1, { useBias: false, inputShape: [1] })]);
    model.compile({
      optimizer: sgd({ learningRate: 0.125, useEma: true, emaMomentum: 0.5 }),
      loss: "meanSquaredError",
    });
    model.setWeights([{ name: "dense_1/kernel", value: tensor("float32", [1, 1], Float32Array.of(1)) }]);
    await model.fit([[1], [1]], [[0], [0]], { batchSize: 1, threads: 1 }); // 1, 0.75, 0.5625
    model.useAveragedWeights();
    expect(model.getWeights()[0]?.value.data[0]).toBe(0.5 * 0.75 + 0.5 * 0.5625);
    const plain = new Sequential([dense(1, { inputShape: [1] })]);
    plain.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    expect(() => plain.useAveragedWeights()).toThrow("keeps no average");
    await model.close();
  });

  it("adds what regularizers say to the loss, in training and evaluation", async () => {
    const model = new Sequential([
      dense(1, { useBias: false, inputShape: [1], kernelRegularizer: { type: "l2", l2: 0.5 } }),
    ]);
    model.compile({ optimizer: sgd({ learningRate: 0.5 }), loss: "meanSquaredError" });
    model.setWeights([{ name: "dense_1/kernel", value: tensor("float32", [1, 1], Float32Array.of(1)) }]);
    expect((await model.evaluate([[1]], [[1]], { threads: 1 })).loss).toBe(0.5);
    await model.fit([[1]], [[1]], { threads: 1 });
    expect(model.getWeights()[0]?.value.data[0]).toBe(0.5);
    await model.close();
  });

  it("leaves frozen weights alone", async () => {
    const model = new Sequential([
      dense(2, { inputShape: [1], trainable: false, kernelInitializer: "ones" }),
      dense(1),
    ]);
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const [kernel] = model.getWeights();
    expect(model.parameterCount).toBe(3);
    await model.fit([[1]], [[3]], { epochs: 3, threads: 1 });
    expect(model.getWeights()[0]).toEqual(kernel);
    expect(Sequential.fromSpec(model.toSpec()).parameterCount).toBe(3);
    await model.close();
  });

  it("refuses two ways to clip", () => {
    expect(() => sgd({ clipnorm: 1, clipvalue: 1 })).toThrow(
      "expected one way to clip, received clipnorm and clipvalue",
    );
    expect(() => sgd({ learningRate: { type: "cosine" } })).toThrow("learningRate: unknown schedule");
  });
});
