import { describeLayer } from "../../testing/describe-layer.ts";
import { additiveAttention } from "./additive-attention.ts";
import { attention } from "./attention.ts";

const inputs = [
  [3, 4],
  [5, 4],
];

describeLayer("attention", [
  { name: "products", make: () => attention(), inputs, output: [3, 4], anyLength: [0] },
  {
    name: "scaled, causal, dropping, of three",
    make: () => attention({ useScale: true, useCausalMask: true, dropout: 0.3 }),
    inputs: [
      [3, 4],
      [5, 2],
      [5, 4],
    ],
    output: [3, 2],
    weights: { scale: [] },
  },
  {
    name: "sums",
    make: () => attention({ scoreMode: "concat", useScale: true }),
    inputs,
    output: [3, 4],
    weights: { scale: [], concat_score_weight: [] },
    anyLength: [0],
  },
]);

describeLayer("additiveAttention", [
  { name: "scaled", make: () => additiveAttention(), inputs, output: [3, 4], weights: { scale: [4] }, anyLength: [0] },
  {
    name: "as it is, causal",
    make: () => additiveAttention({ useScale: false, useCausalMask: true }),
    inputs,
    output: [3, 4],
  },
]);
