import { describeOptimizer } from "../testing/describe-optimizer.ts";
import { adam } from "./adam.ts";
import { sgd } from "./sgd.ts";

describeOptimizer("sgd", [
  { name: "plain", make: () => sgd({ learningRate: 0.1 }), afterGradients2And1: [0.8, 0.9] },
  // v = -0.2, then 0.9 * -0.2 + 0.1 = -0.08
  { name: "momentum", make: () => sgd({ learningRate: 0.1, momentum: 0.9 }), afterGradients2And1: [0.8, 0.72] },
  // moves by 0.9 v - 0.1 g: -0.18 - 0.2, then -0.072 + 0.1
  {
    name: "nesterov",
    make: () => sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
    afterGradients2And1: [0.62, 0.648],
  },
]);

/** Keras' formula, step by step. */
function adamByHand(rate: number, b1: number, b2: number, epsilon: number): [number, number] {
  let [w, m, v] = [1, 0, 0];
  const after = [2, -1].map((g, i) => {
    m += (g - m) * (1 - b1);
    v += (g * g - v) * (1 - b2);
    const alpha = (rate * Math.sqrt(1 - b2 ** (i + 1))) / (1 - b1 ** (i + 1));
    w -= (alpha * m) / (Math.sqrt(v) + epsilon);
    return w;
  });
  return [after[0] ?? 0, after[1] ?? 0];
}

describeOptimizer("adam", [
  { name: "by default", make: () => adam(), afterGradients2And1: adamByHand(0.001, 0.9, 0.999, 1e-7) },
  {
    name: "with other settings",
    make: () => adam({ learningRate: 0.05, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }),
    afterGradients2And1: adamByHand(0.05, 0.5, 0.9, 0.01),
  },
]);
